import type { Socket } from '@ts-micro/core';
import { silentLogger } from '@ts-micro/core';
import { expect, test } from 'vitest';
import { type ConversationKind, ConversationListener, type ConversationMessage } from '../../src/index.ts';

const body = new Uint8Array(10_000);

/** A listener whose handlers receive nothing, and what its diallers are told. */
async function world(bounds: { readonly maxSockets?: number; readonly maxUnreceivedBytes?: number }) {
  let take: (message: ConversationMessage) => void = () => {};
  const listener = new ConversationListener({
    who: 'test',
    address: 'a',
    metadata: {},
    maxBodyBytes: body.length,
    serve: async (taking) => {
      take = taking;
    },
    stop: async () => {},
    closeTimeoutMs: 1000,
    logger: silentLogger,
    ...bounds,
  });
  const sockets: Socket[] = [];
  await listener.accept(async (socket) => {
    sockets.push(socket);
    await (socket as Socket).closed;
  });
  const told: string[] = [];
  const send = (peer: string, key: string, kind: ConversationKind = 'open') =>
    take({
      key,
      remote: key,
      peer,
      kind,
      read: () => ({ headers: {}, body: new Uint8Array(body) }),
      transmit: async (answer) => void told.push(`${key} ${answer}`),
    });
  const opened = () => expect.poll(() => sockets.length);
  return { listener, sockets, told, send, opened };
}

test('a listener takes no more sockets than it may have, and refuses the others', async () => {
  const { listener, sockets, told, send, opened } = await world({ maxSockets: 2 });
  for (const key of ['x', 'y', 'z']) send('p', key);
  await opened().toBe(2);
  expect(told).toEqual(['z refused']);
  await sockets[0]?.close();
  await expect.poll(() => listener.sockets.length).toBe(1);
  send('p', 'z');
  await opened().toBe(3);
  for (const socket of sockets) await socket.close();
  await listener.close();
});

test('what its sockets hold is bounded, half of it for one process: the idlest fails and lets go of it', async () => {
  const { listener, sockets, told, send, opened } = await world({ maxUnreceivedBytes: 100_000 });
  send('modest', 'm');
  for (let count = 0; count < 6; count++) send('greedy', `g${count}`);
  await opened().toBe(7);
  expect(told).toEqual(['g0 gone', 'g1 gone']);
  expect(await sockets[1]?.closed).toMatchObject({ code: 'unavailable', message: expect.stringContaining('100000') });
  await expect(sockets[1]?.receive()).rejects.toMatchObject({ code: 'unavailable' });
  expect((await sockets[0]?.receive())?.body.length).toBe(body.length);
  expect((await sockets[6]?.receive())?.body.length).toBe(body.length);
  for (const socket of sockets) await socket.close();
  await listener.close();
});

test('what was received is given back, so that a socket that is read takes any number of messages', async () => {
  const { listener, sockets, told, send, opened } = await world({ maxUnreceivedBytes: 50_000 });
  send('p', 'idle');
  send('p', 'read');
  await opened().toBe(2);
  for (let count = 0; count < 20; count++) {
    expect((await sockets[1]?.receive())?.body.length).toBe(body.length);
    send('p', 'read', 'more');
  }
  expect(told).toEqual([]);
  for (const socket of sockets) await socket.close();
  await listener.close();
});
