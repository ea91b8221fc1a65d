import type { Headers } from '@ts-micro/core';
import type { MiddlewareCall } from '../../middleware.ts';
import { encodeBody } from '../../rpc/codec/codec.ts';
import { codecForNode } from '../../rpc/codec/codecs.ts';
import { dialectOfNode } from '../../rpc/dialects.ts';
import type { MessageStream } from '../../stream/message-stream.ts';
import { type ClientSettings, checkTime, type StreamOptions } from '../client-options.ts';
import type { Attempts } from '../retry/attempts.ts';
import { ClientStream, type OpenedStream } from './client-stream.ts';
import { PendingCall } from './pending-call.ts';
import type { RequestIds } from './request-ids.ts';

/** Opens streams, and closes those that are open. */
export class StreamOpener {
  readonly #settings: ClientSettings;
  readonly #attempts: Attempts;
  readonly #ids: RequestIds;
  readonly #open = new Set<ClientStream>();

  constructor(settings: ClientSettings, attempts: Attempts, ids: RequestIds) {
    this.#settings = settings;
    this.#attempts = attempts;
    this.#ids = ids;
  }

  /** Resolves once the opener is handed to the transport; attempts follow each other until then. */
  async open(
    service: string,
    endpoint: string,
    options: StreamOptions | undefined,
    metadata: Headers | undefined,
    seen: Pick<MiddlewareCall, 'node'>,
  ): Promise<MessageStream> {
    const attempts = this.#attempts;
    const idleMs = options?.streamIdleMs ?? this.#settings.streamIdleMs;
    checkTime('streamIdleMs', idleMs);
    const call = new PendingCall(this.#settings, service, endpoint, options, attempts.clock.now());
    attempts.enter(call);
    try {
      for (;;) {
        try {
          const opened = await this.#attempt(call, idleMs, metadata);
          seen.node = call.candidate?.node;
          const stream = new ClientStream(opened, attempts, (released) => this.#open.delete(released));
          this.#open.add(stream);
          return stream.stream;
        } catch (error) {
          await attempts.fail(call, error);
        }
      }
    } finally {
      attempts.leave(call);
    }
  }

  /** Closes every open stream. */
  async close(): Promise<void> {
    await Promise.all(Array.from(this.#open, ({ stream }) => stream.close()));
  }

  async #attempt(call: PendingCall, idleMs: number, metadata: Headers | undefined): Promise<OpenedStream> {
    const { service, endpoint, options } = call;
    const candidate = await this.#attempts.target(call);
    call.candidate = candidate;
    const { node } = candidate;
    const accept = options?.contentType ?? this.#settings.contentType;
    const wire = codecForNode(options?.codecs ?? this.#settings.codecs, accept, node.metadata);
    const dialect = dialectOfNode(node.metadata, this.#settings.dialect);
    const id = this.#ids.next();
    const request = {
      service,
      endpoint,
      id,
      contentType: wire.contentType,
      accept,
      isStream: true,
      metadata,
      // A stream lives as long as it is used, unless who asked us stops waiting at some time.
      timeoutMs: options?.context?.deadline === undefined ? undefined : call.remainingMs(this.#attempts.clock.now()),
    };
    // What an opener carries is ignored by every server; the empty value is what Go's stubs send.
    const body = encodeBody(wire.codec, undefined, { kind: 'request', name: endpoint, id });
    const socket = await this.#attempts.dial(call, candidate);
    call.socket = socket;
    call.stage = 'sending';
    await socket.send(dialect.request({ ...request, body }));
    if (call.isCut) throw call.cutError();
    return {
      what: call.what,
      service,
      address: node.address,
      socket,
      dialect,
      wire,
      request,
      idleMs,
      signals: [options?.signal, options?.context?.signal].filter((signal) => signal !== undefined),
    };
  }
}
