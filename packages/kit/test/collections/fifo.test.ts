import { expect, test } from 'vitest';
import { Fifo } from '../../src/index.ts';

test('items come out in the order they went in', () => {
  const fifo = new Fifo<string>();
  for (let count = 0; count < 5; count++) fifo.push(String(count));
  expect(fifo.size).toBe(5);
  expect(Array.from({ length: 6 }, () => fifo.take())).toEqual(['0', '1', '2', '3', '4', undefined]);
  expect(fifo.size).toBe(0);
});

test('a queue that never runs empty keeps its order and size', () => {
  const fifo = new Fifo<string>();
  for (let count = 0; count < 10; count++) fifo.push(String(count));
  for (let count = 0; count < 10_000; count++) {
    expect(fifo.take()).toBe(String(count));
    fifo.push(String(count + 10));
    expect(fifo.size).toBe(10);
  }
});

test('cleared, it is empty and can be used again', () => {
  const fifo = new Fifo<string>();
  fifo.push('a');
  fifo.clear();
  expect(fifo.take()).toBeUndefined();
  fifo.push('b');
  expect(fifo.take()).toBe('b');
});

test('the newest may be taken as well, and the oldest looked at', () => {
  const fifo = new Fifo<number>();
  expect(fifo.takeNewest()).toBeUndefined();
  expect(fifo.peek()).toBeUndefined();
  for (let count = 0; count < 5; count++) fifo.push(count);
  expect(fifo.take()).toBe(0);
  expect(fifo.takeNewest()).toBe(4);
  expect(fifo.peek()).toBe(1);
  expect([fifo.takeNewest(), fifo.take(), fifo.takeNewest(), fifo.takeNewest()]).toEqual([3, 1, 2, undefined]);
  expect(fifo.size).toBe(0);
  fifo.push(5);
  expect(fifo.take()).toBe(5);
});
