import { createHash, randomBytes } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Socket } from '@ts-micro/core';
import { encodeEnvelope } from '@ts-micro/nats';
import { startNatsServer } from '@ts-micro/testkit/nats';
import { describe, expect, test } from 'vitest';
import { barePeer, echo, message, openTransport, serve, soon, textOf } from './pair.ts';
import { recordingLogger } from './recording-logger.ts';

const metadata = { 'ts-micro-frames': '1' };
const mebibyte = 1024 * 1024;
setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Bytes of array buffers once what earlier tests left is freed: V8 frees it in the background after a collection. */
async function settledArrayBuffers(): Promise<number> {
  let before = Number.POSITIVE_INFINITY;
  for (;;) {
    collectGarbage();
    await nextTurn();
    const now = process.memoryUsage().arrayBuffers;
    if (now >= before) return before;
    before = now;
  }
}

describe('frames', () => {
  test('are spoken with who is dialled with metadata that says so, and with nobody else', async () => {
    await using server = await startNatsServer();
    await using peer = await barePeer(server.url);
    await using transport = openTransport({ servers: server.url });
    await using goOnly = openTransport({ servers: server.url, dialect: 'go' });
    await peer.hear('greeter.node');
    for (const [dialling, options] of [
      [transport, { metadata }],
      [transport, {}],
      [transport, { metadata: { 'ts-micro-frames': '2' } }],
      [goOnly, { metadata }],
    ] as const) {
      const socket = await dialling.dial('greeter.node', options);
      await socket.send(message('hi', { '~e': 'A.B' }));
    }
    const envelope = '{"Header":{"~e":"A.B"},"Body":"aGk="}';
    await expect
      .poll(() =>
        peer.received.map(({ data }) => (data[0] === 0xf5 ? Buffer.from(data).toString('hex') : String(data))),
      )
      .toEqual(['f501000501034 12e426869'.replace(' ', ''), envelope, envelope, envelope]);
    expect(peer.received[0]?.reply).toMatch(/^_INBOX\./);
    expect(peer.received[0]?.headers()).toEqual({});
  });

  test('are advertised by listeners, unless they are held to the dialect of Go Micro', async () => {
    await using server = await startNatsServer();
    await using transport = openTransport({ servers: server.url });
    await using goOnly = openTransport({ servers: server.url, dialect: 'go' });
    expect((await transport.listen()).metadata).toEqual(metadata);
    expect((await goOnly.listen()).metadata).toEqual({});
  });

  test('are answered in frames, and envelopes in envelopes, by one listener', async () => {
    await using server = await startNatsServer();
    await using peer = await barePeer(server.url);
    await using transport = openTransport({ servers: server.url });
    const listener = await transport.listen();
    await listener.accept(echo);
    peer.send(listener.address, frame('01 00 00 68'));
    await expect.poll(() => hexOf(peer.received.at(-1))).toBe('f501000068');
    peer.sendMessage(listener.address, message('h'));
    await expect.poll(() => String(peer.received.at(-1)?.data)).toBe('{"Header":{},"Body":"aA=="}');
  });

  test('that begin in the middle are refused as if nobody listened', async () => {
    await using server = await startNatsServer();
    await using peer = await barePeer(server.url);
    await using transport = openTransport({ servers: server.url });
    const { listener, sockets } = await serve(transport);
    for (const late of ['01 05 00', '03 00 64 0a 61', '05 00 00', '02 05 00', '04 00 00 00 00', '03 00 00 00']) {
      peer.send(listener.address, frame(late));
    }
    await expect.poll(() => peer.received.map(({ status }) => status)).toEqual([503, 503, 503]);
    expect(sockets).toHaveLength(0);
  });

  test('that are malformed fail the socket of a dialler', async () => {
    await using server = await startNatsServer();
    await using peer = await barePeer(server.url);
    await using transport = openTransport({ servers: server.url });
    await peer.hear('greeter.node');
    const socket = await transport.dial('greeter.node', { metadata });
    await socket.send(message('hello'));
    peer.send(socket.local, frame('01 00 05'), '');
    await expect(socket.receive(soon())).rejects.toMatchObject({ code: 'malformed' });
    await expect.poll(() => hexOf(peer.received.at(-1))).toBe('f5020100');
  });

  test('that are malformed are logged and ignored by a listener', async () => {
    await using server = await startNatsServer();
    await using peer = await barePeer(server.url);
    const { logger, lines } = recordingLogger();
    await using transport = openTransport({ servers: server.url, logger });
    const { listener, sockets, next } = await serve(transport);
    peer.send(listener.address, frame('01 00 05'));
    peer.send(listener.address, frame('01 00 00 61'));
    peer.send(listener.address, frame('01 01 05'));
    peer.send(listener.address, frame('01 01 00 62'));
    const socket = await next();
    expect([textOf(await socket.receive(soon())), textOf(await socket.receive(soon()))]).toEqual(['a', 'b']);
    expect(sockets).toHaveLength(1);
    await expect
      .poll(() => lines.map(({ level, message: text }) => [level, text]), { timeout: 5000 })
      .toEqual([
        ['warn', 'nats message is malformed'],
        ['warn', 'nats message is malformed'],
      ]);
  });

  test('that are malformed and many are a line or two in the log, which count them', async () => {
    await using server = await startNatsServer();
    await using peer = await barePeer(server.url);
    const { logger, lines } = recordingLogger();
    await using transport = openTransport({ servers: server.url, logger });
    const { listener } = await serve(transport);
    const many = 2000;
    for (let count = 0; count < many; count++) peer.send(listener.address, frame('01 00 05'));
    const told = () => lines.reduce((sum, { fields }) => sum + 1 + Number(fields?.leftOut ?? 0), 0);
    await expect.poll(told, { timeout: 10_000 }).toBe(many);
    expect(lines.length).toBeLessThan(10);
  });

  test('of random bytes harm nobody', async () => {
    await using server = await startNatsServer();
    await using peer = await barePeer(server.url);
    await using transport = openTransport({ servers: server.url });
    const listener = await transport.listen();
    await listener.accept(echo);
    for (let count = 0; count < 3000; count++) {
      const bytes = randomBytes(2 + (count % 30));
      bytes[0] = 0xf5;
      if (count % 2 === 0) bytes[1] = 1 + (count % 5);
      peer.send(listener.address, bytes, count % 3 === 0 ? '' : `reply.${count % 50}`);
    }
    await peer.connection.flush();
    const socket = await transport.dial(listener.address, { metadata });
    await socket.send(message('still there'));
    expect(textOf(await socket.receive(soon()))).toBe('still there');
    await socket.close();
  });
});

