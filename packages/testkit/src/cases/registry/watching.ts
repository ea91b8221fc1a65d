import assert from 'node:assert/strict';
import type { Registry, RegistryEvent, ServiceRecord, Watcher } from '@ts-micro/core';
import { assertRecords, nodeIds, type RegistryContext } from './records.ts';

export function watch(context: RegistryContext, registry: Registry, service?: string): Promise<Watcher> {
  return context.within(registry.watch(service === undefined ? {} : { service }), 'watch');
}

/** The next event; fails where the stream ends. */
export async function next(context: RegistryContext, watcher: Watcher, what: string): Promise<RegistryEvent> {
  const event = await context.within(watcher.receive(), what);
  assert.ok(event, `${what}: the watcher ended`);
  return event;
}

/**
 * The next event that concerns this service: where a server is shared, a watcher of everything hears of others as
 * well.
 */
export async function nextOf(
  context: RegistryContext,
  watcher: Watcher,
  service: string,
  what: string,
): Promise<RegistryEvent> {
  for (;;) {
    const event = await next(context, watcher, what);
    if (event.type === 'resync' || event.service.name === service) return event;
  }
}

/** Opens a watcher of one service and takes its first `resync`, which must hold these records. */
export async function watchFrom(
  context: RegistryContext,
  registry: Registry,
  service: string,
  ...records: readonly ServiceRecord[]
): Promise<Watcher> {
  const watcher = await watch(context, registry, service);
  const event = await next(context, watcher, 'the first resync');
  assert.equal(event.type, 'resync', 'the first event');
  assertRecords(event.type === 'resync' ? event.services : [], records, 'the first resync');
  return watcher;
}

/** The next event must be this change. For `delete` the version and its last nodes count, the rest is as it was. */
export async function announces(
  context: RegistryContext,
  watcher: Watcher,
  type: 'create' | 'update' | 'delete',
  record: ServiceRecord,
): Promise<void> {
  const what = `the ${type} of ${record.name} ${record.version}`;
  const event = await next(context, watcher, what);
  if (event.type === 'resync' || event.type !== type) assert.fail(`${what}: ${JSON.stringify(event)}`);
  if (type !== 'delete') {
    assertRecords([event.service], [record], what);
    return;
  }
  assert.equal(event.service.name, record.name, what);
  assert.equal(event.service.version, record.version, what);
  assert.deepEqual(nodeIds([event.service]), nodeIds([record]), `${what}: the nodes it had last`);
}
