import { setImmediate } from 'node:timers/promises';
import { type Logger, silentLogger } from '@ts-micro/core';
import { expect, test } from 'vitest';
import { callSafely, ignoreRejection, ignoreRejectionsIn, safeLogger } from '../../src/index.ts';

const throwing: Logger = {
  debug: () => {
    throw new Error('disk full');
  },
  info: async () => {
    throw new Error('disk full');
  },
  warn: () => {
    throw null;
  },
  error: () => {
    throw new Error('disk full');
  },
};

test('what a logger throws, at once or later, harms nobody', () => {
  const logger = safeLogger(throwing);
  for (const level of ['debug', 'info', 'warn', 'error'] as const) expect(logger[level]('line')).toBeUndefined();
});

test('lines arrive with their fields', () => {
  const lines: unknown[] = [];
  const logger = safeLogger({ ...silentLogger, warn: (message, fields) => lines.push([message, fields]) });
  logger.warn('late', { ms: 3 });
  expect(lines).toEqual([['late', { ms: 3 }]]);
});

test('a logger is wrapped once, and the silent one never', () => {
  expect(safeLogger(throwing)).toBe(safeLogger(safeLogger(throwing)));
  expect(safeLogger(silentLogger)).toBe(silentLogger);
  expect(safeLogger(undefined)).toBe(silentLogger);
});

test('what can be no logger is refused, and null is none', () => {
  for (const logger of [5, 'console', true])
    expect(() => safeLogger(logger as unknown as Logger)).toThrow(`option logger is of type ${typeof logger}`);
  expect(() => safeLogger(null as unknown as Logger).info('hello')).not.toThrow();
});

test('what a logger returns that rejects goes unheard, a promise of its own kind as well', () => {
  const heard: unknown[] = [];
  const then = (...handlers: unknown[]) => void heard.push(...handlers);
  const thenable = Object.defineProperty({}, 'then', { value: then });
  const log = () => thenable as unknown as undefined;
  safeLogger({ debug: log, info: log, warn: log, error: log }).info('hello');
  expect(heard).toEqual([undefined, expect.any(Function)]);
});

test('what a callback throws, or rejects with, is told and harms nobody', async () => {
  const told: unknown[] = [];
  const tell = (error: unknown) => void told.push(error);
  const hostile = Object.defineProperty({}, 'then', {
    get() {
      throw 'getter';
    },
  });
  const throwNow = () => {
    throw 'at once';
  };
  for (const callback of [throwNow, async () => throwNow(), () => hostile, () => 1, () => null])
    expect(callSafely(callback, tell)).toBeUndefined();
  await setImmediate();
  expect(told).toEqual(['at once', 'getter', 'at once']);
});

test('a promise that nobody may wait for is told from other values, and its rejection is dropped', async () => {
  const hostile = new Proxy(
    {},
    {
      get() {
        throw new Error('trap');
      },
    },
  );
  const thenable = (then: unknown) => Object.fromEntries([['then', then]]);
  expect([Promise.reject(new Error('late')), thenable(() => {})].map(ignoreRejection)).toEqual([true, true]);
  expect([undefined, null, 1, {}, thenable(1), hostile].map(ignoreRejection)).toEqual(Array(6).fill(false));
  await setImmediate();
});

test('the rejections of promises anywhere in a value are dropped, whatever the value is', async () => {
  const late = () => Promise.reject(new Error('late'));
  const circle: Record<string, unknown> = { one: late(), list: [late(), { deep: late() }] };
  circle.circle = circle;
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  const getter = Object.defineProperty({}, 'trap', { enumerable: true, get: () => Reflect.get(proxy, 'trap') });
  for (const value of [circle, late(), undefined, null, 'text', 1n, new Uint8Array(9), proxy, getter])
    expect(ignoreRejectionsIn(value)).toBeUndefined();
  await setImmediate();
});
