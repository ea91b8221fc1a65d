import { headers as newHeaders3 } from '@nats-io/transport-node';
import { MicroError } from '@ts-micro/core';
import { decodeHeaders, encodeHeaders } from '@ts-micro/nats';
import { headers as newHeaders2 } from 'nats';
import { describe, expect, test } from 'vitest';
import { thrownBy } from './thrown-by.ts';

describe('encodeHeaders', () => {
  test('writes what the client of either generation writes', () => {
    const headers = { 'Micro-ID': '7', empty: '', unicode: 'ü' };
    for (const theirs of [newHeaders2(), newHeaders3()]) {
      for (const [name, value] of Object.entries(headers)) theirs.append(name, value);
      const expected = (theirs as unknown as { encode(): Uint8Array }).encode();
      expect(Buffer.from(encodeHeaders(headers)).toString()).toBe(Buffer.from(expected).toString());
    }
  });

  test('writes values as UTF-8', () => {
    expect(Buffer.from(encodeHeaders({ a: 'ü' })).toString()).toBe('NATS/1.0\r\na: ü\r\n\r\n');
  });

  test('writes frozen headers once, and those with a status anew', () => {
    const headers = Object.freeze({ a: 'b' });
    expect(encodeHeaders(headers)).toEqual(encodeHeaders({ a: 'b' }));
    expect(encodeHeaders(headers)).toBe(encodeHeaders(headers));
    expect(Buffer.from(encodeHeaders(headers, 503)).toString()).toBe('NATS/1.0 503\r\na: b\r\n\r\n');
  });

  for (const [name, value] of [
    ['a:b', 'x'],
    ['a b', 'x'],
    ['', 'x'],
    ['ü', 'x'],
    ['a', 'x\r\nb: y'],
    ['a', 'x\n'],
    ['a', 7 as unknown as string],
  ] as const) {
    test(`refuses ${JSON.stringify({ [name]: value })}`, () => {
      expect(
        MicroError.is(
          thrownBy(() => encodeHeaders({ [name]: value })),
          'invalid',
        ),
      ).toBe(true);
    });
  }
});

describe('decodeHeaders', () => {
  test('reads the headers of either generation, the first of several values', () => {
    for (const theirs of [newHeaders2(), newHeaders3()]) {
      theirs.append('a', '1');
      theirs.append('a', '2');
      theirs.append('__proto__', 'p');
      theirs.append('empty', '');
      const headers = decodeHeaders(theirs);
      expect(Object.entries(headers)).toEqual([
        ['a', '1'],
        ['__proto__', 'p'],
        ['empty', ''],
      ]);
      expect(Object.getPrototypeOf(headers)).toBe(Object.prototype);
    }
  });

  test('gives none where there are none', () => {
    expect(decodeHeaders(undefined)).toEqual({});
  });
});
