import type { Socket } from '@ts-micro/core';
import { startChaosProxy, startNatsServer } from '@ts-micro/testkit/nats';
import { describe, expect, test } from 'vitest';
import { barePeer, message, openTransport, serve, soon, textOf } from './pair.ts';

const metadata = { 'ts-micro-frames': '1' };

describe('a quiet peer', () => {
  test('that is alive keeps its socket, however long it is quiet', async () => {
    await using server = await startNatsServer();
    await using transport = openTransport({ servers: server.url, idleTimeoutMs: 100 });
    await using probed = await barePeer(server.url);
    const { listener, next } = await serve(transport);
    await probed.hear(listener.address);
    const dialled = await transport.dial(listener.address, { metadata });
    await dialled.send(message('hello'));
    const accepted = await next();
    await accepted.receive(soon());
    // Three probes, each after the idle time.
    const probes = () => probed.received.filter(({ data }) => data[0] === 0xf5 && data[1] === 5).length;
    await expect.poll(probes).toBeGreaterThan(3);
    await accepted.send(message('after a quiet time'));
    expect(textOf(await dialled.receive(soon()))).toBe('after a quiet time');
  });

  test('that has left without a word ends its socket at once as it is probed', async () => {
    await using server = await startNatsServer();
    await using peer = await barePeer(server.url);
    await using transport = openTransport({ servers: server.url, idleTimeoutMs: 100 });
    const { listener, next } = await serve(transport);
    peer.send(listener.address, Buffer.from('f501000068', 'hex'));
    const accepted = await next();
    expect(textOf(await accepted.receive(soon()))).toBe('h');
    peer.leave();
    expect(await accepted.receive(soon())).toBeUndefined();
    expect(await accepted.closed).toMatchObject({ code: 'unavailable' });
  });

  test('that is there and does not answer counts as gone, at both ends', async () => {
    await using server = await startNatsServer();
    await using peer = await barePeer(server.url);
    await using transport = openTransport({ servers: server.url, idleTimeoutMs: 100 });
    const { listener, next } = await serve(transport);
    await peer.hear('deaf.address');
    const dialled = await transport.dial('deaf.address', { metadata });
    await dialled.send(message('hello'));
    peer.send(listener.address, Buffer.from('f501000068', 'hex'));
    const accepted = await next();
    await accepted.receive(soon());
    const ends = await Promise.all([accepted.receive(soon()), dialled.receive(soon()).catch((error) => error.code)]);
    expect(ends).toEqual([undefined, 'unavailable']);
  });

  test('that was killed with a full window fails the send that waits, and ends the socket', async () => {
    await using server = await startNatsServer();
    await using transport = openTransport({ servers: server.url });
    const { listener, next } = await serve(transport);
    const reader = await barePeer(server.url);
    reader.send(listener.address, Buffer.from('f501000068', 'hex'));
    const waiting = fill(await next());
    await expect.poll(() => reader.received.length).toBe(1024);
    // Its connection ends as that of a process that is killed: without a word to its peers.
    await reader.connection.close();
    expect(await waiting).toMatchObject({ code: 'unavailable' });
  });
});

test('a request that was taken is not safe to retry, where a probe finds out later that its listener is gone', async () => {
  await using server = await startNatsServer();
  await using peer = await barePeer(server.url);
  await using transport = openTransport({ servers: server.url, idleTimeoutMs: 100 });
  const subscription = peer.connection.subscribe('busy.node', { onMessage: () => subscription.unsubscribe() });
  await subscription.confirm();
  const dialled = await transport.dial('busy.node', { metadata });
  await dialled.send(message('run this once'));
  await expect(dialled.receive(soon())).rejects.toMatchObject({ code: 'unavailable', retrySafe: false });
});

