import { MicroError } from '@ts-micro/core';
import { expect, test } from 'vitest';
import { nothingWaits, StreamReader } from '../../src/stream/stream-reader.ts';

type Item = number | MicroError | undefined;

/** A stream of which `items` wait already; `arrive` brings one more, and leaving it ends what waits. */
function sideOf(items: Item[]) {
  const waiting: ((item: Item) => void)[] = [];
  const given = (item: Item): number | undefined => {
    if (item instanceof MicroError) throw item;
    return item;
  };
  return {
    left: 0,
    isReadable: true,
    receiveNow: () => (items.length === 0 ? nothingWaits : given(items.shift())) as number | undefined,
    async receive() {
      return given(await new Promise<Item>((resolve) => waiting.push(resolve)));
    },
    async leave() {
      this.left++;
      this.arrive(undefined);
    },
    arrive(item: Item) {
      waiting.shift()?.(item);
    },
  };
}

test('a loop gets what waits and what comes later, in order, and ends with the stream without leaving it', async () => {
  const side = sideOf([1, 2]);
  const values: number[] = [];
  for await (const value of new StreamReader(side)) {
    values.push(value);
    if (value === 2) setImmediate(() => side.arrive(3));
    if (value === 3) setImmediate(() => side.arrive(undefined));
  }
  expect([values, side.left]).toEqual([[1, 2, 3], 0]);
});

test('a loop that is left within its body leaves the stream, once', async () => {
  const side = sideOf([1, 2]);
  const reader = new StreamReader(side);
  for await (const value of reader) if (value === 1) break;
  expect([side.left, await reader.next(), await reader.return()]).toEqual([
    1,
    { value: undefined, done: true },
    { value: undefined, done: true },
  ]);
  expect(side.left).toBe(1);
});

test('an error ends the loop, and neither leaves the stream nor is told twice', async () => {
  const side = sideOf([1, new MicroError('malformed', 'no value')]);
  const reader = new StreamReader(side);
  const loop = (async () => {
    for await (const value of reader) expect(value).toBe(1);
  })();
  await expect(loop).rejects.toMatchObject({ code: 'malformed' });
  expect([await reader.next(), side.left]).toEqual([{ value: undefined, done: true }, 0]);
});

test('who leaves while a value is waited for does not wait for it', async () => {
  const side = sideOf([]);
  const reader = new StreamReader(side);
  const pending = reader.next();
  await reader.return();
  expect([await pending, side.left]).toEqual([{ value: undefined, done: true }, 1]);
});

test('a reader that nothing was asked of leaves nothing, and what is thrown into it comes back', async () => {
  const side = sideOf([1]);
  await new StreamReader(side).return();
  const reader = new StreamReader(side);
  await reader.next();
  await expect(reader.throw(new Error('enough'))).rejects.toThrow('enough');
  expect(side.left).toBe(1);
});
