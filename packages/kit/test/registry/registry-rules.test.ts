import { expect, test } from 'vitest';
import { checkRecord, checkServiceName, checkTtl } from '../../src/index.ts';

test.each([undefined, 1, 0.5, Number.MAX_VALUE])('a lease may be %s', (ttlMs) => {
  checkTtl(ttlMs, 'registry');
});

test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY, '1'])('a lease may not be %s', (ttlMs) => {
  expect(() => checkTtl(ttlMs as number, 'registry')).toThrow(
    expect.objectContaining({ code: 'invalid', message: `registry: ttlMs is ${ttlMs}, not a positive number` }),
  );
});

test('a service has a name', () => {
  checkServiceName('__proto__', 'registry');
  for (const name of ['', undefined, 1, 5n, Symbol('a'), {}]) {
    expect(() => checkServiceName(name as string, 'registry')).toThrow(expect.objectContaining({ code: 'invalid' }));
  }
});

const cyclic = { name: 'value', type: 'Value', values: [] as unknown[] };
cyclic.values.push(cyclic);
const endpoint = { name: 'A.B', request: cyclic, metadata: {} };

test.each([
  ['null', null],
  ['undefined', undefined],
  ['a number', 5],
  ['with an endpoint that is a number', { name: 'a', endpoints: [5] }],
  ['with a version that is a number', { name: 'a', version: 5 }],
  ['with a node id that is a number', { name: 'a', nodes: [{ id: 5, address: 'a' }] }],
  ['with an address that is a number', { name: 'a', nodes: [{ id: 'a', address: 5 }] }],
  ['with a shape that holds itself', { name: 'a', endpoints: [endpoint] }],
  [
    'a getter that throws',
    {
      get name() {
        throw new RangeError('a');
      },
    },
  ],
])('a record that is %s is refused with `invalid`', (_, record) => {
  expect(() => checkRecord(record as never, 'registry')).toThrow(expect.objectContaining({ code: 'invalid' }));
});
