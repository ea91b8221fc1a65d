import { serviceRecord } from '@ts-micro/core';
import { expect, test } from 'vitest';
import { etcdRegistry } from '../src/index.ts';

test.each([
  [{ servers: 'ftp://a' }, 'servers'],
  [{ servers: ['http://a', 'https://b'] }, 'servers'],
  [{ servers: 'http://a', tls: true }, 'servers'],
  [{ tls: { ca: '/nowhere/ca.pem' } }, 'tls.ca'],
  [{ prefix: '' }, 'prefix'],
  [{ requestTimeoutMs: 0 }, 'requestTimeoutMs'],
  [{ pingIntervalMs: -1 }, 'pingIntervalMs'],
])('options %j are invalid, and the message names %s', (options, name) => {
  const expected = { code: 'invalid', message: expect.stringContaining(name) };
  expect(() => etcdRegistry(options)).toThrow(expect.objectContaining(expected));
});

test('a server that is not there is unavailable at once', async () => {
  await using registry = etcdRegistry({ servers: '127.0.0.1:1' });
  const record = serviceRecord({ name: 'greeter', nodes: [{ id: 'a', address: 'b' }] });
  const unavailable = { code: 'unavailable', message: expect.stringContaining('127.0.0.1:1') };
  await expect(registry.getService('greeter')).rejects.toMatchObject(unavailable);
  await expect(registry.register(record)).rejects.toMatchObject(unavailable);
  await expect(registry.watch()).rejects.toMatchObject(unavailable);
});
