import type { NatsMessage } from '@ts-micro/nats';
import { expect, test } from 'vitest';
import { PendingMessages } from '../src/pending-messages.ts';

const message = (subject: string): NatsMessage => ({ subject, data: new Uint8Array(), status: 0, headers: () => ({}) });

test('messages come out in the order they went in', () => {
  const pending = new PendingMessages();
  for (let count = 0; count < 5; count++) pending.push(message(String(count)));
  expect(pending.size).toBe(5);
  expect(Array.from({ length: 6 }, () => pending.take()?.subject)).toEqual(['0', '1', '2', '3', '4', undefined]);
  expect(pending.size).toBe(0);
});

test('a queue that never runs empty keeps its order and size', () => {
  const pending = new PendingMessages();
  for (let count = 0; count < 10; count++) pending.push(message(String(count)));
  for (let count = 0; count < 10_000; count++) {
    expect(pending.take()?.subject).toBe(String(count));
    pending.push(message(String(count + 10)));
    expect(pending.size).toBe(10);
  }
});

test('cleared, it is empty and can be used again', () => {
  const pending = new PendingMessages();
  pending.push(message('a'));
  pending.clear();
  expect(pending.take()).toBeUndefined();
  pending.push(message('b'));
  expect(pending.take()?.subject).toBe('b');
});
