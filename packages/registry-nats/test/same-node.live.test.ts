import { randomUUID } from 'node:crypto';
import { serviceRecord } from '@ts-micro/core';
import { startNatsServer } from '@ts-micro/testkit/nats';
import { expect, test } from 'vitest';
import { natsRegistry } from '../src/index.ts';

const bound = () => ({ signal: AbortSignal.timeout(10_000) });
const nodeAt = (address: string) => serviceRecord({ name: 'greeter', version: '1', nodes: [{ id: 'same', address }] });

async function openThree() {
  const server = await startNatsServer();
  const open = () => natsRegistry({ servers: server.url, name: randomUUID() });
  const [first, second, seeker] = [open(), open(), open()] as const;
  return {
    first,
    second,
    seeker,
    async [Symbol.asyncDispose]() {
      await Promise.all([first.close(), second.close(), seeker.close()]);
      await server[Symbol.asyncDispose]();
    },
  };
}

test('two processes with one node id are one node: watchers have what was announced last, a lookup gives it once', async () => {
  await using world = await openThree();
  const { first, second, seeker } = world;
  await using watcher = await seeker.watch({ service: 'greeter' });
  await watcher.receive(bound());
  const [here, there] = [nodeAt('here'), nodeAt('there')];
  await first.register(here);
  expect(await watcher.receive(bound())).toEqual({ type: 'create', service: here });
  await second.register(there);
  expect(await watcher.receive(bound())).toEqual({ type: 'update', service: there });
  const found = await seeker.getService('greeter');
  expect([[here], [there]]).toContainEqual(found);
});

test('of two processes with one node id, what one withdraws comes back with the next registration of the other', async () => {
  await using world = await openThree();
  const { first, second, seeker } = world;
  const [here, there] = [nodeAt('here'), nodeAt('there')];
  await first.register(here);
  await second.register(there);
  await using watcher = await seeker.watch({ service: 'greeter' });
  await watcher.receive(bound());
  await second.deregister(there);
  expect(await watcher.receive(bound())).toMatchObject({ type: 'delete', service: { nodes: [{ id: 'same' }] } });
  expect(await seeker.getService('greeter')).toEqual([here]);
  await first.register(here);
  expect(await watcher.receive(bound())).toEqual({ type: 'create', service: here });
});

test('deregistering twice succeeds, and is announced once', async () => {
  await using world = await openThree();
  const { first, seeker } = world;
  await first.register(nodeAt('here'));
  await using watcher = await seeker.watch({ service: 'greeter' });
  await watcher.receive(bound());
  await first.deregister(nodeAt('here'));
  await first.deregister(nodeAt('here'));
  await first.register(nodeAt('here'));
  const types = [(await watcher.receive(bound()))?.type, (await watcher.receive(bound()))?.type];
  expect(types).toEqual(['delete', 'create']);
});
