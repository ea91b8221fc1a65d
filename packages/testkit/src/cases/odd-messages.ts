import type { Message } from '@ts-micro/core';
import { message } from '../assertions.ts';

const everyByte = Uint8Array.from({ length: 256 }, (_, index) => index);

/** All 256 bytes, bytes that are no UTF-8, in the middle of a larger buffer, and headers of both cases. */
export function rawMessage(): Message {
  const buffer = Uint8Array.from([1, 2, 3, ...everyByte, 0xc3, 0x28, 0xff, 0xfe, 0, 0, 1, 2, 3]);
  return message(buffer.subarray(3, -3), {
    'Content-Type': 'application/octet-stream',
    'Micro-Topic': 'orders',
  });
}

/** Values that are empty, unicode or look like syntax; names that differ by case only. */
export function oddHeaders(): Message {
  return message('odd headers', {
    empty: '',
    unicode: 'žluťoučký \u2028 鯨 🐋',
    quotes: '"a" \\ {"b":1} <&> %20 \'',
    inner: 'two  spaces\tand a tab',
    'Mixed-Case': 'upper',
    'mixed-case': 'lower',
    "!#$%&'*+-.^_`|~": 'every sign a token may hold',
    '0': 'a number for a name',
  });
}

/** As many headers as fit into 4 KiB. */
export function manyHeaders(): Message {
  const headers = Array.from({ length: 100 }, (_, index) => [`Header-${index}`, `value ${index}`] as const);
  return message('many headers', Object.fromEntries(headers));
}

/** Names that are members of `Object.prototype`. */
export function prototypeHeaders(): Message {
  const headers = Object.fromEntries([
    ['__proto__', 'plain'],
    ['constructor', 'plain too'],
    ['toString', 'as well'],
    ['hasOwnProperty', 'even so'],
  ]);
  return message('prototype headers', headers);
}

export function emptyMessage(): Message {
  return message('', {});
}

/** `size` bytes that do not repeat soon, with 3 KiB of headers. */
export function largeMessage(size: number): Message {
  const body = new Uint8Array(size);
  for (let index = 0; index < size; index++) body[index] = (index * 31 + (index >> 8)) & 0xff;
  const headers = Array.from({ length: 8 }, (_, index) => [`Large-${index}`, 'x'.repeat(370)] as const);
  return message(body, Object.fromEntries(headers));
}

/** Headers that nobody may send, with what is wrong about them. */
export const badHeaders: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ['an empty name', { '': 'x' }],
  ['a space in a name', { 'a b': 'x' }],
  ['a colon in a name', { 'a:b': 'x' }],
  ['a name that is not ASCII', { ž: 'x' }],
  ['a line break in a name', { 'a\r\nb': 'x' }],
  ['CR LF in a value', { a: 'x\r\nb: y' }],
  ['LF in a value', { a: 'x\ny' }],
  ['CR in a value', { a: 'x\ry' }],
  ['NUL in a value', { a: 'x\0y' }],
  ['a leading space in a value', { a: ' x' }],
  ['a trailing tab in a value', { a: 'x\t' }],
  ['a value that is a number', { a: 1 as unknown as string }],
  ['a value that is undefined', { a: undefined as unknown as string }],
];