describe('what is lost in an outage', () => {
  for (const end of ['dialler', 'listener'] as const) {
    test(`is found out at the reconnect, at both ends: a message of the ${end} that its link swallowed`, async () => {
      await using server = await startNatsServer();
      await using proxy = await startChaosProxy({ target: server.address });
      await using near = openTransport({ servers: proxy.url, name: 'near' });
      await using far = openTransport({ servers: server.url, name: 'far' });
      const { listener, next } = await serve(end === 'dialler' ? far : near);
      const dialled = await (end === 'dialler' ? near : far).dial(listener.address, { metadata });
      await dialled.send(message('one'));
      const accepted = await next();
      await accepted.receive(soon());
      const [from, to] = end === 'dialler' ? [dialled, accepted] : [accepted, dialled];
      proxy.halfOpen();
      await from.send(message('swallowed'));
      proxy.heal();
      proxy.drop();
      const [atFrom, atTo] = await Promise.all([outcome(from), outcome(to)]);
      expect([atFrom, atTo]).not.toContain('message');
      await Promise.all([from.closed, to.closed]);
    });
  }

  test('a close in an outage is told after it', async () => {
    await using server = await startNatsServer();
    await using proxy = await startChaosProxy({ target: server.address });
    await using near = openTransport({ servers: proxy.url, name: 'near' });
    await using far = openTransport({ servers: server.url, name: 'far' });
    const { listener, next } = await serve(far);
    const dialled = await near.dial(listener.address, { metadata });
    await dialled.send(message('one'));
    const accepted = await next();
    await accepted.receive(soon());
    proxy.cut();
    await expect.poll(() => near.isConnected).toBe(false);
    await dialled.close();
    proxy.heal();
    expect(await accepted.receive(soon())).toBeUndefined();
  });

  test('a socket that lost nothing carries messages both ways after it', async () => {
    await using server = await startNatsServer();
    await using proxy = await startChaosProxy({ target: server.address });
    await using near = openTransport({ servers: proxy.url, name: 'near' });
    await using far = openTransport({ servers: server.url, name: 'far' });
    const { listener, next } = await serve(far);
    const dialled = await near.dial(listener.address, { metadata });
    await dialled.send(message('one'));
    const accepted = await next();
    await accepted.receive(soon());
    proxy.cut();
    await expect.poll(() => near.isConnected).toBe(false);
    proxy.heal();
    await expect.poll(() => near.isConnected).toBe(true);
    await dialled.send(message('two'));
    expect(textOf(await accepted.receive(soon()))).toBe('two');
    await accepted.send(message('three'));
    expect(textOf(await dialled.receive(soon()))).toBe('three');
  });
});

describe('an end', () => {
  test('passes a full window: the last message is sent, and a close is heard before what came is received', async () => {
    await using server = await startNatsServer();
    await using transport = openTransport({ servers: server.url });
    const { listener, next } = await serve(transport);
    const dialled = await transport.dial(listener.address, { metadata });
    await dialled.send(message('0'));
    const accepted = await next();
    for (let count = 1; count < 1024; count++) await dialled.send(message(String(count)));
    const controller = new AbortController();
    const waiting = dialled.send(message('no room'), { signal: controller.signal });
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'canceled' });
    await dialled.send(message('the end'), { ...soon(), isLast: true });
    await dialled.close();
    await accepted.peerClosed;
    for (let count = 0; count < 1024; count++) expect(textOf(await accepted.receive(soon()))).toBe(String(count));
    expect(textOf(await accepted.receive(soon()))).toBe('the end');
    expect(await accepted.receive(soon())).toBeUndefined();
  });

  test('rejects the sends that wait for room, at the side that closes and at its peer', async () => {
    await using server = await startNatsServer();
    await using transport = openTransport({ servers: server.url });
    const { listener, next } = await serve(transport);
    const dialled = await transport.dial(listener.address, { metadata });
    await dialled.send(message('hello'));
    const accepted = await next();
    const [here, there] = [fill(dialled), fill(accepted)];
    await dialled.close();
    expect(await here).toMatchObject({ code: 'closed' });
    expect(await there).toMatchObject({ code: 'unavailable', retrySafe: true });
  });

  test('of a socket in the dialect of Go Micro has no notice', async () => {
    await using server = await startNatsServer();
    await using transport = openTransport({ servers: server.url });
    expect((await transport.dial('greeter.node')).peerClosed).toBeUndefined();
    expect((await transport.dial('greeter.node', { metadata })).peerClosed).toBeInstanceOf(Promise);
  });
});

/** Sends until that fails, and returns the error. */
async function fill(socket: Socket): Promise<unknown> {
  for (;;) {
    try {
      await socket.send(message('x'));
    } catch (error) {
      return error;
    }
  }
}

/** How the next receive ends. */
async function outcome(socket: Socket): Promise<string> {
  try {
    return (await socket.receive(soon())) === undefined ? 'end' : 'message';
  } catch (error) {
    return (error as { readonly code: string }).code;
  }
}
