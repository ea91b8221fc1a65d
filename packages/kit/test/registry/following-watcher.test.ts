import { type ServiceRecord, serviceRecord } from '@ts-micro/core';
import { expect, test } from 'vitest';
import { FollowingWatcher, LeaseTable } from '../../src/index.ts';

function greeter(...ids: string[]): ServiceRecord {
  return serviceRecord({ name: 'greeter', nodes: ids.map((id) => ({ id, address: `at-${id}` })) });
}

function tableOf(...records: readonly ServiceRecord[]): LeaseTable {
  const table = new LeaseTable();
  for (const record of records) table.put(record);
  return table;
}

const watcherOf = () => new FollowingWatcher({ what: 'test watcher', service: 'greeter', stop: () => {} });

test('it begins with what it loads, and goes on with changes', async () => {
  await using watcher = watcherOf();
  await watcher.load(async () => tableOf(greeter('a'), serviceRecord({ name: 'other' })));
  watcher.follow((table) => table.put(greeter('b')));
  watcher.follow((table) => table.put(greeter('b')));
  watcher.follow((table) => table.remove(greeter('a', 'b')));
  expect(await watcher.receive()).toEqual({ type: 'resync', services: [greeter('a')] });
  expect(await watcher.receive()).toEqual({ type: 'update', service: greeter('a', 'b') });
  expect(await watcher.receive()).toEqual({ type: 'delete', service: greeter('a', 'b') });
});

test('a change that comes in while it loads is not lost', async () => {
  await using watcher = watcherOf();
  await watcher.load(async () => {
    watcher.follow((table) => table.put(greeter('b')));
    return tableOf(greeter('a'));
  });
  expect(await watcher.receive()).toEqual({ type: 'resync', services: [greeter('a', 'b')] });
});

test('a load that fails leaves what it knew, and another announces the gap', async () => {
  await using watcher = watcherOf();
  await watcher.load(async () => tableOf(greeter('a')));
  await expect(watcher.load(() => Promise.reject(new Error('gone')))).rejects.toThrow('gone');
  watcher.follow((table) => table.put(greeter('b')));
  await watcher.load(async () => tableOf(greeter('c')));
  const types: unknown[] = [];
  for (let left = 3; left > 0; left--) types.push((await watcher.receive())?.type);
  expect(types).toEqual(['resync', 'update', 'resync']);
});

test('a first load that fails closes it', async () => {
  const watcher = watcherOf();
  await expect(watcher.load(() => Promise.reject(new Error('gone')))).rejects.toThrow('gone');
  expect(await watcher.closed).toBeUndefined();
});

test('closed while it loads it lets go of the leases it was given', async () => {
  const watcher = watcherOf();
  const table = tableOf();
  await watcher.load(async () => {
    await watcher.close();
    table.put(greeter('a'), { ttlMs: 60_000 });
    return table;
  });
  expect(table.list()).toEqual([]);
});
