import { randomUUID } from 'node:crypto';
import type { Logger } from '@ts-micro/core';
import { silentLogger } from '@ts-micro/core';
import { memoryNetwork, memoryTransport } from '@ts-micro/memory';
import { expect, test, vi } from 'vitest';
import { pair, text, textOf, textsOf, turns } from './pair.ts';

const never = new Promise<never>(() => {});

test('it says what it is and what it supports', async () => {
  await using transport = memoryTransport();
  expect(transport.name).toBe('memory');
  expect(transport.supports).toEqual({
    closeNotice: true,
    failFast: true,
    namedAddresses: true,
    maxBodyBytes: 64 * 1024 * 1024,
  });
});

test.each([
  ['maxBodyBytes', 0],
  ['maxBodyBytes', 1.5],
  ['maxQueuedMessages', -1],
  ['maxQueuedBytes', 0],
  ['closeTimeoutMs', Number.NaN],
])('an option %s of %d is invalid', (name, value) => {
  expect(() => memoryTransport({ [name]: value })).toThrow(
    expect.objectContaining({ code: 'invalid', message: expect.stringContaining(`${name} is ${value}`) }),
  );
});

test('a network of somebody else is invalid', () => {
  const network = { partition() {}, heal() {} };
  expect(() => memoryTransport({ network })).toThrow(expect.objectContaining({ code: 'invalid' }));
});

test('transports without a network meet on that of the process', async () => {
  await using server = memoryTransport();
  await using client = memoryTransport();
  const listener = await server.listen(randomUUID());
  await listener.accept(async (socket) => socket.send(text('hello')));
  const socket = await client.dial(listener.address);
  await socket.send(text('anybody?'));
  expect(textOf(await socket.receive())).toBe('hello');
});

test('transports on different networks never meet', async () => {
  await using server = memoryTransport({ network: memoryNetwork() });
  await using client = memoryTransport({ network: memoryNetwork() });
  const listener = await server.listen();
  await listener.accept(() => {});
  const socket = await client.dial(listener.address);
  await expect(socket.send(text('anybody?'))).rejects.toMatchObject({ code: 'unavailable' });
});

test('a made-up address is not one that is in use', async () => {
  await using transport = memoryTransport({ network: memoryNetwork() });
  const taken = await transport.listen('memory:1');
  const fresh = await transport.listen();
  expect(fresh.address).toMatch(/^memory:\d+$/);
  expect(fresh.address).not.toBe(taken.address);
});

test('an address in use is a conflict until its listener closes', async () => {
  const network = memoryNetwork();
  await using first = memoryTransport({ network });
  await using second = memoryTransport({ network });
  const listener = await first.listen('greeter');
  await expect(second.listen('greeter')).rejects.toMatchObject({ code: 'conflict' });
  await listener.close();
  expect((await second.listen('greeter')).address).toBe('greeter');
});

test.each(['', ' ', 'a b', 'a\tb', 'a\nb', 'a\u0000b', 'a\u0085b'])('an address %j is invalid', async (address) => {
  await using transport = memoryTransport({ network: memoryNetwork() });
  await expect(transport.dial(address)).rejects.toMatchObject({ code: 'invalid' });
  await expect(transport.listen(address)).rejects.toMatchObject({ code: 'invalid' });
});

test('where nobody listens, a pending receive and all that follows reject with what closed the socket', async () => {
  await using transport = memoryTransport({ network: memoryNetwork() });
  const socket = await transport.dial('nobody');
  const receiving = socket.receive();
  const unavailable = { code: 'unavailable', retrySafe: true };
  await expect(Promise.all([receiving, socket.send(text('anybody?'))])).rejects.toMatchObject(unavailable);
  await expect(receiving).rejects.toMatchObject(unavailable);
  await expect(socket.send(text('again'))).rejects.toMatchObject(unavailable);
  await expect(socket.receive()).rejects.toMatchObject(unavailable);
  expect(await socket.closed).toMatchObject(unavailable);
});

test('a listener that does not accept is nobody', async () => {
  await using transport = memoryTransport({ network: memoryNetwork() });
  const listener = await transport.listen();
  const socket = await transport.dial(listener.address);
  await expect(socket.send(text('anybody?'))).rejects.toMatchObject({ code: 'unavailable' });
});

