import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type NodeRecord, serviceRecord } from '@ts-micro/core';
import { connectNats } from '@ts-micro/nats';
import { startNatsServer } from '@ts-micro/testkit/nats';
import { startChaosProxy } from '@ts-micro/testkit/server';
import { expect, test } from 'vitest';
import { type NatsRegistryOptions, natsRegistry } from '../src/index.ts';

const greeter = serviceRecord({ name: 'greeter', version: '1', nodes: [{ id: 'a', address: 'a' }] });

/** With a connection of its own, as another process has. */
const registryOn = (servers: string, options: NatsRegistryOptions = {}) =>
  natsRegistry({ servers, name: randomUUID(), ...options });

test.each([
  ['every node', {}],
  ['a node', { quorum: 1 }],
])('a lookup of %s finds it though the server rests for longer than a lookup takes', async (_, options) => {
  await using server = await startNatsServer();
  await using proxy = await startChaosProxy({ target: server.address });
  await using host = registryOn(proxy.url);
  await using seeker = registryOn(server.url, { queryTimeoutMs: 200 });
  await host.register(greeter);
  expect(await seeker.getService('greeter')).toHaveLength(1);
  proxy.delay(40);
  server.suspend();
  const lookup = seeker.getService('greeter', options);
  await sleep(450);
  server.resume();
  expect(await lookup).toHaveLength(1);
});

test('a lookup finds what is registered though the server is farther than a lookup has time', async () => {
  await using server = await startNatsServer();
  await using proxy = await startChaosProxy({ target: server.address });
  await using host = registryOn(proxy.url);
  await using seeker = registryOn(proxy.url, { queryTimeoutMs: 200 });
  await host.register(greeter);
  expect(await seeker.getService('greeter')).toHaveLength(1);
  proxy.delay(125);
  expect(await seeker.getService('greeter')).toHaveLength(1);
});

test('a lookup of an unknown name ends also where the server stays slow', async () => {
  await using server = await startNatsServer();
  await using proxy = await startChaosProxy({ target: server.address });
  await using host = registryOn(server.url);
  await using seeker = registryOn(proxy.url, { queryTimeoutMs: 200 });
  await host.register(greeter);
  expect(await seeker.getService('other')).toEqual([]);
  proxy.delay(100);
  const beganAt = performance.now();
  expect(await seeker.getService('other')).toEqual([]);
  const tookMs = performance.now() - beganAt;
  expect(tookMs).toBeGreaterThan(600);
  expect(tookMs).toBeLessThan(4000);
});

test('a lookup rejects with unavailable where the server says nothing', async () => {
  await using server = await startNatsServer();
  await using host = registryOn(server.url);
  await using seeker = registryOn(server.url, { queryTimeoutMs: 100 });
  await host.register(greeter);
  expect(await seeker.getService('greeter')).toHaveLength(1);
  server.suspend();
  const lookup = expect(seeker.getService('greeter')).rejects.toMatchObject({ code: 'unavailable', retrySafe: true });
  await lookup.finally(() => server.resume());
});

test('who asks the same in one turn shares a question, and each gets an answer of its own, in its own time', async () => {
  await using server = await startNatsServer();
  await using connection = await connectNats({ servers: server.url });
  const questions: string[] = [];
  const tap = connection.subscribe('micro.nats.query', { onMessage: ({ data }) => questions.push(data.toString()) });
  await tap.confirm();
  await using host = registryOn(server.url);
  await using seeker = registryOn(server.url);
  await host.register(greeter);
  expect(await seeker.getService('greeter')).toHaveLength(1);
  questions.length = 0;
  const ending = new AbortController();
  const canceled = seeker.getService('greeter', { signal: ending.signal });
  const lookups = Array.from({ length: 20 }, (_, index) =>
    seeker.getService('greeter', index % 2 === 0 ? {} : { quorum: 1 }),
  );
  const all = seeker.listServices();
  ending.abort();
  await expect(canceled).rejects.toMatchObject({ code: 'canceled' });
  const [first, ...others] = await Promise.all(lookups);
  (first?.[0]?.nodes[0] as { -readonly [Key in keyof NodeRecord]: NodeRecord[Key] }).address = 'changed';
  for (const found of others) expect(found).toEqual([greeter]);
  expect(await all).toEqual([greeter]);
  await connection.flush();
  expect(questions).toHaveLength(2);
});

test('who asks later does not share a question, as its answer may be older', async () => {
  await using server = await startNatsServer();
  await using host = registryOn(server.url);
  await using seeker = registryOn(server.url, { quietMs: 1000, queryTimeoutMs: 2000 });
  await host.register(greeter);
  const earlier = seeker.getService('greeter');
  await seeker.getService('greeter', { quorum: 1 });
  const other = serviceRecord({ name: 'greeter', version: '1', nodes: [{ id: 'b', address: 'b' }] });
  await host.register(other);
  const [later] = await seeker.getService('greeter', { quorum: 2 });
  expect(later?.nodes).toHaveLength(2);
  await earlier;
});

test('closing the registry rejects a lookup whose question has not left, and leaves nothing behind', async () => {
  await using server = await startNatsServer();
  await using connection = await connectNats({ servers: server.url });
  await connection.flush();
  const before = await server.counts();
  const registry = natsRegistry({ connection });
  await registry.register(greeter);
  const lookup = expect(registry.getService('greeter')).rejects.toMatchObject({ code: 'closed' });
  await registry.close();
  await lookup;
  await connection.flush();
  expect(await server.counts()).toEqual(before);
});
