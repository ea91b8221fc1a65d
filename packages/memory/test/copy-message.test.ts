import { expect, test } from 'vitest';
import { copyMessage } from '../src/copy-message.ts';

test.each([
  ['a Uint8Array', (bytes: number[]) => Uint8Array.from(bytes)],
  ['a Buffer', (bytes: number[]) => Buffer.from(bytes)],
  ['a part of a larger buffer', (bytes: number[]) => Uint8Array.from([9, ...bytes, 9]).subarray(1, -1)],
])('a copy shares nothing with its message: %s', (_, make) => {
  const message = { headers: JSON.parse('{"__proto__":"kept"}') as Record<string, string>, body: make([1, 2, 3]) };
  const copy = copyMessage(message);
  message.body[0] = 7;
  message.headers.added = 'later';
  expect(Object.entries(copy.headers)).toEqual([['__proto__', 'kept']]);
  expect([...copy.body]).toEqual([1, 2, 3]);
  expect(copy.body.buffer).not.toBe(message.body.buffer);
});

test('a body whose buffer was transferred is refused with `invalid`', () => {
  const body = new Uint8Array(4);
  structuredClone(body.buffer, { transfer: [body.buffer] });
  expect(() => copyMessage({ headers: {}, body })).toThrow(expect.objectContaining({ code: 'invalid' }));
});
