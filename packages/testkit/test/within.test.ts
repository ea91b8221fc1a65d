import { expect, test } from 'vitest';
import { Inbox } from '../src/inbox.ts';
import { eventually, until, within, withinProgress } from '../src/within.ts';

const never = new Promise<never>(() => {});

test('a wait gives what it waited for, and ends at its bound', async () => {
  await expect(within(Promise.resolve(7), 'seven', 1000)).resolves.toBe(7);
  await expect(within(never, 'nothing', 20)).rejects.toThrow('nothing: still waiting after 20 ms');
});

test('a wait goes on while something happens, and not for ever', async () => {
  const bounds = { ms: 20, quietMs: 50, longestMs: 60_000 };
  let rounds = 0;
  let lastMs = performance.now();
  const busy = new Promise<string>((resolve) => {
    const turn = setInterval(() => {
      lastMs = performance.now();
      if (++rounds < 20) return;
      clearInterval(turn);
      resolve('done');
    }, 5);
  });
  await expect(withinProgress(busy, 'work', { ...bounds, lastMs: () => lastMs })).resolves.toBe('done');
  const silent = { ...bounds, lastMs: () => 0 };
  await expect(withinProgress(never, 'nothing', silent)).rejects.toThrow('nothing: still waiting after 20 ms');
  const endless = { ...bounds, longestMs: 100, lastMs: () => performance.now() };
  await expect(withinProgress(never, 'endless', endless)).rejects.toThrow('endless: still waiting after 20 ms');
});

test('until asks again, and what is thrown ends it at once', async () => {
  let count = 0;
  await until('three', () => ++count === 3, 1000);
  expect(count).toBe(3);
  await expect(until('never', () => false, 20)).rejects.toThrow('never: not so after 20 ms');
  await expect(until('stuck', () => never, 20)).rejects.toThrow('stuck: still waiting after 20 ms');
  const thrown = () => {
    count++;
    throw new Error('final');
  };
  await expect(until('thrown', thrown, 1000)).rejects.toThrow('final');
  expect(count).toBe(4);
});

test('eventually tries again what throws, and rejects with what was thrown last', async () => {
  let count = 0;
  await eventually(
    'three',
    () => {
      if (++count < 3) throw new Error(`only ${count}`);
    },
    1000,
  );
  expect(count).toBe(3);
  await expect(eventually('never', () => Promise.reject(new Error('not yet')), 20)).rejects.toThrow('not yet');
});

test('an inbox gives each item once, those that come later too, and says how many came', async () => {
  const inbox = new Inbox<string>('letters', 1000);
  inbox.put('a');
  const taken = [inbox.take(), inbox.take(), inbox.take()];
  inbox.put('b');
  setImmediate(() => inbox.put('c'));
  expect(await Promise.all(taken)).toEqual(['a', 'b', 'c']);
  const short = new Inbox<string>('letters', 20);
  short.put('a');
  await expect(short.atLeast(2)).rejects.toThrow('2 of letters: still waiting after 20 ms (1 arrived)');
});
