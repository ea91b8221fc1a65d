import { connect as connect3 } from '@nats-io/transport-node';
import { type NatsMessage, type VendorConnection, wrapNatsConnection } from '@ts-micro/nats';
import { startNatsServer } from '@ts-micro/testkit/nats';
import { connect as connect2 } from 'nats';
import { describe, expect, test } from 'vitest';
// Not exported by the package: nobody else has a use for it.
import { LinkMessage } from '../src/link/link-message.ts';
import { messageWriter } from '../src/vendor/vendor-internals.ts';
import { thrownBy } from './thrown-by.ts';

interface Generation {
  readonly name: string;
  connect(options: {
    servers: string;
    user?: string;
    pass?: string;
    reconnectTimeWait?: number;
    inboxPrefix?: string;
  }): Promise<VendorConnection>;
}

const generations: readonly Generation[] = [
  { name: 'nats 2.x', connect: (options) => connect2(options) },
  { name: '@nats-io 3.x', connect: (options) => connect3(options) },
];

for (const { name, connect } of generations) {
  describe(`a connection of ${name}`, () => {
    test('is wrapped once', async () => {
      await using server = await startNatsServer();
      await using opened = await open(connect, { servers: server.url });
      const { vendor } = opened;
      const connection = wrapNatsConnection(vendor);
      expect(wrapNatsConnection(vendor)).toBe(connection);
      expect(connection.state).toMatchObject({ status: 'connected', server: server.address });
    });

    test('carries messages with headers, and the 503 of no responders', async () => {
      await using server = await startNatsServer();
      await using opened = await open(connect, { servers: server.url });
      const { vendor } = opened;
      const connection = wrapNatsConnection(vendor);
      const inbox = connection.newInbox();
      const received: NatsMessage[] = [];
      const onMessage = (message: NatsMessage) => received.push(message);
      await connection.subscribe('a', { onMessage }).confirm();
      await connection.subscribe(inbox, { onMessage }).confirm();
      connection.publish('a', Buffer.from('hello'), { reply: 'r', headers: { 'Micro-ID': '7' } });
      connection.publish('nobody', Buffer.from('hello'), { reply: inbox });
      await connection.flush();
      expect(received.map(({ subject, reply, status, data }) => [subject, reply, status, String(data)])).toEqual([
        ['a', 'r', 0, 'hello'],
        [inbox, undefined, 503, ''],
      ]);
      expect(received[0]?.headers()).toEqual({ 'Micro-ID': '7' });
    });

    test('has its messages read by the reader of ours, which knows how its parser is built', async () => {
      await using server = await startNatsServer();
      await using opened = await open(connect, { servers: server.url });
      const connection = wrapNatsConnection(opened.vendor);
      const received: NatsMessage[] = [];
      await connection.subscribe('a', { onMessage: (message) => received.push(message) }).confirm();
      connection.publish('a', Buffer.from('hello'));
      await connection.flush();
      expect(received.map((message) => message instanceof LinkMessage && message.line?.size)).toEqual([5]);
    });

    test('has reply subjects below the prefix that its owner gave it', async () => {
      const permissions = 'permissions: { subscribe: ["_INBOX.ann.>"] }';
      const config = `authorization { users: [{ user: ann, password: x, ${permissions} }] }`;
      await using server = await startNatsServer({ config });
      const options = { servers: server.url, user: 'ann', pass: 'x', inboxPrefix: '_INBOX.ann' };
      await using opened = await open(connect, options);
      const connection = wrapNatsConnection(opened.vendor);
      expect(connection.inboxPrefix).toBe('_INBOX.ann');
      const inbox = connection.newInbox();
      await connection.subscribe(inbox, { onMessage: () => {} }).confirm();
    });

    test('tells of an outage and of its end', async () => {
      await using server = await startNatsServer();
      await using opened = await open(connect, { servers: server.url, reconnectTimeWait: 100 });
      const { vendor } = opened;
      const connection = wrapNatsConnection(vendor);
      await server.kill();
      await expect.poll(() => connection.state.status).toBe('reconnecting');
      expect(thrownBy(() => connection.publish('a', Buffer.from('x')))).toMatchObject({ code: 'unavailable' });
      await server.restart();
      await connection.ready({ signal: AbortSignal.timeout(10_000) });
      await connection.flush();
      expect(connection.state.reconnects).toBe(1);
    });

    test('refuses by permission and by size', async () => {
      const permissions = 'permissions: { subscribe: { deny: ["secret"] } }';
      const config = `max_payload: 1000\nauthorization { users: [{ user: ann, password: x, ${permissions} }] }`;
      await using server = await startNatsServer({ config });
      await using opened = await open(connect, { servers: server.url, user: 'ann', pass: 'x' });
      const { vendor } = opened;
      const connection = wrapNatsConnection(vendor);
      const refused = connection.subscribe('secret', { onMessage() {} });
      expect(await thrownBy(() => refused.confirm())).toMatchObject({ code: 'unauthorized' });
      expect(thrownBy(() => connection.publish('a', new Uint8Array(1001)))).toMatchObject({ code: 'too_large' });
    });

    test('stays open when its wrapper is closed, without the subscriptions of the wrapper', async () => {
      await using server = await startNatsServer();
      await using opened = await open(connect, { servers: server.url });
      const { vendor } = opened;
      const connection = wrapNatsConnection(vendor);
      await connection.subscribe('a', { onMessage() {} }).confirm();
      await connection.close();
      expect(thrownBy(() => connection.publish('a', Buffer.from('x')))).toMatchObject({ code: 'closed' });
      await vendor.flush();
      await expect.poll(async () => (await server.counts()).subscriptions).toBe(0);
      const again = wrapNatsConnection(vendor);
      expect(again).not.toBe(connection);
      await again.flush();
    });

    test('keeps the order of what its owner, its wrapper and a second wrapper write in one turn', async () => {
      await using server = await startNatsServer();
      await using opened = await open(connect, { servers: server.url });
      const { vendor } = opened;
      const connection = wrapNatsConnection(vendor);
      const received: string[] = [];
      await connection.subscribe('a', { onMessage: ({ data }) => received.push(String(data)) }).confirm();
      // As another copy of this package would have it.
      const write = messageWriter(vendor);
      const none = new Uint8Array(0);
      for (let round = 0; round < 3; round++) {
        connection.publish('a', Buffer.from(`wrapper ${round}`));
        vendor.publish('a', Buffer.from(`owner ${round}`));
        write?.('a', undefined, none, Buffer.from(`second ${round}`), undefined);
        vendor.publish('a', Buffer.from(`owner again ${round}`));
      }
      await connection.flush();
      const names = ['wrapper', 'owner', 'second', 'owner again'];
      expect(received).toEqual([0, 1, 2].flatMap((round) => names.map((who) => `${who} ${round}`)));
    });

    test('carries bodies of all sizes whole, also in two pieces, and after a reconnect', async () => {
      await using server = await startNatsServer();
      await using opened = await open(connect, { servers: server.url, reconnectTimeWait: 100 });
      const connection = wrapNatsConnection(opened.vendor);
      const sizes = [0, 1, 8191, 8192, 8193, 65_535, 65_536, 65_537, 300_000, 1_000_000];
      let received: Buffer[] = [];
      const onMessage = ({ data }: NatsMessage) => received.push(Buffer.from(data));
      await connection.subscribe('a', { onMessage }).confirm();
      const carry = async () => {
        received = [];
        const sent = sizes.map((size, index) => Buffer.alloc(size, `${index} of these, `));
        for (const body of sent) {
          connection.publish('a', body);
          const cut = Math.floor(body.length / 3);
          connection.publish('a', body.subarray(cut), { prefix: body.subarray(0, cut) });
          body.fill(0);
        }
        await connection.flush();
        const expected = sizes.flatMap((size, index) => Array(2).fill(Buffer.alloc(size, `${index} of these, `)));
        // Not compared as arrays, of which a failure would print megabytes.
        expect(received.map((body, index) => body.equals(expected[index]))).toEqual(expected.map(() => true));
      };
      await carry();
      await server.kill();
      await server.restart();
      await expect.poll(() => connection.state.reconnects).toBe(1);
      await carry();
    });

    test('closed by its owner closes the wrapper, and is refused afterwards', async () => {
      await using server = await startNatsServer();
      await using opened = await open(connect, { servers: server.url });
      const { vendor } = opened;
      const connection = wrapNatsConnection(vendor);
      await vendor.close();
      expect(await connection.closed).toMatchObject({ code: 'closed' });
      expect(await thrownBy(() => connection.flush())).toMatchObject({ code: 'closed' });
      expect(thrownBy(() => wrapNatsConnection(vendor))).toMatchObject({ code: 'closed' });
    });
  });
}

/** Closes the client's connection also where a case fails. */
async function open(
  connect: Generation['connect'],
  options: Parameters<Generation['connect']>[0],
): Promise<AsyncDisposable & { readonly vendor: VendorConnection }> {
  const vendor = await connect(options);
  return { vendor, [Symbol.asyncDispose]: () => vendor.close() };
}
