import { type EndpointRecord, type ServiceRecord, serviceRecord, type ValueRecord } from '@ts-micro/core';

/**
 * Returns a record as Go Micro's stores hold it, the JSON of `registry.Service`: every key is there, as Go writes it.
 */
export function recordToJson({ name, version, metadata, endpoints, nodes }: ServiceRecord): string {
  return JSON.stringify({
    name,
    version,
    metadata: Object.keys(metadata).length > 0 ? metadata : null,
    endpoints: endpoints.map((each) => ({
      request: each.request ?? noValue,
      response: each.response ?? noValue,
      metadata: each.metadata,
      name: each.name,
    })),
    nodes: nodes.map(({ metadata, id, address }) => ({ metadata, id, address })),
  });
}

/** Returns the record of such a text; `undefined` where it is none, because anybody can write into a store. */
export function recordFromJson(text: string): ServiceRecord | undefined {
  try {
    const { name, version, metadata, endpoints, nodes } = JSON.parse(text);
    return serviceRecord({
      name,
      version: textFrom(version),
      metadata: mapFrom(metadata),
      endpoints: listFrom(endpoints).map(endpointFrom),
      nodes: listFrom(nodes).map(({ id, address, metadata }) => ({
        id: textFrom(id),
        address: textFrom(address),
        metadata: mapFrom(metadata),
      })),
    });
  } catch {
    return undefined;
  }
}

const noValue: ValueRecord = { name: '', type: '', values: [] };
const deepest = 64;

function endpointFrom({ name, request, response, metadata }: Record<string, unknown>): EndpointRecord {
  return {
    name: textFrom(name),
    request: valueFrom(request),
    response: valueFrom(response),
    metadata: mapFrom(metadata),
  };
}

function valueFrom(from: unknown, depth = 0): ValueRecord | undefined {
  if (typeof from !== 'object' || from === null || depth > deepest) return undefined;
  const { name, type, values } = from as Record<string, unknown>;
  const inner = listFrom(values).flatMap((each) => valueFrom(each, depth + 1) ?? []);
  const value = { name: textFrom(name), type: textFrom(type), values: inner };
  return depth > 0 || value.name || value.type || inner.length > 0 ? value : undefined;
}

function textFrom(from: unknown): string {
  return typeof from === 'string' ? from : '';
}

function listFrom(from: unknown): readonly Record<string, unknown>[] {
  return Array.isArray(from) ? from.filter((each) => typeof each === 'object' && each !== null) : [];
}

function mapFrom(from: unknown): Record<string, string> {
  const entries = typeof from === 'object' && from !== null ? Object.entries(from) : [];
  return Object.fromEntries(entries.filter(([, value]) => typeof value === 'string'));
}
