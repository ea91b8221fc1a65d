import { type ServiceRecord, serviceRecord } from '@ts-micro/core';
import { expect, test } from 'vitest';
import { RecordWatcher, ServiceTable } from '../../src/index.ts';

const owner = {};

function greeter(ids: readonly string[], init: Partial<ServiceRecord> = {}): ServiceRecord {
  return serviceRecord({
    name: 'greeter',
    version: '1',
    nodes: ids.map((id) => ({ id, address: `at-${id}` })),
    ...init,
  });
}

function watch(table: ServiceTable): RecordWatcher {
  const known = () => table.list();
  const watcher: RecordWatcher = new RecordWatcher({ what: 'test', known, stop: () => table.unwatch(watcher) });
  table.watch(watcher);
  return watcher;
}

test('nodes of one version are one record, and what changed last speaks for it', () => {
  const table = new ServiceTable();
  table.register(greeter(['a'], { metadata: { from: 'a' } }), undefined, owner);
  table.register(greeter(['b'], { metadata: { from: 'b' } }), undefined, owner);
  table.register(greeter(['a'], { metadata: { from: 'a' } }), undefined, owner);
  expect(table.list('greeter')).toEqual([greeter(['a', 'b'], { metadata: { from: 'b' } })]);
  table.deregister(greeter(['b']));
  expect(table.list()).toEqual([greeter(['a'], { metadata: { from: 'a' } })]);
});

test('watchers hear of what changed and of nothing else', async () => {
  const table = new ServiceTable();
  await using watcher = watch(table);
  expect(await watcher.receive()).toEqual({ type: 'resync', services: [] });
  table.register(greeter(['a'], { metadata: { x: '1', y: '2' } }), undefined, owner);
  table.register(greeter(['a'], { metadata: { y: '2', x: '1' } }), undefined, owner);
  table.register(greeter(['b']));
  table.release(owner);
  table.deregister(greeter(['b']));
  const types: string[] = [];
  for (let left = 4; left > 0; left--) types.push((await watcher.receive())?.type ?? 'end');
  expect(types).toEqual(['create', 'update', 'update', 'delete']);
});

test('a lease that runs out takes its node', async () => {
  const table = new ServiceTable();
  table.register(greeter(['a']), undefined, owner);
  table.register(greeter(['b']), 30);
  await using watcher = watch(table);
  expect(await watcher.receive()).toMatchObject({ type: 'resync' });
  const signal = AbortSignal.timeout(5000);
  expect(await watcher.receive({ signal })).toEqual({ type: 'update', service: greeter(['a']) });
  expect(table.list()).toEqual([greeter(['a'])]);
});

test('muted it tells nothing, and everything once afterwards', async () => {
  const table = new ServiceTable();
  await using watcher = watch(table);
  await watcher.receive();
  table.mute();
  table.register(greeter(['a']), undefined, owner);
  table.unmute();
  expect(await watcher.receive()).toEqual({ type: 'resync', services: [greeter(['a'])] });
});
