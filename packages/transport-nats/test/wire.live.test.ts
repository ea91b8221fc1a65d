import { readFileSync } from 'node:fs';
import { startNatsServer } from '@ts-micro/testkit/nats';
import { describe, expect, test } from 'vitest';
import { barePeer, message, openTransport, serve, soon, textOf } from './pair.ts';

interface Sample {
  readonly id: string;
  readonly message: { readonly headers: Record<string, string>; readonly text?: string; readonly base64?: string };
  readonly wire: string;
  readonly ourWire?: string;
}

const { samples }: { readonly samples: readonly Sample[] } = JSON.parse(
  readFileSync(new URL('../../nats/test/golden/envelope.json', import.meta.url), 'utf8'),
);

describe('on the wire', () => {
  test('a request is a golden envelope with a reply subject and no NATS headers, seen by a bare client', async () => {
    await using server = await startNatsServer();
    await using peer = await barePeer(server.url);
    await using transport = openTransport({ servers: server.url });
    await peer.hear('greeter.node');
    const socket = await transport.dial('greeter.node');
    for (const sample of samples) await socket.send(messageOf(sample));
    await expect.poll(() => peer.received.length).toBe(samples.length);
    for (const [index, sample] of samples.entries()) {
      const received = peer.received[index];
      expect(String(received?.data), sample.id).toBe(sample.ourWire ?? sample.wire);
      expect(received?.reply).toBe(socket.local);
      expect(received?.headers()).toEqual({});
    }
    expect(socket.local).toMatch(/^_INBOX\.[0-9A-Za-z]{22}\.[0-9A-Za-z]{22}$/);
    expect(socket.remote).toBe('greeter.node');
  });

  test('a reply is a golden envelope without a reply subject and NATS headers, seen by a bare client', async () => {
    await using server = await startNatsServer();
    await using peer = await barePeer(server.url);
    await using transport = openTransport({ servers: server.url });
    const { listener, next } = await serve(transport);
    peer.sendMessage(listener.address, message('hello'));
    await using socket = await next();
    for (const sample of samples) await socket.send(messageOf(sample));
    await expect.poll(() => peer.received.length).toBe(samples.length);
    for (const [index, sample] of samples.entries()) {
      const received = peer.received[index];
      expect(String(received?.data), sample.id).toBe(sample.ourWire ?? sample.wire);
      expect(received?.reply).toBeUndefined();
      expect(received?.headers()).toEqual({});
    }
    expect(listener.address).toMatch(/^_INBOX\.[0-9A-Za-z]{22}$/);
    expect([socket.local, socket.remote]).toEqual([listener.address, peer.inbox]);
  });

  test('golden envelopes of Go Micro are taken, in both directions', async () => {
    await using server = await startNatsServer();
    await using peer = await barePeer(server.url);
    await using transport = openTransport({ servers: server.url });
    const { listener, next } = await serve(transport);
    await peer.hear('greeter.node');
    const dialled = await transport.dial('greeter.node');
    await dialled.send(message('hello'));
    for (const { wire } of samples) {
      peer.send(listener.address, wire);
      peer.send(dialled.local, wire, '');
    }
    await using accepted = await next();
    for (const sample of samples) {
      for (const socket of [accepted, dialled]) {
        const received = await socket.receive(soon());
        expect(received?.headers, sample.id).toEqual(sample.message.headers);
        expect(textOf(received)).toBe(textOf(messageOf(sample)));
      }
    }
  });

  test('closing sends nothing', async () => {
    await using server = await startNatsServer();
    await using peer = await barePeer(server.url);
    await using transport = openTransport({ servers: server.url });
    await peer.hear('greeter.node');
    const { listener, next } = await serve(transport);
    peer.sendMessage(listener.address, message('hello'));
    const accepted = await next();
    await accepted.close();
    const dialled = await transport.dial('greeter.node');
    await dialled.close();
    const another = await transport.dial('greeter.node');
    await another.send(message('the only one'));
    await expect.poll(() => peer.received.map((one) => one.subject)).toEqual(['greeter.node']);
  });
});

describe('subjects', () => {
  test('all sockets of a transport share one connection and one subscription', async () => {
    await using server = await startNatsServer();
    await using transport = openTransport({ servers: server.url });
    await Promise.all(Array.from({ length: 100 }, () => transport.dial('greeter.node')));
    await expect.poll(() => server.counts()).toEqual({ connections: 1, subscriptions: 1 });
  });

  test('begin with `inboxPrefix` and `addressPrefix`', async () => {
    await using server = await startNatsServer();
    const prefixes = { inboxPrefix: '_INBOX.ann', addressPrefix: 'nodes' };
    await using transport = openTransport({ servers: server.url, ...prefixes });
    await using listener = await transport.listen();
    expect(listener.address).toMatch(/^nodes\.[0-9A-Za-z]{22}$/);
    expect((await transport.dial('a')).local).toMatch(/^_INBOX\.ann\.[0-9A-Za-z]{22}\.[0-9A-Za-z]{22}$/);
    await using plain = openTransport({ servers: server.url, inboxPrefix: '_INBOX.bob' });
    await using other = await plain.listen();
    expect(other.address).toMatch(/^_INBOX\.bob\.[0-9A-Za-z]{22}$/);
  });

  test('`:0` asks for a fresh address, as Go Micro does', async () => {
    await using server = await startNatsServer();
    await using transport = openTransport({ servers: server.url });
    await using listener = await transport.listen(':0');
    expect(listener.address).toMatch(/^_INBOX\.[0-9A-Za-z]{22}$/);
  });

  for (const address of ['', ' ', 'a b', 'a\tb', 'a..b', '.a', 'a.*', 'a.>', 'x'.repeat(1001)]) {
    test(`${JSON.stringify(address.slice(0, 20))} is refused as an address, and nothing is connected for it`, async () => {
      await using transport = openTransport({ servers: '127.0.0.1:1' });
      await expect(transport.listen(address)).rejects.toMatchObject({ code: 'invalid' });
      await expect(transport.dial(address)).rejects.toMatchObject({ code: 'invalid' });
    });
  }
});

function messageOf({ message: { headers, text, base64 } }: Sample) {
  return { headers, body: Buffer.from(text ?? base64 ?? '', text === undefined ? 'base64' : 'utf8') };
}
