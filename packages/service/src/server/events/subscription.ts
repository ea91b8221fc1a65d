import { type Headers, type Message, MicroError, type ValueRecord } from '@ts-micro/core';
import { shown } from '@ts-micro/kit';
import { type MiddlewareCall, runMiddleware } from '../../middleware.ts';
import { type CodecUse, decodeBody } from '../../rpc/codec/codec.ts';
import type { Codecs } from '../../rpc/codec/codecs.ts';
import type { EventContext, HandlerContext } from '../serve/handler-context.ts';
import type { ServiceCore } from '../serve/service-core.ts';
import { mediaType } from './media-type.ts';

/** Handles an event; what it throws is logged and counted, and does not stop delivery. */
export type EventHandler<Event = unknown> = (event: Event, context: EventContext) => void | Promise<void>;

export interface SubscriptionOptions {
  /**
   * Subscribers with the same queue share the topic's events, each going to one of them. Without it every instance gets
   * every event.
   */
  readonly queue?: string | undefined;
  /** How many events this subscriber handles at once. 1 keeps the publisher's order. @default 1 */
  readonly concurrency?: number | undefined;
  /** Advertised with the subscriber. */
  readonly metadata?: Headers | undefined;
  /** The shape of an event, advertised with the subscriber. */
  readonly event?: ValueRecord | undefined;
  /** The codecs that events are read with, instead of the service's. */
  readonly codecs?: Codecs | undefined;
  /** Advertised but for `internal`. @default false */
  readonly internal?: boolean | undefined;
}

/** One subscriber of a service. */
export interface Subscription {
  readonly topic: string;
  readonly handler: EventHandler;
  readonly options: SubscriptionOptions;
}

/**
 * Decodes an event and runs a handler with it; `undefined` where it has nothing to wait for. Throws, or rejects, with
 * what either throws; `unsupported` where no codec knows the content type.
 */
export function handleEvent(
  core: ServiceCore,
  { topic, handler, options }: Subscription,
  message: Message,
  context: HandlerContext,
): Promise<unknown> | undefined {
  const codecs = options.codecs ?? core.codecs;
  const codec = codecs.get(context.contentType) ?? codecs.get(mediaType(context.contentType));
  if (codec === undefined)
    throw new MicroError('unsupported', `unsupported Content-Type: ${shown(context.contentType)}`);
  const use: CodecUse = { kind: 'event', name: context.topic };
  const payload = decodeBody(codec, message.body, use);
  if (core.middleware.length === 0) return handler(payload, context) ?? undefined;
  const passing: MiddlewareCall = {
    side: 'server',
    kind: 'event',
    service: core.name,
    name: context.topic,
    carrier: core.broker,
    subscription: { topic, queue: options.queue },
    headers: context.metadata as Record<string, string>,
    payload,
    context,
  };
  return runMiddleware(core.middleware, passing, () => handler(passing.payload, context));
}
