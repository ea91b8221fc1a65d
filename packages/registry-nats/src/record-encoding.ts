import type { EndpointRecord, NodeRecord, ServiceRecord, ValueRecord } from '@ts-micro/core';

// Keys in the order of Go Micro from v4.10.2 on, every key always there: a Go watcher decodes into one and the same object, so a key
// left out would keep the value of another service.

const encoder = new TextEncoder();

/** What goes to the watch subjects when nodes join or renew. (Go Micro: a `Result` with action `create`.) */
export function encodeCreate(service: ServiceRecord): Uint8Array {
  return encode({ Service: goService(service, service.endpoints.map(goEndpoint)), Action: 'create' });
}

/** What goes to the watch subjects when nodes leave. A Go peer takes a record without nodes for the whole version. */
export function encodeDelete({ name, version, nodes }: ServiceRecord): Uint8Array {
  const leaving = nodes.map(({ id, address }) => ({ metadata: null, id, address }));
  return encode({
    Service: { name, version, metadata: null, endpoints: null, nodes: orNull(leaving) },
    Action: 'delete',
  });
}

/** What goes to the reply subject of a query: the bare record. */
export function encodeAnswer(service: ServiceRecord): Uint8Array {
  return encode(goService(service, orNull(service.endpoints.map(goEndpoint))));
}

/** Asks who hosts `name`. */
export function encodeGet(name: string): Uint8Array {
  return encode({ Service: { name, version: '', metadata: null, endpoints: null, nodes: null }, Action: 'get' });
}

/** Asks for every record. */
export function encodeList(): Uint8Array {
  return encode({ Service: null, Action: 'list' });
}

function encode(value: object): Uint8Array {
  return encoder.encode(JSON.stringify(value));
}

function goService(service: ServiceRecord, endpoints: readonly object[] | null): object {
  const { name, version, metadata, nodes } = service;
  const hasMetadata = Object.keys(metadata).length > 0;
  return {
    name,
    version,
    metadata: hasMetadata ? sorted(metadata) : null,
    endpoints,
    nodes: orNull(nodes.map(goNode)),
  };
}

function goNode({ metadata, id, address }: NodeRecord): object {
  return { metadata: sorted(metadata), id, address };
}

function goEndpoint({ request, response, metadata, name }: EndpointRecord): object {
  return {
    request: request ? goValue(request) : null,
    response: response ? goValue(response) : null,
    metadata: sorted(metadata),
    name,
  };
}

function goValue({ name, type, values }: ValueRecord): object {
  return { name, type, values: orNull(values.map(goValue)) };
}

function orNull<T>(list: readonly T[]): readonly T[] | null {
  return list.length > 0 ? list : null;
}

function sorted(map: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)));
}