test('a listener learns of a socket with its first message', async () => {
  await using transport = memoryTransport({ network: memoryNetwork() });
  const socket = await transport.dial('greeter');
  const listener = await transport.listen('greeter');
  const handler = vi.fn(async () => {});
  await listener.accept(handler);
  await turns();
  expect(handler).not.toHaveBeenCalled();
  await socket.send(text('hello'));
  expect(handler).toHaveBeenCalledOnce();
});

test('a handler never runs within the call of the sender', async () => {
  await using transport = memoryTransport({ network: memoryNetwork() });
  const listener = await transport.listen();
  const handler = vi.fn(async () => {});
  await listener.accept(handler);
  const socket = await transport.dial(listener.address);
  const sending = socket.send(text('hello'));
  expect(handler).not.toHaveBeenCalled();
  await Promise.resolve();
  expect(handler).not.toHaveBeenCalled();
  await sending;
  expect(handler).toHaveBeenCalledOnce();
});

test('a loop of exchanges leaves timers their turn', async () => {
  await using conversation = await pair();
  const { dialled, accepted } = conversation;
  const signal = AbortSignal.timeout(20);
  const deadlineMs = performance.now() + 10_000;
  while (!signal.aborted && performance.now() < deadlineMs) {
    await dialled.send(text('ping'));
    await accepted.receive();
  }
  expect(signal.aborted).toBe(true);
});

test('messages arrive where a test fakes timers', async () => {
  await using conversation = await pair();
  const { dialled, accepted } = conversation;
  vi.useFakeTimers();
  try {
    await dialled.send(text('ping'));
    expect(textOf(await accepted.receive())).toBe('ping');
  } finally {
    vi.useRealTimers();
  }
});

test('a queue with as many bytes as it may have makes send wait for room, in order', async () => {
  await using conversation = await pair({ maxQueuedBytes: 1000 });
  const { dialled, accepted } = conversation;
  const bodies = ['x'.repeat(2000), 'small', 'y'.repeat(2000), 'z'];
  const sent: string[] = [];
  const sends = bodies.map((body) => dialled.send(text(body)).then(() => sent.push(body)));
  await turns();
  expect(sent).toEqual(bodies.slice(0, 1));
  const received: string[] = [];
  for (let count = 0; count < bodies.length; count++) received.push(textOf(await accepted.receive()) ?? '');
  expect(received).toEqual(bodies);
  await Promise.all(sends);
});

test('a full queue makes send wait for room, in order', async () => {
  await using conversation = await pair({ maxQueuedMessages: 2 });
  const { dialled, accepted } = conversation;
  const sent: string[] = [];
  const sends = ['1', '2', '3', '4'].map((body) => dialled.send(text(body)).then(() => sent.push(body)));
  await turns();
  expect(sent).toEqual(['1', '2']);
  expect(textOf(await accepted.receive())).toBe('1');
  const late = dialled.send(text('5'));
  await turns();
  expect(sent).toEqual(['1', '2', '3']);
  const rest = [];
  for (let count = 0; count < 4; count++) rest.push(textOf(await accepted.receive()));
  expect(rest).toEqual(['2', '3', '4', '5']);
  await Promise.all([...sends, late]);
});

test('a send aborted while it waits for room sends nothing', async () => {
  await using conversation = await pair({ maxQueuedMessages: 1 });
  const { dialled, accepted } = conversation;
  const controller = new AbortController();
  await dialled.send(text('1'));
  const aborted = dialled.send(text('2'), { signal: controller.signal });
  const patient = dialled.send(text('3'));
  await turns();
  controller.abort(new Error('enough'));
  await expect(aborted).rejects.toMatchObject({ code: 'canceled', cause: { message: 'enough' } });
  expect([textOf(await accepted.receive()), textOf(await accepted.receive())]).toEqual(['1', '3']);
  await patient;
});

test('closing sends what still waits for room', async () => {
  await using conversation = await pair({ maxQueuedMessages: 1 });
  const { dialled, accepted } = conversation;
  const sends = ['1', '2', '3'].map((body) => dialled.send(text(body)));
  await turns();
  await dialled.close();
  await Promise.all(sends);
  expect(await textsOf(accepted)).toEqual(['1', '2', '3']);
});