describe('a message that was lost', () => {
  test('fails the socket of a dialler rather than leaving a gap', async () => {
    await using server = await startNatsServer();
    await using peer = await barePeer(server.url);
    await using transport = openTransport({ servers: server.url });
    await peer.hear('greeter.node');
    const socket = await transport.dial('greeter.node', { metadata });
    await socket.send(message('hello'));
    for (const one of ['01 00 00 61', '01 00 00 78', '01 02 00 63']) peer.send(socket.local, frame(one), '');
    expect(textOf(await socket.receive(soon()))).toBe('a');
    await expect(socket.receive(soon())).rejects.toMatchObject({ code: 'unavailable', retrySafe: false });
  });

  test('fails the socket of a listener, and its dialler is told', async () => {
    await using server = await startNatsServer();
    await using peer = await barePeer(server.url);
    await using transport = openTransport({ servers: server.url });
    const { listener, next } = await serve(transport);
    for (const one of ['01 00 00 61', '01 02 00 63']) peer.send(listener.address, frame(one));
    const socket = await next();
    expect(textOf(await socket.receive(soon()))).toBe('a');
    await expect(socket.receive(soon())).rejects.toMatchObject({ code: 'unavailable' });
    await expect.poll(() => peer.received.map(({ status }) => status)).toEqual([503]);
  });

  test('shows also at a close, a chunk and a question', async () => {
    await using server = await startNatsServer();
    await using peer = await barePeer(server.url);
    await using transport = openTransport({ servers: server.url });
    await peer.hear('greeter.node');
    for (const one of ['02 02 01', '03 01 64 0a 61', '03 02 64 00 61', '05 02 00', '05 01 0a']) {
      const socket = await transport.dial('greeter.node', { metadata });
      await socket.send(message('hello'));
      peer.send(socket.local, frame('01 00 00 61'), '');
      peer.send(socket.local, frame(one), '');
      expect(textOf(await socket.receive(soon())), one).toBe('a');
      await expect(socket.receive(soon()), one).rejects.toMatchObject({ code: 'unavailable' });
    }
  });
});

