import type { Socket } from '@ts-micro/core';
import { encodeEnvelope } from '@ts-micro/nats';
import { startNatsServer } from '@ts-micro/testkit/nats';
import { describe, expect, test } from 'vitest';
import type { NatsSocket } from '../src/socket/nats-socket.ts';
import { type BarePeer, barePeer, message, openTransport, serve, soon, textOf } from './pair.ts';
import { recordingLogger } from './recording-logger.ts';

const metadata = { 'ts-micro-frames': '1' };
const large = new Uint8Array(512 * 1024);
/** Of which one process may have two large messages. */
const limit = 4 * large.length + 10_000;

/** A whole message in a frame. */
function frame(sequence: number, body: Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.of(0xf5, 1, sequence, 0), body]);
}

function flood(peer: BarePeer, address: string, reply: string, count: number): void {
  for (let sequence = 0; sequence < count; sequence++)
    peer.connection.publish(address, frame(sequence, large), { reply });
}

describe('what came and is not received', () => {
  test('is bounded by its window: a peer that goes on sending frames fails, and is told', async () => {
    await using server = await startNatsServer();
    await using peer = await barePeer(server.url);
    const { logger, lines } = recordingLogger();
    await using transport = openTransport({ servers: server.url, logger });
    const { listener, next } = await serve(transport);
    await peer.hear('flood.*');
    flood(peer, listener.address, 'flood.1', 20);
    const socket = await next();
    expect(await socket.closed).toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('the peer sends more than is received'),
    });
    let received = 0;
    const rest = (async () => {
      for await (const { body } of socket) received += body.length;
    })();
    await expect(rest).rejects.toMatchObject({ code: 'unavailable' });
    // A window of 1 MiB, and two messages that pass it as the last ones of a side do.
    expect(received).toBe(4 * large.length);
    await expect.poll(() => peer.received.some(({ status }) => status === 503)).toBe(true);
    expect(lines.some(({ message: line }) => line === 'nats socket failed')).toBe(true);
  });

  test('of small frames is bounded likewise, on the side that dials as well', async () => {
    await using server = await startNatsServer();
    await using peer = await barePeer(server.url);
    await using transport = openTransport({ servers: server.url });
    await peer.hear('greeter.node');
    const socket = await transport.dial('greeter.node', { metadata });
    await socket.send(message('hello'));
    await expect.poll(() => peer.received.length).toBeGreaterThan(0);
    const varuint = (number: number) => (number < 128 ? [number] : [(number & 127) | 128, number >> 7]);
    for (let sequence = 0; sequence < 1100; sequence++)
      peer.connection.publish(socket.local, Uint8Array.of(0xf5, 1, ...varuint(sequence), 0, 0x61));
    expect(await socket.closed).toMatchObject({ code: 'unavailable', retrySafe: false });
    let received = 0;
    const rest = (async () => {
      for await (const _ of socket) received++;
    })();
    await expect(rest).rejects.toMatchObject({ code: 'unavailable' });
    expect(received).toBe(1026);
  });

  test('on all sockets of a listener is bounded, half of it for one process: the idlest goes and lets go of it', async () => {
    await using server = await startNatsServer();
    await using peer = await barePeer(server.url);
    await using transport = openTransport({ servers: server.url, maxReassemblyBytes: limit });
    const { listener, sockets, next } = await serve(transport);
    for (const inbox of ['greedy.*', 'modest.*']) await peer.hear(inbox);
    flood(peer, listener.address, 'modest.1', 1);
    const modest = await next();
    for (let number = 0; number < 20; number++) flood(peer, listener.address, `greedy.${number}`, 1);
    await expect.poll(() => sockets).toHaveLength(21);
    expect(await (sockets[18] as Socket).closed).toMatchObject({
      code: 'unavailable',
      message: `messages that are incomplete or were not received hold more than ${limit} bytes together`,
    });
    // The bytes of those that failed are gone; who had little has it still.
    for (const socket of sockets.slice(1, 19))
      await expect(socket.receive(soon())).rejects.toMatchObject({ code: 'unavailable' });
    for (const socket of [modest, ...sockets.slice(19)])
      expect((await socket.receive(soon()))?.body.length).toBe(large.length);
  });

  test('of one process comes whole one after another where there is much of it, and nothing is refused', async () => {
    await using server = await startNatsServer();
    const mebibyte = 1024 * 1024;
    await using listening = openTransport({ servers: server.url, maxReassemblyBytes: 64 * mebibyte });
    await using dialling = openTransport({ servers: server.url, name: 'dialling' });
    const listener = await listening.listen();
    await listener.accept(async (socket) => {
      const received = await socket.receive();
      await socket.send(message(`${received?.body.length}`));
      await socket.peerClosed;
    });
    // Half of the bound is less than they have together.
    const body = new Uint8Array(4 * mebibyte);
    const sizes = Array.from({ length: 12 }, async () => {
      await using socket = await dialling.dial(listener.address, { metadata });
      await socket.send({ headers: {}, body });
      return textOf(await socket.receive());
    });
    expect(await Promise.all(sizes)).toEqual(sizes.map(() => `${body.length}`));
  });

  test('is given back once it is received, closed, or its peer is gone', async () => {
    await using server = await startNatsServer();
    await using peer = await barePeer(server.url);
    await using transport = openTransport({ servers: server.url, maxReassemblyBytes: limit });
    const { listener, next } = await serve(transport);
    await peer.hear('busy.*');
    // Three of them are more than one process may have.
    for (let number = 0; number < 30; number++) {
      flood(peer, listener.address, `busy.${number}`, 1);
      const socket = await next();
      if (number % 3 === 0) expect((await socket.receive(soon()))?.body.length).toBe(large.length);
      else if (number % 3 === 1) await socket.close();
      else {
        peer.connection.publish(listener.address, Uint8Array.of(0xf5, 2, 1, 0), { reply: `busy.${number}` });
        await socket.peerClosed;
        expect((await socket.receive(soon()))?.body.length).toBe(large.length);
      }
      expect(socket).toHaveProperty('isOpen', number % 3 !== 1);
    }
  });

  test('in small messages keeps little of what came with them', async () => {
    await using server = await startNatsServer();
    await using peer = await barePeer(server.url);
    await using transport = openTransport({ servers: server.url });
    const { listener, sockets } = await serve(transport);
    await peer.hear('small.*');
    for (let sequence = 0; sequence < 100; sequence++) {
      peer.connection.publish(listener.address, frame(sequence, Buffer.from('0123456789')), { reply: 'small.1' });
      peer.connection.publish(listener.address, encodeEnvelope({ headers: {}, body: large.subarray(0, 20_000) }), {
        reply: 'small.2',
      });
    }
    peer.connection.publish(listener.address, frame(0, Buffer.from('last')), { reply: 'small.3' });
    await expect.poll(() => sockets).toHaveLength(3);
    const socket = sockets[0] as Socket;
    for (let sequence = 0; sequence < 100; sequence++) {
      const received = await socket.receive(soon());
      expect(textOf(received)).toBe('0123456789');
      // A few may.
      if (sequence > 32) expect(received?.body.buffer.byteLength).toBeLessThanOrEqual(8192);
    }
  });
});

test('what waits is received at once, in the order of the receives, and by the right socket', async () => {
  await using server = await startNatsServer();
  await using transport = openTransport({ servers: server.url });
  const { listener, next } = await serve(transport);
  const dialled = await Promise.all([1, 2].map(() => transport.dial(listener.address, { metadata })));
  const [first, second] = dialled as [NatsSocket, NatsSocket];
  await first.send(message('to first'));
  const atFirst = await next();
  await second.send(message('to second'));
  const atSecond = await next();
  const texts = Array.from({ length: 100 }, (_, number) => `number ${number}`);
  // In turns, so that what comes to one subject is not taken for another's.
  for (const text of texts)
    await Promise.all([atFirst.send(message(`first ${text}`)), atSecond.send(message(`second ${text}`))]);
  const received: string[][] = [[], []];
  await expect
    .poll(() => {
      for (const [index, socket] of [first, second].entries())
        for (let came = socket.receiveNow(); came; came = socket.receiveNow())
          received[index]?.push(textOf(came) ?? '');
      return received.flat().length;
    })
    .toBe(200);
  expect(received).toEqual([texts.map((text) => `first ${text}`), texts.map((text) => `second ${text}`)]);
  await first.close();
  expect(first.receiveNow()).toBeUndefined();
});
