import type { Socket } from '@ts-micro/core';
import { memoryNetwork, memoryTransport } from '@ts-micro/memory';
import { expect, it } from 'vitest';
import { SocketPool } from '../../src/client/pool/socket-pool.ts';
import { SocketPools } from '../../src/client/pool/socket-pools.ts';
import { until } from './world.ts';

async function openSockets(count: number): Promise<{ sockets: Socket[] } & AsyncDisposable> {
  const transport = memoryTransport({ network: memoryNetwork() });
  const sockets = await Promise.all(Array.from({ length: count }, () => transport.dial('anywhere')));
  return { sockets, [Symbol.asyncDispose]: () => transport.close() };
}

it('hands out the socket given back last, once', async () => {
  await using world = await openSockets(2);
  const [a, b] = world.sockets as [Socket, Socket];
  const pool = new SocketPool('x', 10);
  pool.give(a, 1);
  pool.give(b, 2);
  expect([pool.take(0), pool.take(0), pool.take(0)]).toEqual([b, a, undefined]);
});

it('closes what exceeds its limit', async () => {
  await using world = await openSockets(2);
  const [a, b] = world.sockets as [Socket, Socket];
  const pool = new SocketPool('x', 1);
  pool.give(a, 1);
  pool.give(b, 2);
  expect(pool.size).toBe(1);
  expect(await b.closed).toBe(undefined);
});

it('closes every socket idle for too long instead of handing it out', async () => {
  await using world = await openSockets(2);
  const pool = new SocketPool('x', 10);
  for (const socket of world.sockets) pool.give(socket, 100);
  expect(pool.take(101)).toBe(undefined);
  expect(pool.size).toBe(0);
  await Promise.all(world.sockets.map((socket) => socket.closed));
});

it('trims only the old ones', async () => {
  await using world = await openSockets(3);
  const [a, b, c] = world.sockets as [Socket, Socket, Socket];
  const pool = new SocketPool('x', 10);
  // A long call is given back late although it was sent early.
  pool.give(a, 300);
  pool.give(b, 100);
  pool.give(c, 200);
  pool.trim(200);
  await b.closed;
  expect([pool.take(0), pool.take(0), pool.take(0)]).toEqual([c, a, undefined]);
});

it('closes what comes back after it was dropped', async () => {
  await using world = await openSockets(2);
  const [a, b] = world.sockets as [Socket, Socket];
  const pool = new SocketPool('x', 10);
  pool.give(a, 1);
  pool.drop();
  pool.give(b, 2);
  await Promise.all([a.closed, b.closed]);
  expect(pool.size).toBe(0);
});

it('trims all pools by itself and forgets the addresses', async () => {
  await using world = await openSockets(4);
  const pools = new SocketPools(10, 30, () => performance.now());
  const [a, b, c, late] = world.sockets as [Socket, Socket, Socket, Socket];
  const old = pools.of('x');
  old.give(a, performance.now());
  old.give(b, performance.now());
  pools.of('y').give(c, performance.now());
  expect(pools.size).toBe(3);
  await until(() => pools.size === 0);
  await Promise.all([a.closed, b.closed, c.closed]);
  await until(() => pools.of('x') !== old);
  old.give(late, performance.now());
  await late.closed;
  pools.close();
});

it('keeps nothing after it was closed', async () => {
  await using world = await openSockets(2);
  const [a, b] = world.sockets as [Socket, Socket];
  const pools = new SocketPools(10, 1000, () => performance.now());
  pools.of('x').give(a, performance.now());
  pools.close();
  pools.of('x').give(b, performance.now());
  await Promise.all([a.closed, b.closed]);
  expect(pools.size).toBe(0);
});
