import { type Registry, serviceRecord } from '@ts-micro/core';
import { memoryNetwork, memoryRegistry } from '@ts-micro/memory';
import { expect, test } from 'vitest';

const bound = () => ({ signal: AbortSignal.timeout(10_000) });
const nodeAt = (address: string) => serviceRecord({ name: 'greeter', version: '1', nodes: [{ id: 'same', address }] });
const [here, there] = [nodeAt('here'), nodeAt('there')];

function openTwo(): readonly [first: Registry, second: Registry] {
  const network = memoryNetwork();
  return [memoryRegistry({ network }), memoryRegistry({ network })];
}

test('two processes with one node id are one node, and who registers last says what it is', async () => {
  const [first, second] = openTwo();
  await using watcher = await first.watch({ service: 'greeter' });
  await watcher.receive(bound());
  await first.register(here);
  await second.register(there);
  expect(await watcher.receive(bound())).toEqual({ type: 'create', service: here });
  expect(await watcher.receive(bound())).toEqual({ type: 'update', service: there });
  expect(await first.getService('greeter')).toEqual([there]);
  await Promise.all([first.close(), second.close()]);
});

test('of two processes with one node id, what one withdraws comes back with the next registration of the other', async () => {
  const [first, second] = openTwo();
  await first.register(here);
  await second.register(there);
  await second.deregister(there);
  expect(await first.getService('greeter')).toEqual([]);
  await first.register(here);
  expect(await first.getService('greeter')).toEqual([here]);
  // It is the first one's now, so the second takes nothing along.
  await second.close();
  expect(await first.getService('greeter')).toEqual([here]);
  await first.close();
});

test('deregistering twice succeeds, and is announced once', async () => {
  const [first, second] = openTwo();
  await first.register(here);
  await using watcher = await second.watch({ service: 'greeter' });
  await watcher.receive(bound());
  await first.deregister(here);
  await first.deregister(here);
  await second.deregister(here);
  await first.register(here);
  const types = [(await watcher.receive(bound()))?.type, (await watcher.receive(bound()))?.type];
  expect(types).toEqual(['delete', 'create']);
  await Promise.all([first.close(), second.close()]);
});
