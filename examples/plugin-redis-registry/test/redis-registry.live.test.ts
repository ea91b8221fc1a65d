import { createClient } from '@redis/client';
import { getPlugin, serviceRecord } from '@ts-micro/core';
import { startRedisServer } from '@ts-micro-examples/redis-server';
import { afterAll, expect, test } from 'vitest';
import '../src/register.ts';
import { redisRegistry } from '../src/redis-registry.ts';

const server = await startRedisServer();
const url = `redis://${server.address}`;
const redis = createClient({ url });
await redis.connect();
afterAll(async () => {
  await redis.close();
  await server[Symbol.asyncDispose]();
});

const node = (id: string) => ({ id, address: `at-${id}` });

test('a message that somebody else publishes changes nothing', async () => {
  await using registry = redisRegistry({ url });
  await using watcher = await registry.watch({ service: 'shared' });
  const record = serviceRecord({ name: 'shared', nodes: [node('a')] });
  for (const text of ['', '{', 'null', '{"put":{}}', '{"drop":1}']) await redis.publish('{micro}:changes', text);
  await registry.register(record);
  expect(await watcher.receive()).toEqual({ type: 'resync', services: [] });
  expect(await watcher.receive()).toEqual({ type: 'create', service: record });
});

test('what was registered with different metadata has the one that changed last, renewals aside', async () => {
  await using first = redisRegistry({ url });
  await using second = redisRegistry({ url });
  const record = (id: string) => serviceRecord({ name: 'mixed', metadata: { from: id }, nodes: [node(id)] });
  await first.register(record('a'), { ttlMs: 60_000 });
  await second.register(record('b'), { ttlMs: 60_000 });
  await first.register(record('a'), { ttlMs: 60_000 });
  expect(await second.getService('mixed')).toMatchObject([{ metadata: { from: 'b' }, nodes: [node('a'), node('b')] }]);
});

test('a node whose process died long ago is removed for good', async () => {
  await using registry = redisRegistry({ url });
  const record = serviceRecord({ name: 'gone', nodes: [node('a')] });
  const entry = { owner: 'dead', changedAt: 1, endsAt: 2, record };
  await redis.hSet('{micro}:nodes', '["gone","","a"]', JSON.stringify(entry));
  expect(await registry.getService('gone')).toEqual([]);
  expect(await redis.hExists('{micro}:nodes', '["gone","","a"]')).toBe(0);
});

test('closing leaves what another has registered since', async () => {
  await using second = redisRegistry({ url });
  const record = serviceRecord({ name: 'moved', nodes: [node('a')] });
  const first = redisRegistry({ url });
  await first.register(record);
  await second.register(record);
  await first.close();
  expect(await second.getService('moved')).toEqual([record]);
});

test('by name it takes the first address', async () => {
  await using registry = getPlugin('registry', 'redis')({ addresses: [url] });
  expect(await registry.getService('nobody')).toEqual([]);
  expect(registry.name).toBe('redis');
});