test('a peer that closed is unavailable, also to a send that waits for room', async () => {
  await using conversation = await pair({ maxQueuedMessages: 1 });
  const { dialled, accepted } = conversation;
  const unavailable = { code: 'unavailable', retrySafe: true };
  await dialled.send(text('1'));
  const refused = expect(dialled.send(text('2'))).rejects.toMatchObject(unavailable);
  await turns();
  await accepted.close();
  await refused;
  await expect(dialled.send(text('3'))).rejects.toMatchObject(unavailable);
  expect(await dialled.receive()).toBeUndefined();
});

test('a loop over a socket ends when this side closes it', async () => {
  await using conversation = await pair();
  const { dialled, accepted } = conversation;
  const reading = textsOf(accepted);
  await dialled.send(text('1'));
  await accepted.close();
  expect(await reading).toEqual(['1']);
});

test('a body is limited by the transport that sends it', async () => {
  await using conversation = await pair({ maxBodyBytes: 5 });
  const { dialled, accepted } = conversation;
  for (const socket of [dialled, accepted])
    await expect(socket.send(text('123456'))).rejects.toMatchObject({
      code: 'too_large',
      message: expect.stringContaining('6 bytes is more than 5'),
    });
  await dialled.send(text('12345'));
  expect(textOf(await accepted.receive())).toBe('12345');
});

test('a Buffer that is sent and reused at once arrives as it was', async () => {
  await using conversation = await pair();
  const { dialled, accepted } = conversation;
  const body = Buffer.from('before');
  const sending = dialled.send({ headers: {}, body });
  body.fill('x');
  await sending;
  expect(textOf(await accepted.receive())).toBe('before');
});

test('closing a listener refuses new sockets at once and waits for the handlers of open ones', async () => {
  await using conversation = await pair();
  const { client, listener, dialled, accepted } = conversation;
  let isClosed = false;
  const closing = listener.close().then(() => {
    isClosed = true;
  });
  const late = await client.dial(listener.address);
  await expect(late.send(text('late'))).rejects.toMatchObject({ code: 'unavailable', retrySafe: true });
  await dialled.send(text('ping'));
  expect(textOf(await accepted.receive())).toBe('ping');
  expect(isClosed).toBe(false);
  await accepted.close();
  await closing;
  expect(await listener.closed).toBeUndefined();
});

test('a handler that never settles is abandoned after `closeTimeoutMs`, and closed says so', async () => {
  const network = memoryNetwork();
  await using server = memoryTransport({ network, closeTimeoutMs: 20 });
  await using client = memoryTransport({ network });
  const listener = await server.listen();
  await listener.accept(() => never);
  const socket = await client.dial(listener.address);
  await socket.send(text('hello'));
  await server.close();
  expect(await listener.closed).toMatchObject({ code: 'timeout', message: expect.stringContaining('1 open socket') });
  expect(await server.closed).toMatchObject({ code: 'timeout' });
  expect(await socket.receive()).toBeUndefined();
});

test('a signal bounds a close, and closed says so', async () => {
  await using conversation = await pair();
  const { listener } = conversation;
  await listener.close({ signal: AbortSignal.abort() });
  expect(await listener.closed).toMatchObject({ code: 'canceled' });
});

test('a handler that throws is logged with its peer, and its socket closes', async () => {
  const error = vi.fn<Logger['error']>();
  const network = memoryNetwork();
  await using server = memoryTransport({ network, logger: { ...silentLogger, error } });
  await using client = memoryTransport({ network });
  const listener = await server.listen();
  const thrown = new Error('on purpose');
  await listener.accept(() => {
    throw thrown;
  });
  const socket = await client.dial(listener.address);
  await socket.send(text('hello'));
  expect(await socket.receive()).toBeUndefined();
  expect(error.mock.calls).toEqual([
    ['socket handler failed', { listener: listener.address, remote: socket.local, error: thrown }],
  ]);
});

test('a transport closed while it dials and listens hands out neither', async () => {
  const transport = memoryTransport({ network: memoryNetwork() });
  const opening = [transport.dial('greeter'), transport.listen('greeter')];
  await transport.close();
  for (const result of await Promise.allSettled(opening))
    expect(result).toMatchObject({ status: 'rejected', reason: { code: 'closed' } });
});
