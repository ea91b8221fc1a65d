import '../src/register.ts';
import { getPlugin } from '@ts-micro/core';
import { expect, test } from 'vitest';
import { type NatsBrokerOptions, natsBroker } from '../src/index.ts';

const wrong: readonly (readonly [string, NatsBrokerOptions])[] = [
  ['dialect', { dialect: 'json' as 'native' }],
  ['maxPendingMessages', { maxPendingMessages: 0 }],
  ['maxPendingBytes', { maxPendingBytes: 0 }],
  ['closeTimeoutMs', { closeTimeoutMs: 2 ** 31 }],
];

test.each(wrong)('a wrong option %s is refused with invalid, by name', (name, options) => {
  expect(() => natsBroker(options)).toThrow(
    expect.objectContaining({ code: 'invalid', message: expect.stringContaining(`option ${name}`) }),
  );
});

test('without an option it is at the default server', async () => {
  await using broker = natsBroker();
  expect(broker.name).toBe('nats');
  expect(broker.address).toBe('127.0.0.1:4222');
  expect(broker.options).toEqual({
    addresses: ['127.0.0.1:4222'],
    dialect: 'go',
    outage: 'refuse',
    maxBufferedBytes: 8 * 1024 * 1024,
    maxBufferedMs: 30_000,
    maxPendingMessages: 65_536,
    maxPendingBytes: 67_108_864,
    closeTimeoutMs: 10_000,
  });
});

test.each([['a:4222,b:4223'], [['nats://a:4222', 'b:4223']]])('servers %j are its addresses', async (servers) => {
  await using broker = natsBroker({ servers });
  expect([...broker.options.addresses].sort()).toEqual(['a:4222', 'b:4223']);
});

test('the plugin catalogue makes it from addresses', async () => {
  await using broker = getPlugin('broker', 'nats')({ addresses: ['a:4222'] });
  expect(broker.options.addresses).toEqual(['a:4222']);
  await using withDefaults = getPlugin('broker', 'nats')({});
  expect(withDefaults.address).toBe('127.0.0.1:4222');
});

test('no server is unavailable, safe to retry', async () => {
  await using broker = natsBroker({ servers: '127.0.0.1:1', connectTimeoutMs: 1000 });
  await expect(broker.connect()).rejects.toMatchObject({ code: 'unavailable' });
  await expect(broker.subscribe('events', () => {})).rejects.toMatchObject({ code: 'unavailable' });
  await expect(broker.publish('events', { headers: {}, body: new Uint8Array() })).rejects.toMatchObject({
    code: 'unavailable',
  });
});

test.each(['a b', '', 'a..b', 'a.*', '>'])('the topic %j cannot be published on', async (topic) => {
  await using broker = natsBroker({ servers: '127.0.0.1:1' });
  await expect(broker.publish(topic, { headers: {}, body: new Uint8Array() })).rejects.toMatchObject({
    code: 'invalid',
  });
});

test.each([0, -1, 1.5, Number.NaN])('the concurrency %d is refused with invalid', async (concurrency) => {
  await using broker = natsBroker({ servers: '127.0.0.1:1' });
  await expect(broker.subscribe('events', () => {}, { concurrency })).rejects.toMatchObject({ code: 'invalid' });
});
