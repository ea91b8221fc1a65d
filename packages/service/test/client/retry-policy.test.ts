import { MicroError } from '@ts-micro/core';
import { describe, expect, it } from 'vitest';
import { RetryBudget } from '../../src/client/retry/retry-budget.ts';
import {
  finalError,
  isAboutTime,
  isCostly,
  isRetryable,
  isStale,
  pauseAfter,
} from '../../src/client/retry/retry-policy.ts';

const remote = { id: 'greeter', code: 503, detail: 'no', status: '' };
const safe = new MicroError('unavailable', 'nobody listens', { retrySafe: true });
const unsafe = new MicroError('unavailable', 'the link broke');
const refused = new MicroError('unavailable', 'overloaded', { retrySafe: true, remote });
const timeout = new MicroError('timeout', 'no answer');
const answered = new MicroError('remote', 'no', { remote });

describe('a retry', () => {
  it.each([
    [safe, false, true],
    [refused, false, true],
    [unsafe, false, false],
    [unsafe, true, true],
    [timeout, false, false],
    [timeout, true, true],
    [answered, true, false],
    [new MicroError('canceled', 'no', { retrySafe: true }), true, false],
  ])('after %s, idempotent %s, follows: %s', (error, isIdempotent, expected) => {
    expect(isRetryable(error, isIdempotent)).toBe(expected);
  });

  it.each([
    [safe, 'sending', false],
    [refused, 'waiting', true],
    [timeout, 'waiting', true],
    [timeout, 'choosing', false],
  ] as const)('after %s while %s adds to the load: %s', (error, stage, expected) => {
    expect(isCostly({ stage, isReused: false, isCut: false }, error)).toBe(expected);
  });

  it('is no retry where a reused socket had ended before anything was sent', () => {
    const state = { stage: 'sending', isReused: true, isCut: false } as const;
    expect(isStale(state, safe)).toBe(true);
    expect(isStale(state, new MicroError('closed', 'closed'))).toBe(true);
    expect(isStale(state, unsafe)).toBe(false);
    expect(isStale({ ...state, stage: 'waiting' }, safe)).toBe(false);
    expect(isStale({ ...state, isReused: false }, safe)).toBe(false);
    expect(isStale({ ...state, isCut: true }, safe)).toBe(false);
  });

  it('waits twice as long each time, up to a second, and less by up to a half at random', () => {
    expect([1, 2, 3, 4, 5, 9].map((failures) => pauseAfter(failures, 1))).toEqual([100, 200, 400, 800, 1000, 1000]);
    expect(pauseAfter(1, 0)).toBe(50);
  });
});

describe('an error', () => {
  it('is not safe to retry where any attempt may have run', () => {
    expect(finalError(safe, false)).toBe(safe);
    expect(finalError(unsafe, true)).toBe(unsafe);
    expect(finalError(refused, true)).toMatchObject({ code: 'unavailable', retrySafe: false, remote, cause: refused });
  });

  it.each([
    ['timeout', 504, 5000, true],
    ['remote', 408, 5, true],
    ['remote', 499, 0, true],
    ['remote', 504, 6, false],
    ['remote', 404, 0, false],
  ] as const)(
    '%s with code %i when %i ms are left says that the time is over: %s',
    (code, status, leftMs, expected) => {
      const error = new MicroError(code, 'x', { remote: { ...remote, code: status } });
      expect(isAboutTime(error, leftMs)).toBe(expected);
    },
  );

  it('without the words of a peer says nothing of the time', () => {
    expect(isAboutTime(timeout, 0)).toBe(false);
  });
});

describe('a retry budget', () => {
  it('allows a burst, then a share of the calls, and ten a second', () => {
    const budget = new RetryBudget(0.1, 0);
    const spend = (nowMs: number) => {
      let count = 0;
      while (budget.withdraw(nowMs)) count++;
      return count;
    };
    expect(spend(0)).toBe(100);
    for (let call = 0; call < 1005; call++) budget.deposit();
    expect(spend(0)).toBe(100);
    for (let call = 0; call < 505; call++) budget.deposit();
    expect(spend(0)).toBe(50);
    expect(spend(1000)).toBe(10);
    expect(spend(3_600_000)).toBe(100);
  });
});
