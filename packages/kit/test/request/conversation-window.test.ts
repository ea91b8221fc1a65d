import type { Message } from '@ts-micro/core';
import { expect, test } from 'vitest';
import { type ConversationKind, ConversationSocket } from '../../src/index.ts';

const body = new Uint8Array(256 * 1024);

/** Two ends whose messages arrive at once; `sent` are those of the first. */
function pair(maxBodyBytes = body.length) {
  const sent: ConversationKind[] = [];
  const end = (local: string, remote: string, deliver: (kind: ConversationKind, message: Message) => void) =>
    new ConversationSocket({
      what: local,
      local,
      remote,
      isNative: true,
      opens: false,
      maxBodyBytes,
      transmit: async (kind, message) => deliver(kind, message),
    });
  const from: ConversationSocket = end('from', 'to', (kind, message) => {
    sent.push(kind);
    to.take(kind, () => message);
  });
  const to: ConversationSocket = end('to', 'from', (kind, message) => from.take(kind, () => message));
  return { from, to, sent };
}

const turns = async () => {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
};

test('a fast sender of large messages waits for a slow receiver, in order, and its last message does not', async () => {
  const { from, to, sent } = pair();
  const bodyOf = (number: number) => body.slice(0, body.length - number);
  const sending = Array.from({ length: 12 }, (_, number) => from.send({ headers: {}, body: bodyOf(number) }));
  await turns();
  // A mebibyte with what counts for each message.
  expect(sent).toHaveLength(4);
  await from.send({ headers: {}, body: new Uint8Array(1) }, { isLast: true });
  expect(sent).toHaveLength(5);
  const sizes: number[] = [];
  for (let count = 0; count < 13; count++) sizes.push((await to.receive())?.body.length ?? 0);
  await Promise.all(sending);
  const inOrder = Array.from({ length: 12 }, (_, number) => body.length - number);
  expect(sizes).toEqual([...inOrder.slice(0, 4), 1, ...inOrder.slice(4)]);
});

test('a send that is aborted while it waits leaves its turn to the next', async () => {
  const { from, to, sent } = pair();
  const first = Array.from({ length: 4 }, () => from.send({ headers: {}, body }));
  const controller = new AbortController();
  const aborted = from.send({ headers: {}, body }, { signal: controller.signal });
  const next = from.send({ headers: {}, body: new Uint8Array(1) });
  await turns();
  controller.abort();
  await expect(aborted).rejects.toMatchObject({ code: 'canceled' });
  for (let count = 0; count < 4; count++) await to.receive();
  await Promise.all([...first, next]);
  expect((await to.receive())?.body.length).toBe(1);
  expect(sent.filter((kind) => kind === 'more')).toHaveLength(5);
  const waiting = Array.from({ length: 6 }, () => from.send({ headers: {}, body }));
  const outcomes = Promise.allSettled(waiting);
  await turns();
  await from.close();
  expect((await outcomes).filter(({ status }) => status === 'rejected')).toHaveLength(2);
});

test('a peer that keeps to no window is bounded in bytes', async () => {
  const { to } = pair(1024 * 1024);
  const large = { headers: {}, body: new Uint8Array(1024 * 1024) };
  for (let count = 0; count < 70; count++) to.take('more', () => large);
  expect(await to.closed).toMatchObject({ code: 'unavailable' });
  let received = 0;
  await expect(
    (async () => {
      for await (const _ of to) received++;
    })(),
  ).rejects.toMatchObject({ code: 'unavailable' });
  expect(received).toBeLessThanOrEqual(65);
});
