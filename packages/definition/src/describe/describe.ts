import type { ValueRecord } from '@ts-micro/core';
import type { HandleOptions, SubscriptionOptions } from '@ts-micro/service';
import type { ServiceDefinition } from '../define/define-service.ts';
import type { Endpoint } from '../define/endpoint.ts';
import type { Schema } from '../define/schema.ts';
import { exactCodecs } from '../json/exact-json.ts';
import { jsonSchemaOf } from './json-schema.ts';
import { pascalCase } from './pascal-case.ts';
import type { SchemaBudget } from './schema-budget.ts';
import { valueRecord } from './value-record.ts';

/** The metadata that a definition is advertised in, beside the `description` and `example` of Go Micro's gateways. */
export const advertised = {
  requestSchema: 'request-schema',
  responseSchema: 'response-schema',
  eventSchema: 'event-schema',
  streamKind: 'stream-kind',
  idempotent: 'idempotent',
  exactIntegers: 'exact-integers',
} as const;

/** Returns how an endpoint is served and advertised; without a budget the JSON Schemas are left out. */
export function handleOptions(
  definition: ServiceDefinition,
  name: string,
  endpoint: Endpoint,
  budget: SchemaBudget | undefined,
): HandleOptions {
  const request = jsonSchemaOf(endpoint.request, definition.jsonSchema);
  const response = jsonSchemaOf(endpoint.response, definition.jsonSchema);
  const method = pascalCase(name.slice(name.indexOf('.') + 1));
  const isStream = endpoint.kind !== 'unary';
  const codecs = endpoint.codecs ?? (endpoint.exactIntegers ? exactCodecs : undefined);
  return {
    ...(codecs && { codecs }),
    // A stream's are `Context` and `Stream`, as Go Micro has it.
    ...(!isStream &&
      shapes(
        request && valueRecord(request, `${method}Request`),
        response && valueRecord(response, `${method}Response`),
      )),
    metadata: withoutEmpty({
      description: endpoint.description?.trim(),
      example: exampleText(endpoint.example),
      [advertised.requestSchema]: budget?.take(request),
      [advertised.responseSchema]: budget?.take(response),
      [advertised.streamKind]: isStream && budget !== undefined ? endpoint.kind : undefined,
      [advertised.idempotent]: endpoint.idempotent ? 'true' : undefined,
      [advertised.exactIntegers]: endpoint.exactIntegers ? 'true' : undefined,
    }),
  };
}

/** Returns how a subscriber is advertised. */
export function eventOptions(
  definition: ServiceDefinition,
  topic: string,
  schema: Schema,
  budget: SchemaBudget | undefined,
): SubscriptionOptions {
  const event = jsonSchemaOf(schema, definition.jsonSchema);
  const shape = event && valueRecord(event, pascalCase(topic));
  return {
    ...(definition.exactIntegers && { codecs: exactCodecs }),
    ...(shape && { event: shape }),
    metadata: withoutEmpty({
      [advertised.eventSchema]: budget?.take(event),
      [advertised.exactIntegers]: definition.exactIntegers ? 'true' : undefined,
    }),
  };
}

function shapes(request: ValueRecord | undefined, response: ValueRecord | undefined) {
  return { ...(request && { request }), ...(response && { response }) };
}

function exampleText(example: unknown): string | undefined {
  if (example === undefined) return undefined;
  const codec = exactCodecs.get('application/json');
  try {
    return (
      codec &&
      Buffer.from(codec.encode(example, { kind: 'request', name: 'example' }))
        .toString()
        .trim()
    );
  } catch {
    return undefined;
  }
}

function withoutEmpty(metadata: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(Object.entries(metadata).filter((entry): entry is [string, string] => Boolean(entry[1])));
}