describe('a close', () => {
  test('is told to the other side with what was sent and received', async () => {
    await using server = await startNatsServer();
    await using peer = await barePeer(server.url);
    await using transport = openTransport({ servers: server.url });
    const { listener, next } = await serve(transport);
    for (const one of ['01 00 00 61', '01 01 00 62']) peer.send(listener.address, frame(one));
    const socket = await next();
    await socket.receive(soon());
    await socket.send(message('x'));
    await socket.close();
    await expect.poll(() => peer.received.map(hexOf)).toEqual(['f501000078', 'f5020101']);
  });

  test('of a socket that sent nothing is told to nobody', async () => {
    await using server = await startNatsServer();
    await using peer = await barePeer(server.url);
    await using transport = openTransport({ servers: server.url });
    await peer.hear('greeter.node');
    await (await transport.dial('greeter.node', { metadata })).close();
    const socket = await transport.dial('greeter.node', { metadata });
    await socket.send(message('x'));
    await expect.poll(() => peer.received.map(hexOf)).toEqual(['f501000078']);
  });

  test('by who has not received what was sent says that it is safe to retry', async () => {
    await using server = await startNatsServer();
    await using peer = await barePeer(server.url);
    await using transport = openTransport({ servers: server.url });
    await peer.hear('greeter.node');
    const [unheard, heard] = [
      await transport.dial('greeter.node', { metadata }),
      await transport.dial('greeter.node', { metadata }),
    ];
    for (const socket of [unheard, heard]) await socket.send(message('hello'));
    peer.send(unheard.local, frame('02 00 00'), '');
    peer.send(heard.local, frame('02 00 01'), '');
    await expect(unheard.receive(soon())).rejects.toMatchObject({ code: 'unavailable', retrySafe: true });
    expect(await heard.receive(soon())).toBeUndefined();
    await expect(heard.send(message('too late'))).rejects.toMatchObject({ code: 'unavailable', retrySafe: true });
  });
});

