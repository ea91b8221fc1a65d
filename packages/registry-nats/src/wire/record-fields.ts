import type { EndpointRecord, NodeRecord, ServiceRecord, ValueRecord } from '@ts-micro/core';
import { type Field, list, name, shape, text, textMap } from './field.ts';

// The one place that says what of a record goes over the wire. A new field has its line here, beside its line in
// core's `serviceRecord`. The order is Go Micro's from v4.10.2 on. Every key is always there: a Go watcher decodes
// into one and the same object, so a key that is left out would keep the value of another service.

const value: Field<ValueRecord> = shape(() => ({ name: text, type: text, values: list(value) }));
const noValue: ValueRecord = { name: '', type: '', values: [] };

/**
 * A shape that may be missing. Go's own command line dereferences the one of a request, so it is never written as
 * null.
 */
const optionalValue: Field<ValueRecord | undefined> = {
  decode(from, what, depth) {
    if (from === null || from === undefined) return undefined;
    const decoded = value.decode(from, what, depth);
    return decoded.name === '' && decoded.type === '' && decoded.values.length === 0 ? undefined : decoded;
  },
  encode: (shaped) => value.encode(shaped ?? noValue),
};

const plainEndpoint = shape<EndpointRecord>(() => ({
  request: optionalValue,
  response: optionalValue,
  metadata: textMap,
  name: text,
}));

const endpoint: Field<EndpointRecord> = {
  ...plainEndpoint,
  encode(record) {
    const encoded = plainEndpoint.encode(record) as object;
    // A subscriber answers nothing, and Go says so by null.
    const isSubscriber = record.metadata.subscriber === 'true' && record.response === undefined;
    return isSubscriber ? { ...encoded, response: null } : encoded;
  },
};

const node: Field<NodeRecord> = shape(() => ({ metadata: textMap, id: name, address: text }));

/** Like {@link textMap}, and null where it is empty. */
const optionalMap: typeof textMap = {
  ...textMap,
  encode: (map) => (Object.keys(map).length > 0 ? textMap.encode(map) : null),
};

export const service: Field<ServiceRecord> = shape(() => ({
  name,
  version: text,
  metadata: optionalMap,
  endpoints: list(endpoint),
  nodes: list(node),
}));
