import { createClient } from '@redis/client';
import { type BrokerEvent, getPlugin, type MicroError } from '@ts-micro/core';
import { afterAll, expect, test } from 'vitest';
import '../src/register.ts';
import { startRedisServer } from '@ts-micro-examples/redis-server';
import { redisBroker } from '../src/redis-broker.ts';

const server = await startRedisServer();
const url = `redis://${server.address}`;
afterAll(() => server[Symbol.asyncDispose]());

const message = { headers: {}, body: new Uint8Array() };

test('signs that mean something in a glob of Redis are plain letters in a pattern', async () => {
  await using broker = redisBroker({ url });
  const topics: string[] = [];
  await broker.subscribe('[a-z]?\\.*', ({ topic }) => void topics.push(topic));
  for (const topic of ['bx\\.1', 'b?\\.1', '[a-z]?\\.1', '[a-z]?\\.1.2', '[a-z]?\\.2'])
    await broker.publish(topic, message);
  await expect.poll(() => topics).toEqual(['[a-z]?\\.1', '[a-z]?\\.2']);
});

test('what somebody else publishes is reported as malformed and stops nothing', async () => {
  await using broker = redisBroker({ url });
  const redis = await createClient({ url }).connect();
  const errors: MicroError[] = [];
  const events: BrokerEvent[] = [];
  await broker.subscribe('shared', (event) => void events.push(event), { onError: (error) => void errors.push(error) });
  for (const text of ['', 'no line break', '{}\n', 'null\n']) await redis.publish('shared', text);
  await redis.close();
  await broker.publish('shared', message);
  await expect.poll(() => events).toEqual([{ topic: 'shared', message }]);
  expect(errors.map(({ code }) => code)).toEqual(['malformed', 'malformed', 'malformed', 'malformed']);
});

test('a server that is not there is unavailable at once', async () => {
  await using broker = redisBroker({ url: 'redis://127.0.0.1:1' });
  await expect(broker.connect()).rejects.toMatchObject({ code: 'unavailable' });
  await expect(broker.publish('a', message)).rejects.toMatchObject({ code: 'unavailable' });
});

test('a password that is wrong is unauthorized', async () => {
  await using broker = redisBroker({ url: `redis://somebody:wrong@${server.address}` });
  await expect(broker.connect()).rejects.toMatchObject({ code: 'unauthorized' });
  expect(broker.address).toBe(server.address);
});

test.each(['', 'nats://127.0.0.1', 'redis://['])('a url %j is invalid', (wrong) => {
  expect(() => redisBroker({ url: wrong })).toThrow(expect.objectContaining({ code: 'invalid' }));
});

test('by name it takes the first address', async () => {
  await using broker = getPlugin('broker', 'redis')({ addresses: [url] });
  await broker.connect();
  expect(broker).toMatchObject({ name: 'redis', address: server.address });
});

test('a subscriber that closes during an outage is not subscribed again after it', async () => {
  await using outage = await startRedisServer();
  await using broker = redisBroker({ url: `redis://${outage.address}` });
  const closed = await broker.subscribe('a', () => {});
  await broker.subscribe('b', () => {});
  await outage.kill();
  await closed.close();
  await outage.restart();
  const witness = await createClient({ url: `redis://${outage.address}` }).connect();
  await expect.poll(() => witness.pubSubChannels()).toEqual(['b']);
  await witness.close();
});