describe('a fast sender', () => {
  for (const side of ['dialler', 'listener'] as const) {
    test(`at the ${side} waits for a slow receiver, whose memory does not grow`, async () => {
      await using server = await startNatsServer();
      await using transport = openTransport({ servers: server.url });
      const { from, to } = await pairOf(transport, side);
      const body = new Uint8Array(32 * 1024);
      let sent = 0;
      const sending = (async () => {
        for (; sent < 500; sent++) await from.send({ headers: {}, body });
      })();
      await expect.poll(() => sent).toBeGreaterThan(20);
      let most = 0;
      for (let received = 0; received < 500; received++) {
        most = Math.max(most, sent - received);
        expect((await to.receive(soon()))?.body.length).toBe(body.length);
      }
      await sending;
      // A window of 1 MiB and one message, and one more that was handed over while this looked.
      expect(most).toBeLessThanOrEqual(34);
    });
  }

  test('has at most 1024 messages on the way, and its wait can be aborted or ended', async () => {
    await using server = await startNatsServer();
    await using transport = openTransport({ servers: server.url });
    const { from, to } = await pairOf(transport, 'dialler');
    for (let count = 0; count < 1023; count++) await from.send(message(`${count}`));
    await expect(from.send(message('late'), { signal: AbortSignal.timeout(100) })).rejects.toMatchObject({
      code: 'timeout',
    });
    const next = from.send(message('next'));
    const last = from.send(message('last'));
    for (let count = 0; count < 1023; count++) expect(textOf(await to.receive(soon()))).toBe(`${count}`);
    await Promise.all([next, last]);
    expect([textOf(await to.receive(soon())), textOf(await to.receive(soon()))]).toEqual(['next', 'last']);
    const many = Array.from({ length: 1100 }, () => from.send(message('x')));
    const outcomes = Promise.allSettled(many);
    await from.close();
    const refused = (await outcomes).filter(({ status }) => status === 'rejected');
    expect(refused.length).toBeGreaterThanOrEqual(1100 - 1024);
    expect(refused.length).toBeLessThan(1100 - 512);
    expect(refused[0]).toMatchObject({ reason: { code: 'closed' } });
  });

  test('asks for credit that was lost', async () => {
    await using server = await startNatsServer();
    await using peer = await barePeer(server.url);
    await using transport = openTransport({ servers: server.url });
    await peer.hear('greeter.node');
    const socket = await transport.dial('greeter.node', { metadata });
    for (let count = 0; count < 1024; count++) await socket.send(message(''));
    const late = socket.send(message('late'));
    await expect.poll(() => hexOf(peer.received.at(-1)), { timeout: 5000 }).toBe('f505800800');
    peer.send(socket.local, frame('04 8008 00 8008 00'), '');
    await late;
    await expect.poll(() => hexOf(peer.received.at(-1))).toBe(`f501800800${Buffer.from('late').toString('hex')}`);
  });

  test('finds out that a receiver has gone without a word', async () => {
    await using server = await startNatsServer();
    await using peer = await barePeer(server.url);
    await using transport = openTransport({ servers: server.url });
    const { listener, next } = await serve(transport);
    peer.send(listener.address, frame('01 00 00 61'));
    const socket = await next();
    await socket.receive(soon());
    peer.leave();
    await peer.connection.flush();
    const sends = Array.from({ length: 1025 }, () => socket.send(message('x')));
    await expect(sends.at(-1)).rejects.toMatchObject({ code: 'unavailable' });
    await Promise.allSettled(sends);
  });

  test('is refused in an outage', async () => {
    await using server = await startNatsServer();
    await using transport = openTransport({ servers: server.url });
    const { from } = await pairOf(transport, 'dialler');
    for (let count = 0; count < 1024; count++) await from.send(message(''));
    const late = from.send(message('late'));
    await Promise.all([expect(late).rejects.toMatchObject({ code: 'unavailable' }), server.kill()]);
    await server.restart();
  });
});

