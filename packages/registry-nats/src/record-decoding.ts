import { type EndpointRecord, MicroError, type NodeRecord, type ServiceRecord, type ValueRecord } from '@ts-micro/core';

/** What a peer announced on a watch subject. */
export interface Announcement {
  /** `create` and `delete` from Go Micro; others are possible there by option. */
  readonly action: string;
  readonly service: ServiceRecord;
}

/** What a peer wants to know: every record, or those of one name. */
export type Question = { readonly action: 'list' } | { readonly action: 'get'; readonly name: string };

// Go Micro describes values three levels deep; the bound is against stacks overflown on purpose.
const deepestValue = 32;
const decoder = new TextDecoder();

/** A payload of a watch subject. Throws `malformed`. */
export function decodeAnnouncement(data: Uint8Array): Announcement {
  const result = parse(data, 'announcement');
  const action = text(field(result, 'Action'), 'Action');
  // A node that leaves needs no address; one that joins without cannot be called.
  return { action, service: serviceOf(field(result, 'Service'), action !== 'delete') };
}

/** A payload of a query subject; `undefined` for an action that nobody here knows. Throws `malformed`. */
export function decodeQuestion(data: Uint8Array): Question | undefined {
  const result = parse(data, 'question');
  const action = field(result, 'Action');
  if (action === 'list') return { action };
  if (action !== 'get') return undefined;
  return { action, name: text(field(object(field(result, 'Service'), 'Service'), 'name'), 'name') };
}

/** A payload of a reply subject. Throws `malformed`. */
export function decodeAnswer(data: Uint8Array): ServiceRecord {
  return serviceOf(parse(data, 'answer'), true);
}

type Json = Record<string, unknown>;

function parse(data: Uint8Array, what: string): Json {
  let value: unknown;
  try {
    value = JSON.parse(decoder.decode(data));
  } catch {
    // Without the parser's error, which quotes the bytes: this one gets logged.
    throw new MicroError('malformed', `nats registry: ${what}: it is not JSON`);
  }
  return object(value, what);
}

function serviceOf(value: unknown, needsAddress: boolean): ServiceRecord {
  const service = object(value, 'Service');
  const name = text(field(service, 'name'), 'name');
  if (name === '') throw malformed('name', 'is empty');
  const nodes = list(field(service, 'nodes'), 'nodes', nodeOf);
  return {
    name,
    version: text(field(service, 'version'), 'version'),
    metadata: textMap(field(service, 'metadata'), 'metadata'),
    endpoints: list(field(service, 'endpoints'), 'endpoints', endpointOf),
    nodes: needsAddress ? nodes.filter((node) => node.address !== '') : nodes,
  };
}

function nodeOf(value: unknown): NodeRecord {
  const node = object(value, 'node');
  const id = text(field(node, 'id'), 'id');
  if (id === '') throw malformed('id', 'is empty');
  return {
    id,
    address: text(field(node, 'address'), 'address'),
    metadata: textMap(field(node, 'metadata'), 'metadata'),
  };
}

function endpointOf(value: unknown): EndpointRecord {
  const endpoint = object(value, 'endpoint');
  return {
    name: text(field(endpoint, 'name'), 'name'),
    request: optionalValueOf(field(endpoint, 'request')),
    response: optionalValueOf(field(endpoint, 'response')),
    metadata: textMap(field(endpoint, 'metadata'), 'metadata'),
  };
}

function optionalValueOf(value: unknown): ValueRecord | undefined {
  return value === null || value === undefined ? undefined : shapeOf(value, 0);
}

function shapeOf(value: unknown, depth: number): ValueRecord {
  if (depth > deepestValue) throw malformed('values', `are nested more than ${deepestValue} deep`);
  const shape = object(value, 'value');
  return {
    name: text(field(shape, 'name'), 'name'),
    type: text(field(shape, 'type'), 'type'),
    values: list(field(shape, 'values'), 'values', (item) => shapeOf(item, depth + 1)),
  };
}

/** Go matches names without regard to case, and takes what is missing for empty. */
function field(from: Json, name: string): unknown {
  if (Object.hasOwn(from, name)) return from[name];
  const lower = name.toLowerCase();
  const key = Object.keys(from).find((other) => other.toLowerCase() === lower);
  return key === undefined ? undefined : from[key];
}

function object(value: unknown, what: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed(what, 'is not an object');
  return value as Json;
}

function text(value: unknown, what: string): string {
  if (value === null || value === undefined) return '';
  if (typeof value !== 'string') throw malformed(what, 'is not a string');
  return value;
}

function textMap(value: unknown, what: string): Record<string, string> {
  if (value === null || value === undefined) return {};
  const entries = Object.entries(object(value, what));
  return Object.fromEntries(entries.map(([key, item]) => [key, text(item, what)]));
}

function list<T>(value: unknown, what: string, decode: (item: unknown) => T): T[] {
  if (value === null || value === undefined) return [];
  if (!Array.isArray(value)) throw malformed(what, 'is not an array');
  return value.map(decode);
}

function malformed(what: string, how: string): MicroError {
  return new MicroError('malformed', `nats registry: ${what} ${how}`);
}
