import type { Socket, Transport } from '@ts-micro/core';
import { connectNats, decodeEnvelope } from '@ts-micro/nats';
import { startNatsServer } from '@ts-micro/testkit/nats';
import { describe, expect, test } from 'vitest';
import { barePeer, echo, message, openTransport, serve, soon, textOf } from './pair.ts';
import { recordingLogger } from './recording-logger.ts';

describe('sockets at a listener', () => {
  test('are told apart by reply subject', async () => {
    await using server = await startNatsServer();
    await using peer = await barePeer(server.url);
    await using transport = openTransport({ servers: server.url });
    const { listener, sockets } = await serve(transport);
    for (let round = 0; round < 3; round++) {
      for (const name of ['a', 'b']) peer.sendMessage(listener.address, message(`${name}${round}`), `reply.${name}`);
    }
    await peer.connection.flush();
    await expect.poll(() => sockets.map((socket) => socket.remote)).toEqual(['reply.a', 'reply.b']);
    for (const socket of sockets) {
      for (let round = 0; round < 3; round++) {
        expect(textOf(await socket.receive(soon()))).toBe(`${socket.remote.at(-1)}${round}`);
      }
    }
  });

  test('carry a hundred interleaved requests on one reply subject', async () => {
    await using server = await startNatsServer();
    await using peer = await barePeer(server.url);
    await using transport = openTransport({ servers: server.url });
    const listener = await transport.listen();
    let accepted = 0;
    await listener.accept(async (socket) => {
      accepted++;
      const answers: Promise<void>[] = [];
      for (let count = 0; count < 100; count++) {
        const request = await socket.receive(soon());
        if (request === undefined) break;
        // Later requests are answered first.
        const later = new Promise((resolve) => setTimeout(resolve, 100 - count));
        answers.push(later.then(() => socket.send(request)));
      }
      await Promise.all(answers);
    });
    const ids = Array.from({ length: 100 }, (_, index) => String(index));
    for (const id of ids) peer.sendMessage(listener.address, message('hello', { 'Micro-ID': id }));
    await expect.poll(() => peer.received.length).toBe(100);
    const answered = peer.received.map(({ data }) => decodeEnvelope(data).headers['Micro-ID']);
    expect(answered).not.toEqual(ids);
    expect(answered.sort((left, right) => Number(left) - Number(right))).toEqual(ids);
    expect(accepted).toBe(1);
  });

  test('without a reply subject are one for each message and have no answer', async () => {
    await using server = await startNatsServer();
    await using peer = await barePeer(server.url);
    await using transport = openTransport({ servers: server.url });
    const { listener, sockets, next } = await serve(transport);
    for (const text of ['one', 'two']) peer.sendMessage(listener.address, message(text), '');
    for (const text of ['one', 'two']) {
      const socket = await next();
      expect(socket.remote).toBe('');
      expect(textOf(await socket.receive(soon()))).toBe(text);
      expect(await socket.receive(soon())).toBeUndefined();
      await expect(socket.send(message('answer'))).rejects.toMatchObject({ code: 'unsupported' });
    }
    expect(sockets).toHaveLength(2);
  });

  test('survive a malformed message, which is logged without its bytes, and an empty one', async () => {
    await using server = await startNatsServer();
    await using peer = await barePeer(server.url);
    const { logger, lines } = recordingLogger();
    await using transport = openTransport({ servers: server.url, logger });
    const { listener, sockets, next } = await serve(transport);
    peer.sendMessage(listener.address, message('one'));
    for (const wire of ['hunter2', '', '{"Header":{"a":1},"Body":"hunter2"}']) peer.send(listener.address, wire);
    peer.sendMessage(listener.address, message('two'));
    const socket = await next();
    expect(textOf(await socket.receive(soon()))).toBe('one');
    expect(textOf(await socket.receive(soon()))).toBe('two');
    expect(sockets).toHaveLength(1);
    await expect
      .poll(() => lines, { timeout: 5000 })
      .toMatchObject([
        { level: 'warn', fields: { listener: listener.address, error: { code: 'malformed' } } },
        { level: 'warn', message: lines[0]?.message },
      ]);
    expect(JSON.stringify(lines)).not.toContain('hunter2');
  });

  test('whose handler throws are logged', async () => {
    await using server = await startNatsServer();
    await using peer = await barePeer(server.url);
    const { logger, lines } = recordingLogger();
    await using transport = openTransport({ servers: server.url, logger });
    const listener = await transport.listen();
    await listener.accept(() => {
      throw new Error('boom');
    });
    peer.sendMessage(listener.address, message('hello'));
    await expect.poll(() => lines).toMatchObject([{ level: 'error', fields: { remote: peer.inbox } }]);
  });

  test('beyond `maxSockets` are refused as if nobody listened, until there is room', async () => {
    await using server = await startNatsServer();
    const { logger, lines } = recordingLogger();
    await using transport = openTransport({ servers: server.url, logger, maxSockets: 2 });
    const { listener, next } = await serve(transport);
    const dialled = await Promise.all([1, 2, 3, 4].map(() => transport.dial(listener.address)));
    for (const socket of dialled) await socket.send(message('hello'));
    const [first] = [await next(), await next()];
    for (const socket of dialled.slice(2)) {
      await expect(socket.receive(soon())).rejects.toMatchObject({ code: 'unavailable', retrySafe: true });
    }
    expect(lines).toMatchObject([{ level: 'warn', fields: { listener: listener.address, sockets: 2 } }]);
    await first?.close();
    const another = await transport.dial(listener.address);
    await another.send(message('hello'));
    expect(textOf(await (await next()).receive(soon()))).toBe('hello');
  });

  test('beyond `maxSockets` leave for another peer where theirs has more than half, and are not retried', async () => {
    await using server = await startNatsServer();
    await using transport = openTransport({ servers: server.url, maxSockets: 4 });
    await using greedy = openTransport({ servers: server.url, name: 'greedy' });
    await using modest = openTransport({ servers: server.url, name: 'modest' });
    const { listener, next } = await serve(transport);
    const dial = async (from: Transport, text: string) => {
      const socket = await from.dial(listener.address, { metadata: listener.metadata });
      await socket.send(message(text));
      return socket;
    };
    const dialled: Socket[] = [];
    for (let count = 0; count < 4; count++) {
      dialled.push(await dial(greedy, `${count}`));
      expect(textOf(await (await next()).receive(soon()))).toBe(`${count}`);
    }
    await dial(modest, 'hello');
    const accepted = await next();
    expect(textOf(await accepted.receive(soon()))).toBe('hello');
    // The idlest are told, by an end that says that their message was received.
    for (const socket of dialled.slice(0, 2)) expect(await socket.receive(soon())).toBeUndefined();
    for (const socket of dialled.slice(2)) expect(socket).toHaveProperty('isOpen', true);
  });

  test('with more messages waiting than may fail, and their dialler is told', async () => {
    await using server = await startNatsServer();
    const { logger, lines } = recordingLogger();
    await using listening = openTransport({ servers: server.url, logger, maxQueuedMessages: 10 });
    await using dialling = openTransport({ servers: server.url, name: 'dialling' });
    const { listener, next } = await serve(listening);
    const dialled = await dialling.dial(listener.address);
    for (let count = 0; count < 11; count++) await dialled.send(message(`${count}`));
    const accepted = await next();
    expect(await accepted.closed).toMatchObject({ code: 'unavailable' });
    expect(await dialled.closed).toMatchObject({ code: 'unavailable', retrySafe: false });
    for (let count = 0; count < 10; count++) expect(textOf(await accepted.receive())).toBe(`${count}`);
    await expect(accepted.receive()).rejects.toMatchObject({ code: 'unavailable' });
    expect(lines).toMatchObject([{ level: 'warn', fields: { remote: dialled.local } }]);
  });
});

