import { type LogFields, type Logger, serviceRecord, silentLogger } from '@ts-micro/core';
import { type RegistryStore, StoreRegistry } from '@ts-micro/kit';
import { expect, test } from 'vitest';
import { testRegistry } from '../src/vitest.ts';
import { MapStore } from './map-store.ts';

function open(server: MapStore, logger?: Logger): StoreRegistry {
  const store = server.client(() => void registry.resume());
  const registry = new StoreRegistry({ name: 'map', store, logger });
  return registry;
}

const record = (id: string, from?: string) =>
  serviceRecord({ name: 'greeter', metadata: from ? { from } : {}, nodes: [{ id, address: `at-${id}` }] });

testRegistry({
  name: 'store',
  create() {
    const server = new MapStore();
    return {
      open: () => open(server),
      count: () => ({ clients: server.clients }),
      faults: {
        kill: async () => server.kill(),
        restart: async () => server.restart(),
        async partition(ms) {
          server.cut();
          await new Promise((resolve) => setTimeout(resolve, ms));
          server.restart();
        },
      },
    };
  },
});

test('of different metadata the version has what changed last, renewals aside', async () => {
  const server = new MapStore();
  await using first = open(server);
  await using second = open(server);
  await first.register(record('a', 'a'), { ttlMs: 60_000 });
  await second.register(record('b', 'b'), { ttlMs: 60_000 });
  await first.register(record('a', 'a'), { ttlMs: 60_000 });
  expect(await second.getService('greeter')).toMatchObject([{ metadata: { from: 'b' } }]);
});

test('a node that moves keeps its place, and one that comes back after its lease comes last', async () => {
  const server = new MapStore();
  await using first = open(server);
  await using second = open(server);
  await first.register(record('a', 'a'), { ttlMs: 60_000 });
  await first.register(record('b', 'b'), { ttlMs: 60_000 });
  await second.register(record('a', 'a'), { ttlMs: 60_000 });
  expect(await second.getService('greeter')).toMatchObject([{ metadata: { from: 'b' } }]);
  await first.register(record('b', 'b'), { ttlMs: 1 });
  await expect.poll(() => second.getService('greeter')).toMatchObject([{ nodes: [{ id: 'a' }] }]);
  await second.register(record('c', 'c'));
  await second.register(record('b', 'b'));
  expect(await first.getService('greeter')).toMatchObject([{ metadata: { from: 'b' } }]);
});

test('closing leaves what another has registered since', async () => {
  const server = new MapStore();
  await using second = open(server);
  const first = open(server);
  await first.register(record('a'));
  await second.register(record('a'));
  await first.close();
  expect(await second.getService('greeter')).toEqual([record('a')]);
});

test('a node that is renewed during an outage outlives its lease', async () => {
  const server = new MapStore();
  await using registry = open(server);
  await registry.register(record('a'), { ttlMs: 1 });
  await registry.register(record('b'), { ttlMs: 1 });
  server.kill();
  await expect(registry.register(record('a'), { ttlMs: 60_000 })).rejects.toMatchObject({ code: 'unavailable' });
  await expect(registry.register(record('c'))).rejects.toMatchObject({ code: 'unavailable' });
  const renewedAt = performance.now();
  await expect.poll(() => performance.now()).toBeGreaterThan(renewedAt + 1);
  server.restart();
  await expect.poll(() => registry.getService('greeter')).toEqual([record('a')]);
});

test('what cannot be put back at first is put back later', async () => {
  const server = new MapStore();
  await using registry = open(server);
  await registry.register(record('a'));
  server.kill();
  await registry.resume();
  server.restart({ isSilent: true });
  await expect.poll(() => server.texts.size, { timeout: 5000 }).toBe(1);
});

test('what died long ago is removed for good, and what is no node is left alone', async () => {
  const server = new MapStore();
  await using registry = open(server);
  const name = '["greeter","","a"]';
  const endsAt = performance.now() - 2 * 86_400_000;
  server.texts.set(name, JSON.stringify({ owner: 'dead', changedAt: endsAt - 1, endsAt, record: record('a') }));
  const noTime = JSON.stringify({ record: record('a') });
  const noLease = JSON.stringify({ changedAt: 1, endsAt: null, record: record('a') });
  const others = ['', '{', 'null', '{}', '{"changedAt":1,"record":{}}', noTime, noLease];
  for (const text of others) server.texts.set(`other ${text}`, text);
  expect(await registry.listServices()).toEqual([]);
  expect(server.texts.has(name)).toBe(false);
  expect(server.texts.size).toBe(others.length);
  await registry.register(record('b'));
  expect(await registry.listServices()).toEqual([record('b')]);
});

test('a message of somebody else changes nothing and is told', async () => {
  const server = new MapStore();
  const lines: [string, LogFields | undefined][] = [];
  const logger = { ...silentLogger, warn: (text: string, fields?: LogFields) => void lines.push([text, fields]) };
  await using registry = open(server, logger);
  await using watcher = await registry.watch();
  for (const text of ['', '{', 'null', '{"put":{}}', '{"drop":1}', '{"put":{"name":"a"},"ttlMs":"1"}'])
    server.publish(text);
  await registry.register(record('a'));
  expect(await watcher.receive()).toEqual({ type: 'resync', services: [] });
  expect(await watcher.receive()).toEqual({ type: 'create', service: record('a') });
  expect(lines).toEqual([['map registry: malformed message ignored', { error: expect.any(Error) }]]);
});

test('closing during an outage is a plain close', async () => {
  const server = new MapStore();
  const registry = open(server);
  await registry.register(record('a'));
  server.kill();
  await registry.close();
  expect(await registry.closed).toBeUndefined();
});

test('what is registered while it closes is not left behind', async () => {
  const server = new MapStore();
  const registry = open(server);
  await registry.register(record('a'));
  const registering = registry.register(record('b'));
  await registry.close();
  await expect(registering).rejects.toMatchObject({ code: 'closed' });
  expect(server.texts.size).toBe(0);
});

test('a store that never answers does not hold up a close', async () => {
  const server = new MapStore();
  const client = server.client(() => {});
  let isDeaf = false;
  const store: RegistryStore = {
    ...client,
    read: (options) => (isDeaf ? new Promise(() => {}) : client.read(options)),
  };
  const registry = new StoreRegistry({ name: 'map', store, closeTimeoutMs: 10 });
  await registry.register(record('a'));
  isDeaf = true;
  await registry.close();
  expect(await registry.closed).toMatchObject({ code: 'timeout' });
  expect(server.clients).toBe(0);
});
