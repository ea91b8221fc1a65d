import { MicroError } from '@ts-micro/core';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { OutageBuffer } from '../../src/index.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

const bufferOf = (limits: Partial<{ maxBufferedBytes: number; maxBufferedMs: number }> = {}) =>
  new OutageBuffer({ who: 'bus broker', maxBufferedBytes: 10_000, maxBufferedMs: 1000, ...limits });

const messageTo = (written: string[], topic: string, size = 10) => ({
  topic,
  size,
  write: () => void written.push(topic),
});

test('what waits is written in its order, and each publish resolves', async () => {
  const written: string[] = [];
  const buffer = bufferOf();
  const waits = ['a', 'b', 'c'].map((topic) => buffer.add(messageTo(written, topic)));
  expect(buffer.size).toBe(3);
  buffer.writeAll();
  await Promise.all(waits);
  expect([written, buffer.size]).toEqual([['a', 'b', 'c'], 0]);
});

test('what finds the connection lost again waits on, in its order', async () => {
  const written: string[] = [];
  const buffer = bufferOf();
  let isLost = true;
  const first = buffer.add({
    topic: 'a',
    size: 1,
    write: () => {
      if (isLost) throw new MicroError('unavailable', 'lost again');
      written.push('a');
    },
  });
  const second = buffer.add(messageTo(written, 'b'));
  buffer.writeAll();
  expect([written, buffer.size]).toEqual([[], 2]);
  isLost = false;
  buffer.writeAll();
  await Promise.all([first, second]);
  expect(written).toEqual(['a', 'b']);
});

test('one that can never be written is refused alone', async () => {
  const written: string[] = [];
  const buffer = bufferOf();
  const tooLarge = buffer.add({
    topic: 'a',
    size: 1,
    write: () => {
      throw new MicroError('too_large', 'more than the server takes');
    },
  });
  const other = buffer.add(messageTo(written, 'b'));
  buffer.writeAll();
  await expect(tooLarge).rejects.toMatchObject({ code: 'too_large' });
  await other;
  expect(written).toEqual(['b']);
});

test('one that waits too long is refused, and says how long', async () => {
  const written: string[] = [];
  const buffer = bufferOf();
  const early = expect(buffer.add(messageTo(written, 'a'))).rejects.toMatchObject({
    code: 'unavailable',
    retrySafe: true,
    message: 'bus broker: publishing on "a": not connected for 1000 ms',
  });
  await vi.advanceTimersByTimeAsync(600);
  const late = buffer.add(messageTo(written, 'b'));
  await vi.advanceTimersByTimeAsync(500);
  await early;
  expect(buffer.size).toBe(1);
  buffer.writeAll();
  await late;
  expect(written).toEqual(['b']);
});

test('beyond its bytes it refuses at once, and has room again after', async () => {
  const written: string[] = [];
  const buffer = bufferOf({ maxBufferedBytes: 1100 });
  const waiting = buffer.add(messageTo(written, 'a', 100));
  expect(() => buffer.add(messageTo(written, 'b', 100))).toThrow(
    'bus broker: publishing on "b": not connected, and 1 messages wait',
  );
  buffer.writeAll();
  await waiting;
  const next = buffer.add(messageTo(written, 'c', 100));
  buffer.writeAll();
  await next;
  expect(written).toEqual(['a', 'c']);
});

test('a signal takes its message back, and nothing of it is written', async () => {
  const written: string[] = [];
  const buffer = bufferOf();
  const leaving = new AbortController();
  const left = buffer.add(messageTo(written, 'a'), { signal: leaving.signal });
  const stays = buffer.add(messageTo(written, 'b'));
  leaving.abort();
  await expect(left).rejects.toMatchObject({ code: 'canceled' });
  buffer.writeAll();
  await stays;
  expect(written).toEqual(['b']);
});

test('where the last one leaves by its signal no timer stays', async () => {
  const buffer = bufferOf();
  const left = expect(buffer.add(messageTo([], 'a'), { signal: AbortSignal.timeout(0) })).rejects.toThrow();
  await vi.waitFor(() => expect(buffer.size).toBe(0));
  await left;
  expect(vi.getTimerCount()).toBe(0);
});

test('closing refuses all that waits', async () => {
  const buffer = bufferOf();
  const waits = ['a', 'b'].map((topic) =>
    expect(buffer.add(messageTo([], topic))).rejects.toThrow(`"${topic}": it closes`),
  );
  buffer.refuseAll('it closes');
  await Promise.all(waits);
  expect(buffer.size).toBe(0);
});
