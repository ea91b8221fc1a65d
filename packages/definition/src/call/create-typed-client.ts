import { MicroError } from '@ts-micro/core';
import { OptionChecks, type OptionNames } from '@ts-micro/kit';
import type { Client, EventOptions } from '@ts-micro/service';
import { isDefinition, type ServiceDefinition } from '../define/define-service.ts';
import type { Schema } from '../define/schema.ts';
import { exactCodecs } from '../json/exact-json.ts';
import { outgoingCheck, refusalOf } from '../validate/checks.ts';
import { inTime, mostCheckMs } from '../validate/in-time.ts';
import { isPromise } from '../validate/validate.ts';
import { type CalledEndpoint, makeCall } from './calls.ts';
import type { TypedClient } from './typed-client.ts';
import { withDefaults } from './with-defaults.ts';

/**
 * Which service a typed client calls, and what it checks. Where something is not checked, its schema does not transform
 * it either.
 */
export interface TypedClientOptions {
  /** The service to call, where it goes by another name than its definition. @default the definition's name */
  readonly service?: string | undefined;
  /** Requests and messages, before they are sent. @default true */
  readonly validateRequests?: boolean | undefined;
  /** Responses and messages of the service. @default true */
  readonly validateResponses?: boolean | undefined;
  /** Events, before they are published. @default true */
  readonly validateEvents?: boolean | undefined;
}

const checks = new OptionChecks('typedClient');
const optionNames: OptionNames<TypedClientOptions> = {
  service: true,
  validateRequests: true,
  validateResponses: true,
  validateEvents: true,
};

/**
 * Makes a client with a function for each endpoint of a definition. It owns nothing, so there is nothing to close.
 * Throws `invalid` naming what it was not given.
 */
export function typedClient<const D extends ServiceDefinition>(
  client: Client,
  definition: D,
  options: TypedClientOptions = {},
): TypedClient<D> {
  if (!isDefinition(definition)) throw checks.invalid('definition', definition, 'what defineService returns');
  if (typeof client !== 'object' || client === null) throw checks.invalid('client', client, 'a client');
  checks.named(options, optionNames);
  const {
    service = definition.name,
    validateRequests = true,
    validateResponses = true,
    validateEvents = true,
  } = options;
  const calls: Record<string, Record<string, unknown>> = Object.create(null);
  for (const [name, endpoint] of Object.entries(definition.endpoints)) {
    const dot = name.indexOf('.');
    const called: CalledEndpoint = { client, service, name, endpoint, validateRequests, validateResponses };
    const type = name.slice(0, dot);
    calls[type] ??= Object.create(null) as Record<string, unknown>;
    calls[type][name.slice(dot + 1)] = makeCall(called);
  }
  const events = Object.entries(definition.events).map(([topic, schema]) => [
    topic,
    { publish: publisherOf(client, topic, schema, validateEvents, definition.exactIntegers) },
  ]);
  return { ...calls, events: Object.fromEntries(events) } as unknown as TypedClient<D>;
}

function publisherOf(client: Client, topic: string, schema: Schema, isOn: boolean, exactIntegers: boolean) {
  const body = { codecs: undefined, contentType: 'application/json', exactIntegers };
  const invalid = (message: string) => new MicroError('invalid', message);
  const check = outgoingCheck(
    schema,
    isOn,
    body,
    false,
    refusalOf(invalid, `client: the event of "${topic}" does not fit`),
  );
  const defaults: EventOptions = { contentType: body.contentType, ...(exactIntegers && { codecs: exactCodecs }) };
  return async (event: unknown, options?: EventOptions): Promise<void> => {
    const checked = check === undefined ? event : check(event);
    const limits = [options, options?.context];
    const sent = isPromise(checked)
      ? await inTime(checked, limits, `client: the check of the event of "${topic}"`, mostCheckMs)
      : checked;
    await client.publish(topic, sent, withDefaults(defaults, options));
  };
}
