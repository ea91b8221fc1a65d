import { expect, test } from 'vitest';
import { checkServiceName, checkTtl } from '../../src/index.ts';

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
  for (const name of ['', undefined, 1]) {
    expect(() => checkServiceName(name as string, 'registry')).toThrow(expect.objectContaining({ code: 'invalid' }));
  }
});
