import { expect, test } from 'vitest';
import { deepEqual } from '../../src/index.ts';

const proto = JSON.parse('{"__proto__":"a"}') as object;

test.each([
  [
    { a: 1, b: [{ c: 'x' }] },
    { b: [{ c: 'x' }], a: 1 },
  ],
  [{ a: undefined }, {}],
  [[], []],
  [JSON.parse('{"__proto__":"a"}'), proto],
])('%j equals %j', (a, b) => {
  expect(deepEqual(a, b)).toBe(true);
  expect(deepEqual(b, a)).toBe(true);
});

test.each([
  [{ a: 1 }, { a: 2 }],
  [{ a: 1 }, { a: 1, b: 1 }],
  [[1, 2], [1]],
  [[], {}],
  [
    ['a', 'b'],
    ['b', 'a'],
  ],
  [{}, null],
  [proto, {}],
  [{ toString: 'x' }, {}],
])('%j differs from %j', (a, b) => {
  expect(deepEqual(a, b)).toBe(false);
  expect(deepEqual(b, a)).toBe(false);
});
