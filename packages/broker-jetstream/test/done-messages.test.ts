import { expect, test } from 'vitest';
import { DoneMessages } from '../src/subscription/done-messages.ts';

test('a message is known by its sequence and the time at which it was stored', () => {
  const done = new DoneMessages();
  done.add(7, 1_795_998_300_305.25);
  expect(done.has(7, 1_795_998_300_305.25)).toBe(true);
  expect(done.has(7, 1_795_998_300_305.5)).toBe(false);
  expect(done.has(8, 1_795_998_300_305.25)).toBe(false);
  // The stream was made again, and has other messages of that sequence.
  done.add(7, 1_795_998_300_400);
  expect(done.has(7, 1_795_998_300_400)).toBe(true);
  done.add(8, 1);
  expect(done.has(8, 1)).toBe(true);
});

test('the last 32768 messages are known, and at most 65536', () => {
  const done = new DoneMessages();
  for (let sequence = 1; sequence <= 100_000; sequence++) done.add(sequence, sequence / 3);
  const known = (sequence: number) => done.has(sequence, sequence / 3);
  expect(known(100_000)).toBe(true);
  expect(known(100_000 - 32_767)).toBe(true);
  expect(known(100_000 - 65_536)).toBe(false);
});
