import { MicroError } from '@ts-micro/core';
import { marker } from '@ts-micro-tools/malformed';
import { expect, test } from 'vitest';
import { type FuzzTarget, fuzz } from '../src/index.ts';

const samples = [new Uint8Array(Buffer.from('{"a":[1,2]}')), new Uint8Array(Buffer.from(`{"${marker}":1}`))];
const parsed = (payload: Uint8Array): unknown => {
  try {
    return JSON.parse(Buffer.from(payload).toString());
  } catch {
    throw new MicroError('malformed', 'it is no JSON');
  }
};

test('a decoder that refuses what it cannot read passes', () => {
  expect(() => fuzz({ name: 'sound', samples, decode: parsed })).not.toThrow();
});

test.each<[string, FuzzTarget['decode'], RegExp]>([
  ['reads a number as NaN', (payload) => ({ number: payload.length > 20 ? Number.NaN : 1 }), /NaN/],
  ['throws what is no MicroError', (payload) => JSON.parse(Buffer.from(payload).toString()), /JSON/],
  ['makes much of little', (payload) => (payload[0] === 0xff ? new Uint8Array(2 ** 20) : 0), /bytes become 1048576/],
  [
    'repeats a payload in its error',
    (payload) => {
      throw new MicroError('malformed', Buffer.from(payload).toString());
    },
    /repeats the payload/,
  ],
  [
    'takes a prototype of the payload',
    (payload) => Object.assign(Object.create({}), inherited(parsed(payload))),
    /prot/,
  ],
])('one that %s is found, and the payload is shown', (_, decode, why) => {
  expect(() => fuzz({ name: 'faulty', samples, decode })).toThrow(why);
  expect(() => fuzz({ name: 'faulty', samples, decode })).toThrow(/: [0-9a-f]+$/);
});

function inherited(value: unknown): { child: unknown } {
  return { child: typeof value === 'object' ? Object.create(value) : undefined };
}
