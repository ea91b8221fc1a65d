import { checkTopic, MicroError } from '@ts-micro/core';
import { OptionChecks } from '@ts-micro/kit';
import { checkEndpoint, type Endpoint } from './endpoint.ts';
import { isSchema, type Schema } from './schema.ts';

/** Endpoints by their names, `Type.Method`. */
export type EndpointMap = Readonly<Record<string, Endpoint>>;

/** The schemas of events by their topics. */
export type EventMap = Readonly<Record<string, Schema>>;

/** No events. */
export type NoEvents = Readonly<Record<never, Schema>>;

/**
 * Gives the JSON Schema of a schema whose library does not do so itself, as `toJsonSchema` of `@valibot/to-json-schema`
 * does.
 */
export type JsonSchemaConverter = (schema: never) => object;

/** The parts of a definition. */
export interface ServiceInit<Endpoints extends EndpointMap, Events extends EventMap> {
  /** The name that clients call: `greeter`. */
  readonly name: string;
  readonly endpoints: Endpoints;
  /** The events that have to do with the service, whoever publishes and handles them. */
  readonly events?: Events;
  /** Makes the JSON Schemas that are advertised. @default the schema's own, where it has one (zod, arktype) */
  readonly jsonSchema?: JsonSchemaConverter;
  /** {@link EndpointInit.exactIntegers} of all endpoints, and of events. @default false */
  readonly exactIntegers?: boolean;
}

/** The requests, answers and events of a service, for both ends to share. */
export interface ServiceDefinition<Endpoints extends EndpointMap = EndpointMap, Events extends EventMap = EventMap> {
  readonly name: string;
  readonly endpoints: Endpoints;
  readonly events: Events;
  readonly jsonSchema: JsonSchemaConverter | undefined;
  readonly exactIntegers: boolean;
}

/** Makes a definition. Throws `invalid` naming the endpoint or event that breaks a rule. */
export function defineService<const Endpoints extends EndpointMap, const Events extends EventMap = NoEvents>(
  init: ServiceInit<Endpoints, Events>,
): ServiceDefinition<Endpoints, Events> {
  new OptionChecks('definition').bag(init);
  const { name, endpoints, events = {} as Events, jsonSchema, exactIntegers = false } = init;
  if (typeof name !== 'string' || name.trim() === '') throw new MicroError('invalid', 'definition: name is empty');
  const invalid = (what: string) => new MicroError('invalid', `definition of "${name}": ${what}`);
  const checks = new OptionChecks(`definition of "${name}"`);
  for (const [option, given] of Object.entries({ endpoints, events }))
    if (typeof given !== 'object' || given === null) throw checks.invalid(option, given, 'an object');
  checks.optionalFunction('jsonSchema', jsonSchema);
  checks.boolean('exactIntegers', exactIntegers);
  for (const [endpoint, made] of Object.entries(endpoints)) {
    checkEndpoint(`definition of "${name}": endpoint "${endpoint}"`, made);
    const { request, response, errors } = made;
    if (!/^[^.\s]+\.[^.\s]+$/.test(endpoint)) throw invalid(`endpoint "${endpoint}" is not of the form Type.Method`);
    if (/^(events|__proto__)\./.test(endpoint) || endpoint.endsWith('.__proto__'))
      throw invalid(`endpoint "${endpoint}" has a name that a typed client cannot give`);
    for (const [part, schema] of [['request', request], ['response', response], ...Object.entries(errors)] as const) {
      if (!isSchema(schema)) throw invalid(`${part} of endpoint "${endpoint}" is not a Standard Schema`);
    }
  }
  for (const [topic, schema] of Object.entries(events)) {
    checkTopic(topic, `definition of "${name}"`);
    if (!isSchema(schema)) throw invalid(`event "${topic}" is not a Standard Schema`);
  }
  return { name, endpoints: exactIntegers ? exact(endpoints) : endpoints, events, jsonSchema, exactIntegers };
}

/** True for what {@link defineService} returns. */
export function isDefinition(value: unknown): value is ServiceDefinition {
  const { name, endpoints, events } = (value ?? {}) as Partial<ServiceDefinition>;
  return typeof name === 'string' && typeof endpoints === 'object' && typeof events === 'object';
}

function exact<Endpoints extends EndpointMap>(endpoints: Endpoints): Endpoints {
  const entries = Object.entries(endpoints).map(([name, endpoint]) => [name, { ...endpoint, exactIntegers: true }]);
  return Object.fromEntries(entries) as Endpoints;
}