describe('a large message', () => {
  test('goes both ways through a server that takes 1 MiB', async () => {
    await using server = await startNatsServer();
    await using transport = openTransport({ servers: server.url });
    const listener = await transport.listen();
    await listener.accept(echo);
    await using socket = await transport.dial(listener.address, { metadata: listener.metadata });
    const sent = { headers: { 'Content-Type': 'application/octet-stream' }, body: randomBytes(8 * mebibyte) };
    await socket.send(sent);
    const received = await socket.receive(soon());
    expect(received?.headers).toEqual(sent.headers);
    expect(hashOf(received?.body)).toBe(hashOf(sent.body));
  });

  test('is refused with `too_large` where the server takes less than the head of a chunk', async () => {
    await using server = await startNatsServer({ config: 'max_payload: 24' });
    await using transport = openTransport({ servers: server.url });
    const listener = await transport.listen();
    await listener.accept(echo);
    await using socket = await transport.dial(listener.address, { metadata: listener.metadata });
    await expect(socket.send(message('x'.repeat(100)), soon())).rejects.toMatchObject({ code: 'too_large' });
    await socket.send(message('x'));
    expect(textOf(await socket.receive(soon()))).toBe('x');
  });

  test('takes memory of about its size at each end', async () => {
    await using server = await startNatsServer();
    await using transport = openTransport({ servers: server.url });
    const { from, to } = await pairOf(transport, 'dialler');
    const body = randomBytes(32 * mebibyte);
    const before = await settledArrayBuffers();
    let most = 0;
    // What is held, and not what a busy machine has not come to collect yet.
    const look = () => {
      collectGarbage();
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    };
    const watch = setInterval(look, 100);
    const [received] = await Promise.all([
      to.receive({ signal: AbortSignal.timeout(60_000) }),
      from.send({ headers: {}, body }),
    ]);
    clearInterval(watch);
    look();
    expect(hashOf(received?.body)).toBe(hashOf(body));
    expect(most).toBeGreaterThan(body.length / 2);
    // Beside the body at the sender: the one at the receiver, and what is on the way.
    expect(most).toBeLessThan(2 * body.length);
  }, 90_000);

  test('leaves its place in the order to none, and others on the connection get their turn', async () => {
    await using server = await startNatsServer();
    await using transport = openTransport({ servers: server.url });
    const { from, to } = await pairOf(transport, 'dialler');
    const other = await pairOf(transport, 'listener');
    const sizes = [10, 3 * mebibyte, 20, 5 * mebibyte, 0];
    const sending = sizes.map((size) => from.send({ headers: {}, body: new Uint8Array(size) }));
    await other.from.send(message('meanwhile'));
    expect(textOf(await other.to.receive(soon()))).toBe('meanwhile');
    for (const size of sizes) expect((await to.receive(soon()))?.body.length).toBe(size);
    await Promise.all(sending);
  });

  test('that is given up on the way leaves the socket usable', async () => {
    await using server = await startNatsServer();
    await using peer = await barePeer(server.url);
    await using transport = openTransport({ servers: server.url });
    const { from, to } = await pairOf(transport, 'dialler');
    await peer.hear('greeter.node');
    const deaf = await transport.dial('greeter.node', { metadata });
    await expect(
      deaf.send({ headers: {}, body: new Uint8Array(3 * mebibyte) }, { signal: AbortSignal.timeout(300) }),
    ).rejects.toMatchObject({ code: 'timeout' });
    await deaf.send(message('x'));
    await expect.poll(() => peer.received.slice(-2).map(hexOf)).toEqual(['f503000000', 'f501000078']);
    const controller = new AbortController();
    const sending = from.send({ headers: {}, body: new Uint8Array(64 * mebibyte) }, { signal: controller.signal });
    setImmediate(() => controller.abort());
    await expect(sending).rejects.toMatchObject({ code: 'canceled' });
    await from.send(message('after it'));
    expect(textOf(await to.receive(soon()))).toBe('after it');
  });

  test('above `maxMessageBytes` is refused before anything is sent', async () => {
    await using server = await startNatsServer();
    await using peer = await barePeer(server.url);
    await using transport = openTransport({ servers: server.url, maxMessageBytes: 2 * mebibyte });
    expect(transport.supports.maxBodyBytes).toBe(2 * mebibyte);
    await peer.hear('greeter.node');
    const socket = await transport.dial('greeter.node', { metadata });
    const tooLarge = { headers: {}, body: new Uint8Array(2 * mebibyte + 1) };
    await expect(socket.send(tooLarge)).rejects.toMatchObject({ code: 'too_large' });
    await socket.send(message('x'));
    await expect.poll(() => peer.received.map(hexOf)).toEqual(['f501000078']);
  });

  test('above what the receiver takes fails its socket', async () => {
    await using server = await startNatsServer();
    await using peer = await barePeer(server.url);
    await using transport = openTransport({ servers: server.url, maxMessageBytes: mebibyte });
    await peer.hear('greeter.node');
    const socket = await transport.dial('greeter.node', { metadata });
    await socket.send(message('hello'));
    peer.send(socket.local, frame('03 00 80808008 00 61'), '');
    await expect(socket.receive(soon())).rejects.toMatchObject({ code: 'too_large' });
  });

  test('whose bytes have no room makes the one whose last bytes came longest ago go, half of the room at most for one process', async () => {
    await using server = await startNatsServer();
    await using peer = await barePeer(server.url);
    const { logger, lines } = recordingLogger();
    await using transport = openTransport({ servers: server.url, logger, maxReassemblyBytes: 4000 });
    const { listener, sockets, next } = await serve(transport);
    for (const inbox of ['a.*', 'b.*', 'c.*']) await peer.hear(inbox);
    const begin = (reply: string) =>
      peer.send(listener.address, Buffer.concat([frame('03 00 dc16 00'), Buffer.alloc(1500)]), reply);
    const told = () => peer.received.map(({ subject, status }) => `${subject} ${status || 'update'}`);
    begin('a.1');
    begin('b.1');
    await expect.poll(told).toEqual(['a.1 update', 'b.1 update']);
    begin('c.1');
    await expect.poll(told).toEqual(['a.1 update', 'b.1 update', 'a.1 503', 'c.1 update']);
    begin('b.2');
    await expect.poll(told).toHaveLength(6);
    expect(told().slice(4)).toEqual(['b.1 503', 'b.2 update']);
    expect(lines[0]?.fields?.reason).toContain(
      'messages that are incomplete or were not received hold more than 4000 bytes together',
    );
    // Nobody has a handler yet, as no message has come whole.
    expect(sockets).toHaveLength(0);
    const large = await transport.dial(listener.address, { metadata });
    await large.send({ headers: {}, body: new Uint8Array(2 * mebibyte) });
    expect((await (await next()).receive(soon()))?.body.length).toBe(2 * mebibyte);
  });

  test('which answers what was dialled has no more room either, half of it at most for one address', async () => {
    await using server = await startNatsServer();
    await using peer = await barePeer(server.url);
    await using transport = openTransport({ servers: server.url, maxReassemblyBytes: 4000 });
    await peer.hear('svc.*');
    const begin = async (address: string) => {
      const socket = await transport.dial(address, { metadata });
      const before = peer.received.length;
      await socket.send(message('hello'));
      await expect.poll(() => peer.received.length).toBeGreaterThan(before);
      // An answer of 2908 bytes is announced, and 1500 of them come.
      const reply = peer.received.at(-1)?.reply as string;
      peer.connection.publish(reply, Buffer.concat([frame('03 00 dc16 00'), Buffer.alloc(1500)]));
      await expect.poll(() => peer.received.length).toBeGreaterThan(before + 1);
      return socket;
    };
    const [first, other, second] = [await begin('svc.a'), await begin('svc.b'), await begin('svc.a')];
    await expect(first.receive(soon())).rejects.toMatchObject({
      code: 'unavailable',
      retrySafe: false,
      message: expect.stringContaining(
        'messages that are incomplete or were not received hold more than 4000 bytes together',
      ),
    });
    for (const socket of [other, second]) expect(socket).toHaveProperty('isOpen', true);
    await Promise.all([other.close(), second.close()]);
  });

  test('and of the largest size comes, though four of one process are on the way at once', async () => {
    await using server = await startNatsServer();
    await using transport = openTransport({ servers: server.url, maxMessageBytes: 4 * mebibyte });
    const { listener, next } = await serve(transport);
    const sizes = Promise.all(
      Array.from({ length: 4 }, async () => (await (await next()).receive(soon()))?.body.length),
    );
    const body = new Uint8Array(4 * mebibyte);
    const send = async () => {
      const socket = await transport.dial(listener.address, { metadata });
      await socket.send({ headers: {}, body });
    };
    await Promise.all(Array.from({ length: 4 }, send));
    expect(await sizes).toEqual(Array.from({ length: 4 }, () => body.length));
  });

  test('that announces much and brings little takes no memory, and harms nobody', async () => {
    await using server = await startNatsServer();
    await using peer = await barePeer(server.url);
    await using transport = openTransport({ servers: server.url });
    const { listener, next } = await serve(transport);
    const before = await settledArrayBuffers();
    // 128 MiB announced by each.
    for (let count = 0; count < 6000; count++)
      peer.send(listener.address, frame('03 00 80808040 00 61'), `evil.${count}`);
    await peer.connection.flush();
    collectGarbage();
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * mebibyte);
    const socket = await transport.dial(listener.address, { metadata });
    await socket.send({ headers: {}, body: new Uint8Array(3 * mebibyte) });
    expect((await (await next()).receive(soon()))?.body.length).toBe(3 * mebibyte);
  });

  test('whose first chunk is malformed leaves nothing behind', async () => {
    await using server = await startNatsServer();
    await using peer = await barePeer(server.url);
    await using transport = openTransport({ servers: server.url, maxReassemblyBytes: 1000 });
    const { listener, next } = await serve(transport);
    // Empty, longer than its total, and a total that would be no number.
    const endless = '80'.repeat(147);
    for (const bad of ['03 00 64 00', '03 00 02 00 616161', `03 00 ${endless}00 00 61`, `01 ${endless}00 00`]) {
      for (let count = 0; count < 50; count++) peer.send(listener.address, frame(bad), `evil.${count}`);
    }
    const socket = await transport.dial(listener.address, { metadata });
    await socket.send({ headers: {}, body: new Uint8Array(2 * mebibyte) });
    expect((await (await next()).receive(soon()))?.body.length).toBe(2 * mebibyte);
  });

  test('of chunks that do not fit fails the socket', async () => {
    await using server = await startNatsServer();
    await using peer = await barePeer(server.url);
    await using transport = openTransport({ servers: server.url });
    await peer.hear('greeter.node');
    for (const chunks of [
      ['03 00 02 00 616161'],
      ['03 00 03 00 61', '03 00 04 01 61'],
      ['03 00 03 00 616161'],
      ['03 00 03 00'],
    ]) {
      const socket = await transport.dial('greeter.node', { metadata });
      await socket.send(message('hello'));
      for (const chunk of chunks) peer.send(socket.local, frame(chunk), '');
      await expect(socket.receive(soon()), chunks.join()).rejects.toMatchObject({ code: 'malformed' });
    }
  });

  test('to a peer that knows only envelopes is refused with `too_large`', async () => {
    await using server = await startNatsServer();
    await using transport = openTransport({ servers: server.url });
    const socket = await transport.dial('greeter.node');
    const body = new Uint8Array(mebibyte);
    await expect(socket.send({ headers: {}, body })).rejects.toMatchObject({ code: 'too_large' });
    expect(encodeEnvelope({ headers: {}, body }).length).toBeGreaterThan(mebibyte);
  });
});

/** Both ends of one conversation; `from` is at that side. */
async function pairOf(
  transport: ReturnType<typeof openTransport>,
  side: 'dialler' | 'listener',
): Promise<{ readonly from: Socket; readonly to: Socket }> {
  const { listener, next } = await serve(transport);
  const dialled = await transport.dial(listener.address, { metadata: listener.metadata });
  await dialled.send(message('hello'));
  const accepted = await next();
  await accepted.receive(soon());
  return side === 'dialler' ? { from: dialled, to: accepted } : { from: accepted, to: dialled };
}

function frame(hex: string): Uint8Array {
  return Buffer.from(`f5${hex.replaceAll(' ', '')}`, 'hex');
}

function hexOf(received: { readonly data: Uint8Array } | undefined): string | undefined {
  return received && Buffer.from(received.data).toString('hex');
}

function hashOf(bytes: Uint8Array | undefined): string {
  return createHash('sha256')
    .update(bytes ?? '')
    .digest('hex');
}
