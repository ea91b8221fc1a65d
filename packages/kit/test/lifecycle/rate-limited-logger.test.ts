import { type LogFields, type Logger, silentLogger } from '@ts-micro/core';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { RateLimitedLogger } from '../../src/index.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

type Line = readonly [level: keyof Logger, message: string, fields: LogFields | undefined];

function recording(): { readonly logger: Logger; readonly lines: Line[] } {
  const lines: Line[] = [];
  const at = (level: keyof Logger) => (message: string, fields?: LogFields) =>
    void lines.push([level, message, fields]);
  return { logger: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }, lines };
}

test('of a flood of lines the first is told at once, and one a second with the number of those left out', () => {
  const { logger, lines } = recording();
  const calm = new RateLimitedLogger(logger);
  for (let i = 0; i < 1000; i++) calm.warn('bad message', { i });
  expect(lines).toEqual([['warn', 'bad message', { i: 0 }]]);
  vi.advanceTimersByTime(1000);
  expect(lines.splice(0)).toEqual([
    ['warn', 'bad message', { i: 0 }],
    ['warn', 'bad message', { i: 999, leftOut: 998 }],
  ]);
  for (let i = 0; i < 30; i++) {
    calm.warn('bad message', { i });
    vi.advanceTimersByTime(100);
  }
  expect(lines.map(([, , fields]) => fields?.leftOut)).toEqual([9, 9, 9]);
});

test('a line now and then is told as it is, and no timer stays behind it', () => {
  const { logger, lines } = recording();
  const calm = new RateLimitedLogger(logger);
  for (let i = 0; i < 3; i++) {
    calm.debug('bad message', { i });
    vi.advanceTimersByTime(1000);
  }
  expect(lines.map(([, , fields]) => fields)).toEqual([{ i: 0 }, { i: 1 }, { i: 2 }]);
  expect(vi.getTimerCount()).toBe(0);
});

test('different messages and levels do not hold each other back', () => {
  const { logger, lines } = recording();
  const calm = new RateLimitedLogger(logger);
  calm.info('one thing');
  calm.info('another thing');
  calm.error('one thing');
  expect(lines.map(([level, message]) => `${level}: ${message}`)).toEqual([
    'info: one thing',
    'info: another thing',
    'error: one thing',
  ]);
});

test('the end tells what is held back, and holds nothing back after it', () => {
  const { logger, lines } = recording();
  const calm = new RateLimitedLogger(logger);
  for (let i = 0; i < 3; i++) calm.warn('bad message', { i });
  calm.end();
  expect(lines.splice(0)).toEqual([
    ['warn', 'bad message', { i: 0 }],
    ['warn', 'bad message', { i: 2, leftOut: 1 }],
  ]);
  expect(vi.getTimerCount()).toBe(0);
  calm.warn('bad message', { i: 3 });
  calm.warn('bad message', { i: 4 });
  expect(lines).toHaveLength(2);
  expect(vi.getTimerCount()).toBe(0);
});

test('where nobody listens there is no timer', () => {
  new RateLimitedLogger(silentLogger).warn('bad message');
  expect(vi.getTimerCount()).toBe(0);
});
