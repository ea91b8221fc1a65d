import type { NodeRecord, ServiceRecord, ValueRecord } from '@ts-micro/core';

// What an object or a string takes beside its content, roughly.
const overhead = 48;

/** About how many bytes of memory a record takes. */
export function recordBytes(record: ServiceRecord): number {
  return factsBytes(record) + record.nodes.reduce((sum, node) => sum + nodeBytes(node), 0);
}

/** The same for one node. */
export function nodeBytes({ id, address, metadata }: NodeRecord): number {
  return 2 * overhead + id.length + address.length + mapBytes(metadata);
}

/** The same for all of a record but its nodes. */
export function factsBytes({ name, version, metadata, endpoints }: Omit<ServiceRecord, 'nodes'>): number {
  let sum = 2 * overhead + name.length + version.length + mapBytes(metadata);
  for (const endpoint of endpoints)
    sum +=
      endpoint.name.length + valueBytes(endpoint.request) + valueBytes(endpoint.response) + mapBytes(endpoint.metadata);
  return sum;
}

function valueBytes(value: ValueRecord | undefined): number {
  if (value === undefined) return 0;
  return value.values.reduce((sum, item) => sum + valueBytes(item), overhead + value.name.length + value.type.length);
}

function mapBytes(map: Readonly<Record<string, string>>): number {
  let sum = overhead;
  for (const key in map) sum += overhead + key.length + (map[key]?.length ?? 0);
  return sum;
}
