import { getPlugin } from '@ts-micro/core';
import { expect, test } from 'vitest';
import '../src/register.ts';
import { rabbitmqTransport } from '../src/index.ts';

test.each([
  [{ servers: 'http://a' }, 'servers'],
  [{ servers: 'amqp://a', tls: true }, 'servers'],
  [{ tls: { key: '/nowhere/key.pem' } }, 'tls.key'],
  [{ vhost: '' }, 'vhost'],
  [{ connectTimeoutMs: 0 }, 'connectTimeoutMs'],
  [{ closeTimeoutMs: -1 }, 'closeTimeoutMs'],
])('options %j are invalid, and the message names %s', (options, name) => {
  const expected = { code: 'invalid', message: expect.stringContaining(name) };
  expect(() => rabbitmqTransport(options)).toThrow(expect.objectContaining(expected));
});

test('no message of an error shows a password', () => {
  expect(() => rabbitmqTransport({ servers: 'amqp://me:secret@a,b://c' })).toThrow(/^(?!.*secret)/);
});

test.each(['', 'a b', 'a.*', '#', 'amq.a', 'a'.repeat(201)])('an address %j is invalid', async (address) => {
  await using transport = rabbitmqTransport();
  await expect(transport.dial(address)).rejects.toMatchObject({ code: 'invalid' });
  await expect(transport.listen(address)).rejects.toMatchObject({ code: 'invalid' });
});

test('a server that is not there is unavailable at once, safe to retry', async () => {
  await using transport = getPlugin('transport', 'rabbitmq')({ addresses: ['127.0.0.1:1'] });
  await expect(transport.dial('a')).rejects.toMatchObject({ code: 'unavailable', retrySafe: true });
  await expect(transport.listen()).rejects.toMatchObject({ code: 'unavailable', retrySafe: true });
});
