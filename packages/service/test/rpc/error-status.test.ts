import type { ErrorCode } from '@ts-micro/core';
import { expect, test } from 'vitest';
import { codeOfStatus, statusOfCode } from '../../src/rpc/error-status.ts';

// Complete by its type: a new code does not compile until it stands here.
const statuses: Readonly<Record<ErrorCode, number>> = {
  invalid: 400,
  malformed: 400,
  unauthorized: 401,
  not_found: 404,
  timeout: 504,
  conflict: 409,
  too_large: 413,
  canceled: 499,
  internal: 500,
  remote: 500,
  unsupported: 501,
  unavailable: 503,
  closed: 503,
};

test.each(Object.entries(statuses) as [ErrorCode, number][])('%s goes out as %i', (code, status) => {
  expect(statusOfCode(code)).toBe(status);
});

test.each([
  [400, 'invalid'],
  [401, 'unauthorized'],
  [403, 'unauthorized'],
  [404, 'not_found'],
  [408, 'timeout'],
  [409, 'conflict'],
  [413, 'too_large'],
  [499, 'canceled'],
  [500, 'internal'],
  [501, 'unsupported'],
  [503, 'unavailable'],
  [504, 'timeout'],
] as const)('%i comes in as %s', (status, code) => {
  expect(codeOfStatus(status)).toBe(code);
});

test.each([0, 200, 418, 502, -1, Number.NaN])('%d stands for no code', (status) => {
  expect(codeOfStatus(status)).toBeUndefined();
});
