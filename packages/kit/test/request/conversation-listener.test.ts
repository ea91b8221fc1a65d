import type { Message, Socket } from '@ts-micro/core';
import { expect, test } from 'vitest';
import { ConversationListener, type ConversationMessage } from '../../src/index.ts';

const message: Message = { headers: {}, body: new Uint8Array([1]) };

/** A listener at work, and what brings it messages; `sockets` are those that its handler was given. */
async function listening() {
  let take: (incoming: ConversationMessage) => void = () => {};
  const listener = new ConversationListener({
    ...{ who: 'test', address: 'address', metadata: {}, maxBodyBytes: 10, closeTimeoutMs: 10_000 },
    serve: async (taker) => {
      take = taker;
    },
    stop: async () => {},
    logger: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
  });
  const sockets: Socket[] = [];
  const ended: Socket[] = [];
  await listener.accept(async (socket) => {
    sockets.push(socket);
    for await (const each of socket) await socket.send(each);
    ended.push(socket);
  });
  const bring = (key: string, kind: ConversationMessage['kind']) =>
    take({ key, remote: key, kind, read: () => message, transmit: async () => {} });
  return { listener, bring, sockets, ended };
}

test('a peer that leaves without a word is let go of when it was quiet, and what it had sent is answered', async () => {
  const { listener, bring, sockets, ended } = await listening();
  bring('go', undefined);
  bring('native', 'open');
  listener.retireQuiet(60_000);
  expect(listener.socketOf('go')).toBeDefined();
  listener.retireQuiet(0);
  await expect.poll(() => ended).toHaveLength(1);
  expect(ended[0]).toBe(sockets.find(({ remote }) => remote === 'go'));
  expect(listener.socketOf('go')).toBeUndefined();
  expect(listener.sockets).toEqual([listener.socketOf('native')]);
  bring('native', 'close');
  await listener.close();
});

test('what a peer says that was let go of opens another socket, which outlives the end of the first', async () => {
  const { listener, bring, sockets, ended } = await listening();
  bring('go', undefined);
  listener.retireQuiet(0);
  bring('go', undefined);
  await expect.poll(() => ended).toHaveLength(1);
  expect(sockets).toHaveLength(2);
  expect(listener.socketOf('go')).toBe(sockets[1]);
  listener.retireQuiet(0);
  await listener.close();
  expect(listener.sockets).toEqual([]);
});
