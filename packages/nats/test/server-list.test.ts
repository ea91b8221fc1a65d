import { MicroError } from '@ts-micro/core';
import { parseServers } from '@ts-micro/nats';
import { describe, expect, test } from 'vitest';
import { thrownBy } from './thrown-by.ts';

describe('parseServers', () => {
  for (const [servers, addresses] of [
    [undefined, ['127.0.0.1:4222']],
    ['', ['127.0.0.1:4222']],
    [[], ['127.0.0.1:4222']],
    [' , ', ['127.0.0.1:4222']],
    ['a', ['a:4222']],
    ['A:80', ['a:80']],
    ['nats://a:4223', ['a:4223']],
    ['nats://a:4223/', ['a:4223']],
    [' a:1 , nats://b:2,c ', ['a:1', 'b:2', 'c:4222']],
    [
      ['a:1,b:2', 'tls://c:3'],
      ['a:1', 'b:2', 'c:3'],
    ],
    [['a:1', 'a:1'], ['a:1']],
    ['[::1]:4222', ['[::1]:4222']],
    ['::1', ['[::1]:4222']],
    ['nats://[fe80::1]', ['[fe80::1]:4222']],
    ['nats-0.nats.default.svc:4222', ['nats-0.nats.default.svc:4222']],
    ['my_host:4222', ['my_host:4222']],
  ] as const) {
    test(`reads ${JSON.stringify(servers)}`, () => {
      expect(parseServers(servers, 'nats').map((server) => server.address)).toEqual(addresses);
    });
  }

  test('keeps what a URL says of TLS and credentials', () => {
    expect(parseServers('tls://ann:s%20cret@a, nats://token@b', 'nats')).toEqual([
      { address: 'a:4222', isTls: true, user: 'ann', password: 's cret' },
      { address: 'b:4222', isTls: false, user: 'token', password: undefined },
    ]);
  });

  for (const server of [
    'ws://a:4222',
    'http://a',
    'NATS//a',
    'a:b',
    'a:99999',
    'a:0',
    'a:',
    ':4222',
    'a b',
    'nats://',
    'nats://a/path',
    'nats://a?x=1',
    'nats://a#x',
    'a:1:2:z',
    '%zz:1',
  ]) {
    test(`refuses ${server}`, () => {
      const error = thrownBy(() => parseServers(server, 'nats'));
      expect(MicroError.is(error, 'invalid')).toBe(true);
      expect(String(error)).toContain(server);
    });
  }

  test('names a bad server without its credentials', () => {
    for (const server of ['http://ann:hunter2@a', 'nats://ann:hunter2@a:0', 'ann:hunter2@a:x']) {
      const error = thrownBy(() => parseServers(server, 'nats'));
      expect(MicroError.is(error, 'invalid')).toBe(true);
      expect(String(error)).not.toContain('hunter2');
    }
  });

  test('refuses what is not a text', () => {
    const error = thrownBy(() => parseServers([7 as unknown as string], 'nats'));
    expect(MicroError.is(error, 'invalid')).toBe(true);
  });
});
