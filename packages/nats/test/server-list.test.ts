import { inspect } from 'node:util';
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
    ['nats://a:1, u:p@a:1 , tls://a:1,', ['a:1', 'a:1']],
    ['BÜCHER.example:1', ['xn--bcher-kva.example:1']],
    ['127.1, 2130706433:1', ['127.0.0.1:4222', '127.0.0.1:1']],
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

  test('demands TLS of an address wherever one of its entries does', () => {
    const servers = parseServers('nats://a, tls://u:p@a, nats://b', 'nats');
    expect(servers.map(({ address, isTls, user }) => [address, isTls, user])).toEqual([
      ['a:4222', true, undefined],
      ['a:4222', true, 'u'],
      ['b:4222', false, undefined],
    ]);
  });

  for (const server of [
    'ws://a:4222',
    'wss://a',
    'http://a',
    'a:b',
    'a:99999',
    'a:0',
    'a:',
    ':4222',
    'a b',
    'nats://',
    '%zz:1',
    '256.256.256.256:4222',
  ]) {
    test(`refuses ${server}`, () => {
      const error = thrownBy(() => parseServers(server, 'nats'));
      expect(MicroError.is(error, 'invalid')).toBe(true);
      expect(String(error)).toContain(server);
    });
  }

  for (const [server, shown] of [
    ['NATS//hunter2', 'NATS***'],
    ['nats://a/hunter2', 'nats://a***'],
    ['nats://a:4222?token=hunter2', 'nats://a***'],
    ['nats://a#hunter2', 'nats://a***'],
    ['a:1:2:hunter2', 'a***'],
    ['ann:hunter2', 'ann***'],
    ['nats://ann:hunter2', 'nats://ann***'],
  ] as const) {
    test(`refuses ${server} and shows no more of it than may be seen`, () => {
      const error = thrownBy(() => parseServers(server, 'nats'));
      expect(error).toMatchObject({ code: 'invalid', message: expect.stringContaining(JSON.stringify(shown)) });
      expect(inspect(error)).not.toContain('hunter2');
    });
  }

  // As it is, and percent-encoded.
  for (const password of [
    'plain',
    'p@ssw0rd',
    '100%sure',
    'half/slash',
    'hash#tag',
    'what?now',
    'co:lon',
    'com,ma',
    '1,2',
    'a, b,c',
    'spa ce',
    'grüße',
    'x&y=z+1',
    '[brack]et',
  ]) {
    test(`reads the password ${password}`, () => {
      for (const text of [password, encodeURIComponent(password)]) {
        for (const server of [`app:${text}@a:1`, `nats://app:${text}@a:1`, `NATS://app:${text}@A:1`]) {
          const read = { address: 'a:1', isTls: false, user: 'app', password };
          expect(parseServers(server, 'nats')).toEqual([read]);
          const list = parseServers(`b:2,${server} , nats://u:p@c:3`, 'nats');
          expect(list.map(({ address }) => address)).toEqual(['b:2', 'a:1', 'c:3']);
          expect(list[1]).toEqual(read);
        }
      }
    });
  }

  test('names a bad server without its credentials', () => {
    for (const server of [
      'http://ann:hunter2@a',
      'nats://ann:hunter2@a:0',
      'ann:hunter2@a:x',
      'nats://ann:hunter2@b c:4222',
      'nats://a@b:hunter2@h:x',
      '"nats://ann:hunter2@a"',
      'nats://ann:%hunter2@a:x',
      'nats://ann:x,hunter2@a:x',
    ]) {
      const error = thrownBy(() => parseServers(server, 'nats'));
      expect(MicroError.is(error, 'invalid')).toBe(true);
      expect(inspect(error)).not.toContain('hunter2');
    }
  });

  test('says how to connect by WebSocket', () => {
    expect(thrownBy(() => parseServers('WSS://a:443', 'nats'))).toMatchObject({
      code: 'invalid',
      message: expect.stringContaining('{ connection }'),
    });
  });

  test('refuses what is not a text', () => {
    for (const servers of [[7], 7, null, [null], [undefined], new URL('nats://a')]) {
      const error = thrownBy(() => parseServers(servers as unknown as string, 'nats'));
      expect(error).toMatchObject({ code: 'invalid' });
    }
  });
});
