import { getPlugin } from '@ts-micro/core';
import { expect, test } from 'vitest';
import '../src/register.ts';
import { kafkaBroker } from '../src/index.ts';

const message = { headers: {}, body: new Uint8Array() };

test.each([
  [{ servers: 'amqp://a' }, 'servers'],
  [{ dialect: 'other' as 'go' }, 'dialect'],
  [{ keyHeader: '' }, 'keyHeader'],
  [{ requestTimeoutMs: 0 }, 'requestTimeoutMs'],
  [{ sessionTimeoutMs: -1 }, 'sessionTimeoutMs'],
  [{ closeTimeoutMs: Number.NaN }, 'closeTimeoutMs'],
])('options %j are invalid, and the message names %s', (options, name) => {
  const expected = { code: 'invalid', message: expect.stringContaining(name) };
  expect(() => kafkaBroker(options)).toThrow(expect.objectContaining(expected));
});

test.each(['a b', 'a/b', 'ä', 'a'.repeat(250), ''])('a topic %j is invalid', async (topic) => {
  await using broker = kafkaBroker();
  await expect(broker.publish(topic, message)).rejects.toMatchObject({ code: 'invalid' });
  await expect(broker.subscribe(topic, () => {})).rejects.toMatchObject({ code: 'invalid' });
});

test('what Kafka cannot do is unsupported', async () => {
  await using broker = kafkaBroker();
  const unsupported = { code: 'unsupported' };
  await expect(broker.subscribe('a.*', () => {})).rejects.toMatchObject(unsupported);
  await expect(broker.subscribe('a', () => {}, { queue: 'q', durable: true })).rejects.toMatchObject(unsupported);
  await expect(broker.publish('a', message, { id: '1' })).rejects.toMatchObject(unsupported);
});

test('a server that is not there is unavailable', async () => {
  await using broker = getPlugin('broker', 'kafka')({ addresses: ['127.0.0.1:1'] });
  await expect(broker.publish('a', message)).rejects.toMatchObject({ code: 'unavailable' });
  await expect(broker.connect()).rejects.toMatchObject({ code: 'unavailable' });
  expect(broker.isConnected).toBe(false);
});
