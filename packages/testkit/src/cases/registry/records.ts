import assert from 'node:assert/strict';
import { type Registry, type ServiceRecord, type ServiceRecordInit, serviceRecord } from '@ts-micro/core';
import type { CaseContext } from '../../case-context.ts';

export type RegistryContext = CaseContext<'registry'>;

/** A record of `name` with these nodes, as small as it can be. */
export function simple(name: string, version: string, ...ids: string[]): ServiceRecord {
  return serviceRecord({
    name,
    version,
    // An address is what a transport can dial, so it has no spaces, unlike an id.
    nodes: ids.map((id) => ({ id, address: `address-of-${id.replaceAll(' ', '-')}`, metadata: { protocol: 'mucp' } })),
  });
}

/** A record with everything a record can have. */
export function complete(name: string, ids: readonly string[] = ['one', 'two']): ServiceRecord {
  const value = (depth: number): NonNullable<NonNullable<ServiceRecordInit['endpoints']>[number]['request']> => ({
    name: `value${depth}`,
    type: depth === 0 ? 'string' : 'Nested',
    values: depth === 0 ? [] : [value(depth - 1), value(0)],
  });
  return serviceRecord({
    name,
    version: '1.2.3-beta+žluť',
    metadata: { team: 'orders', unicode: '鯨 🐋', empty: '' },
    endpoints: [
      { name: 'Greeter.Hello', request: value(3), response: value(1), metadata: { stream: 'false', empty: '' } },
      { name: 'orders.created', metadata: { subscriber: 'true' } },
    ],
    nodes: ids.map((id) => ({ id, address: `127.0.0.1:${id}`, metadata: { protocol: 'mucp', zone: 'žluť' } })),
  });
}

export async function register(
  context: RegistryContext,
  registry: Registry,
  record: ServiceRecord,
  ttlMs?: number,
): Promise<void> {
  const registering = registry.register(record, ttlMs === undefined ? {} : { ttlMs });
  await context.within(registering, `registering ${record.name} ${record.version}`);
}

export async function deregister(context: RegistryContext, registry: Registry, record: ServiceRecord): Promise<void> {
  await context.within(registry.deregister(record), `deregistering ${record.name} ${record.version}`);
}

export function lookUp(context: RegistryContext, registry: Registry, name: string): Promise<readonly ServiceRecord[]> {
  return context.within(registry.getService(name), `looking up ${name}`);
}

/** Waits until a lookup gives exactly these records. */
export async function sees(
  context: RegistryContext,
  registry: Registry,
  name: string,
  ...records: readonly ServiceRecord[]
): Promise<void> {
  await context.eventually(`${name} as registered`, async () => {
    assertRecords(await lookUp(context, registry, name), records, `what is known of ${name}`);
  });
}

/** Fails unless both are the same records, in any order of records and nodes. */
export function assertRecords(
  actual: readonly ServiceRecord[],
  expected: readonly ServiceRecord[],
  what: string,
): void {
  assert.deepEqual(actual.map(plain).sort(byName), expected.map(plain).sort(byName), what);
}

/** The ids of every node in these records, sorted. */
export function nodeIds(records: readonly ServiceRecord[]): string[] {
  return records.flatMap(({ nodes }) => nodes.map(({ id }) => id)).sort();
}

/** Changes everything that lets itself be changed. */
export function spoil(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    if (typeof inner === 'object') spoil(inner);
    else Reflect.set(value, key, 'spoilt');
  }
  if (Object.isFrozen(value)) return;
  if (Array.isArray(value)) value.length = 0;
  else Reflect.set(value, 'spoilt', 'yes');
}

// Through JSON, so that a field that is undefined and one that is not there are the same; as pairs, for names like
// `__proto__`.
function plain(record: ServiceRecord): { key: string; text: unknown } {
  const sorted = { ...record, nodes: [...record.nodes].sort((a, b) => (a.id < b.id ? -1 : 1)) };
  const text = JSON.stringify(sorted, (key, value: unknown) =>
    key === 'metadata' ? Object.entries(value as object).sort(([a], [b]) => (a < b ? -1 : 1)) : value,
  );
  return { key: `${record.name} ${record.version}`, text: sortKeys(JSON.parse(text)) };
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== 'object' || value === null) return value;
  const pairs = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(pairs.map(([key, inner]) => [key, sortKeys(inner)]));
}

function byName(a: { key: string }, b: { key: string }): number {
  return a.key < b.key ? -1 : 1;
}
