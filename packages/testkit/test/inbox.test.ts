import { expect, test } from 'vitest';
import { Inbox } from '../src/inbox.ts';

const boundMs = 50;

test('what comes slowly is waited for as long as something comes', async () => {
  const inbox = new Inbox<number>('numbers', boundMs);
  const waiting = inbox.atLeast(2);
  inbox.put(1);
  setTimeout(() => inbox.put(2), boundMs + 10);
  expect(await waiting).toEqual([1, 2]);
});

test('a wait ends where nothing comes any more, and says how much has', async () => {
  const inbox = new Inbox<number>('numbers', boundMs);
  const waiting = inbox.atLeast(2);
  inbox.put(1);
  await expect(waiting).rejects.toThrow('2 of numbers: still waiting after 50 ms (1 arrived)');
});

test('a bound of the case itself is one for all of it', async () => {
  const inbox = new Inbox<number>('numbers', 60_000);
  const waiting = inbox.when(({ length }) => length >= 2, 'both', boundMs);
  inbox.put(1);
  await expect(waiting).rejects.toThrow('both: still waiting after 50 ms (1 arrived)');
});