describe('a connection that was closed', () => {
  test('ends listeners and their sockets at once, whatever their handlers do', async () => {
    await using server = await startNatsServer();
    await using peer = await barePeer(server.url);
    const connection = await connectNats({ servers: server.url });
    await using transport = openTransport({ connection, closeTimeoutMs: 600_000 });
    const listener = await transport.listen();
    const accepted: Socket[] = [];
    const never = new Promise<void>(() => {});
    await listener.accept((socket) => {
      accepted.push(socket);
      return never;
    });
    peer.sendMessage(listener.address, message('hello'));
    await expect.poll(() => accepted).toHaveLength(1);
    const [socket] = accepted as [Socket];
    expect(textOf(await socket.receive(soon()))).toBe('hello');
    const pending = expect(socket.receive(soon())).rejects.toMatchObject({ code: 'unavailable' });
    await connection.close();
    await pending;
    expect(await socket.closed).toMatchObject({ code: 'unavailable' });
    await expect(socket.send(message('answer'))).rejects.toMatchObject({ code: 'unavailable' });
    await transport.close({ signal: AbortSignal.abort() });
    expect(await listener.closed).toMatchObject({ code: 'unavailable' });
  });
});

describe('an idle socket', () => {
  test('ends as if its peer had closed, and a later message makes a new one', async () => {
    await using server = await startNatsServer();
    await using peer = await barePeer(server.url);
    await using transport = openTransport({ servers: server.url, idleTimeoutMs: 200 });
    const { listener, next } = await serve(transport);
    peer.sendMessage(listener.address, message('one'));
    const first = await next();
    expect(textOf(await first.receive(soon()))).toBe('one');
    expect(await first.receive(soon())).toBeUndefined();
    peer.sendMessage(listener.address, message('two'));
    const second = await next();
    expect(second.remote).toBe(first.remote);
    expect(textOf(await second.receive(soon()))).toBe('two');
    await first.close();
    peer.sendMessage(listener.address, message('three'));
    expect(textOf(await second.receive(soon()))).toBe('three');
  });

  test('still sends until its handler settles', async () => {
    await using server = await startNatsServer();
    await using peer = await barePeer(server.url);
    await using transport = openTransport({ servers: server.url, idleTimeoutMs: 100 });
    const listener = await transport.listen();
    await listener.accept(async (socket) => {
      const request = await socket.receive(soon());
      // The end of the input is what tells that it was given up.
      if ((await socket.receive(soon())) === undefined && request) await socket.send(request);
    });
    peer.sendMessage(listener.address, message('a long one'));
    await expect.poll(() => peer.received.map(({ data }) => textOf(decodeEnvelope(data)))).toEqual(['a long one']);
  });

  test('is not one on which messages go in either direction', async () => {
    await using server = await startNatsServer();
    await using peer = await barePeer(server.url);
    await using transport = openTransport({ servers: server.url, idleTimeoutMs: 500 });
    const { listener, sockets, next } = await serve(transport);
    peer.sendMessage(listener.address, message('hello'));
    const socket = await next();
    expect(textOf(await socket.receive(soon()))).toBe('hello');
    const input = socket.receive(soon());
    for (let count = 0; count < 12; count++) {
      await socket.send(message('still here'));
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    peer.sendMessage(listener.address, message('here too'));
    expect(textOf(await input)).toBe('here too');
    expect(sockets).toHaveLength(1);
  });
});

describe('a dialler that has gone without a word', () => {
  test('is found out by sending, and ends the socket', async () => {
    await using server = await startNatsServer();
    await using peer = await barePeer(server.url);
    await using transport = openTransport({ servers: server.url });
    const { listener, next } = await serve(transport);
    peer.sendMessage(listener.address, message('hello'));
    const socket = await next();
    expect(textOf(await socket.receive(soon()))).toBe('hello');
    peer.leave();
    await peer.connection.flush();
    const input = socket.receive(soon());
    await expect.poll(() => sendFailure(socket)).toMatchObject({ code: 'unavailable' });
    expect(await input).toBeUndefined();
    expect(await socket.receive()).toBeUndefined();
    expect(await socket.closed).toMatchObject({ code: 'unavailable' });
  });

  test('is found out also where only its socket was closed', async () => {
    await using server = await startNatsServer();
    await using listening = openTransport({ servers: server.url });
    await using dialling = openTransport({ servers: server.url, name: 'dialling' });
    const { listener, next } = await serve(listening);
    const dialled = await dialling.dial(listener.address);
    await dialled.send(message('hello'));
    const accepted = await next();
    await dialled.close();
    await expect.poll(() => sendFailure(accepted)).toMatchObject({ code: 'unavailable' });
    expect(textOf(await accepted.receive())).toBe('hello');
    expect(await accepted.receive()).toBeUndefined();
  });

  test('is asked after at most once a second, and never while it is heard of', async () => {
    await using server = await startNatsServer();
    await using peer = await barePeer(server.url);
    await using transport = openTransport({ servers: server.url });
    const { listener, next } = await serve(transport);
    peer.sendMessage(listener.address, message('hello'));
    const socket = await next();
    const start = performance.now();
    while (performance.now() - start < 3500) {
      await socket.send(message('tick'));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await peer.connection.flush();
    const asked = peer.received.filter((one) => one.reply !== undefined);
    expect(asked.length).toBeGreaterThanOrEqual(1);
    expect(asked.length).toBeLessThanOrEqual(3);
    expect(new Set(asked.map((one) => one.reply)).size).toBe(1);
    const before = peer.received.length;
    for (let count = 0; count < 10; count++) {
      peer.sendMessage(listener.address, message('me too'));
      await socket.receive(soon());
      await socket.send(message('tick'));
    }
    await expect.poll(() => peer.received.length).toBeGreaterThanOrEqual(before + 10);
    expect(peer.received.slice(-10).filter((one) => one.reply !== undefined)).toEqual([]);
  });

  test('is not asked after by the answer to a request, however late', async () => {
    await using server = await startNatsServer();
    await using peer = await barePeer(server.url);
    await using transport = openTransport({ servers: server.url });
    const listener = await transport.listen();
    await listener.accept(async (socket) => {
      for await (const request of socket) {
        await new Promise((resolve) => setTimeout(resolve, 1700));
        await socket.send(request);
      }
    });
    for (const text of ['one', 'two']) {
      peer.sendMessage(listener.address, message(text));
      await expect.poll(() => textOf(lastOf(peer.received))).toBe(text);
    }
    expect(peer.received.map((one) => one.reply)).toEqual([undefined, undefined]);
  });
});

describe('closing a listener', () => {
  test('refuses new sockets at once, as the server does where nobody listens', async () => {
    await using server = await startNatsServer();
    await using transport = openTransport({ servers: server.url, closeTimeoutMs: 10_000 });
    const { listener, next } = await serve(transport);
    const open = await transport.dial(listener.address);
    await open.send(message('hello'));
    const accepted = await next();
    const closing = listener.close();
    const late = await transport.dial(listener.address);
    await late.send(message('too late'));
    await expect(late.receive(soon())).rejects.toMatchObject({ code: 'unavailable', retrySafe: true });
    await accepted.close();
    await closing;
    expect(await listener.closed).toBeUndefined();
    await open.send(message('nobody is there'));
    expect(await open.closed).toMatchObject({ code: 'unavailable', retrySafe: false });
  });

  test('loses no answer: every request is answered or refused', async () => {
    await using server = await startNatsServer();
    // A close that is cut short by its bound may leave a request without a word.
    await using listening = openTransport({ servers: server.url, closeTimeoutMs: 10_000 });
    await using dialling = openTransport({ servers: server.url, name: 'dialling' });
    const listener = await listening.listen();
    await listener.accept(async (socket) => {
      const request = await socket.receive(soon());
      await new Promise((resolve) => setTimeout(resolve, 20));
      if (request) await socket.send(request);
    });
    const ask = async (): Promise<string> => {
      await using socket = await dialling.dial(listener.address);
      try {
        await socket.send(message('hello'));
        return textOf(await socket.receive(soon())) ?? 'ended';
      } catch (error) {
        return (error as { code: string }).code;
      }
    };
    expect(await ask()).toBe('hello');
    const asking: Promise<string>[] = [];
    for (let round = 0; round < 20; round++) {
      for (let count = 0; count < 20; count++) asking.push(ask());
      if (round === 10) void listening.close();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const outcomes = await Promise.all(asking);
    expect(outcomes.filter((outcome) => outcome !== 'hello' && outcome !== 'unavailable')).toEqual([]);
    expect(await listening.closed).toBeUndefined();
  });

  test('with its transport gives connection and subscriptions back, though a handler does not settle', async () => {
    await using server = await startNatsServer();
    await using peer = await barePeer(server.url);
    const transport = openTransport({ servers: server.url });
    const { listener, next } = await serve(transport);
    const socket = await transport.dial(listener.address);
    await socket.send(message('hello'));
    await next();
    await transport.close();
    expect(await transport.closed).toMatchObject({ code: 'timeout' });
    await expect.poll(() => server.counts()).toEqual({ connections: 1, subscriptions: 1 });
    await expect(peer.connection.flush()).resolves.toBeUndefined();
  });
});

test('a listener whose address the account may not subscribe to is refused with `unauthorized`', async () => {
  const permissions = 'subscribe: { deny: ["secret.>"] }';
  const config = `authorization { users: [{ user: ann, password: x, permissions: { ${permissions} } }] }`;
  await using server = await startNatsServer({ config });
  await using transport = openTransport({ servers: server.url, user: 'ann', password: 'x' });
  const listener = await transport.listen('secret.node');
  await expect(listener.accept(echo)).rejects.toMatchObject({ code: 'unauthorized' });
  expect(await listener.closed).toMatchObject({ code: 'unauthorized' });
});

test('a restarted server has its listeners and sockets back', async () => {
  await using server = await startNatsServer();
  await using transport = openTransport({ servers: server.url });
  const listener = await transport.listen('greeter.node');
  await listener.accept(echo);
  await server.restart();
  const exchange = async (): Promise<string | undefined> => {
    const socket: Socket = await transport.dial('greeter.node');
    try {
      await socket.send(message('hello'));
      return textOf(await socket.receive({ signal: AbortSignal.timeout(500) }));
    } catch (error) {
      return (error as { code: string }).code;
    } finally {
      await socket.close();
    }
  };
  await expect.poll(exchange).toBe('hello');
});

/** What a send rejects with, once it does. */
async function sendFailure(socket: Socket): Promise<unknown> {
  try {
    await socket.send(message('tick'));
    return undefined;
  } catch (error) {
    return error;
  }
}

function lastOf(received: readonly { readonly data: Uint8Array }[]) {
  const last = received.at(-1);
  return last && decodeEnvelope(last.data);
}
