import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { natsBroker } from '@ts-micro/broker-nats';
import type { NatsOptions } from '@ts-micro/nats';
import { type Client, createClient, createService } from '@ts-micro/service';
import { freePorts, startNatsServer } from '@ts-micro/testkit/nats';
import { describe, expect, it } from 'vitest';
import { expectFault, hello, openPlugins, type Plugins } from './faults-world.ts';

/** Everything a process does first on its plugins. */
function firstUses(options: NatsOptions): readonly (() => Promise<unknown>)[] {
  const using = async (act: (made: Plugins) => Promise<unknown>) => {
    const made = openPlugins(options);
    try {
      return await act(made);
    } finally {
      await made.close();
    }
  };
  const client = (act: (client: Client) => Promise<unknown>) =>
    using(async (made) => {
      await using caller = createClient(made);
      return await act(caller);
    });
  return [
    () => client((caller) => hello(caller)),
    () => client((caller) => caller.call('a', 'B.C', {}, { address: 'a' })),
    () => client((caller) => caller.stream('greeter', 'Greeter.Chat')),
    () => client((caller) => caller.publish('greeter.say', {})),
    () => using((made) => createService({ name: 'greeter', ...made }).start()),
    () => using(({ broker }) => broker.connect()),
    () => using(({ registry }) => registry.listServices()),
    () => using(({ registry }) => registry.watch()),
  ];
}

async function listening(socket: Server): Promise<string> {
  await once(socket, 'listening');
  return `127.0.0.1:${(socket.address() as AddressInfo).port}`;
}

/** An address where nothing listens. */
async function refusedAddress(): Promise<string> {
  return `127.0.0.1:${await freePorts(1)}`;
}

describe('a server', () => {
  it('that refuses connections fails every first use as unavailable, naming it', async () => {
    const address = await refusedAddress();
    for (const act of firstUses({ servers: address })) await expectFault(act, 'unavailable', address);
  });

  it('that speaks another protocol is unavailable', async () => {
    await using socket = createServer((peer) => {
      peer.on('error', () => {});
      peer.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
    }).listen(0, '127.0.0.1');
    const address = await listening(socket);
    for (const act of firstUses({ servers: address })) await expectFault(act, 'unavailable', address);
  });

  it.each([
    ['a wrong password', { user: 'ann', password: 'wrong-secret' }],
    ['no credentials', {}],
    ['a token where it wants a password', { token: 'wrong-secret' }],
  ])('that is shown %s fails every first use as unauthorized, naming itself and no secret', async (_, credentials) => {
    await using server = await startNatsServer({
      config: 'authorization { users: [{ user: ann, password: "right-secret" }] }',
    });
    for (const act of firstUses({ servers: server.url, ...credentials })) {
      await expectFault(act, 'unauthorized', server.address);
      const error = await act().catch(String);
      expect(error).not.toContain('secret');
    }
    await expect.poll(() => server.counts()).toEqual({ connections: 0, subscriptions: 0 });
  });

  it('that allows too little fails the start as unauthorized, naming the subject, and nothing stays open', async () => {
    const allow = 'allow: ["_INBOX.>"]';
    await using server = await startNatsServer({
      config: `authorization { users: [{ user: ann, password: x, permissions: { subscribe: { ${allow} }, publish: ">" } }] }`,
    });
    const made = openPlugins({ servers: server.url, user: 'ann', password: 'x' });
    const service = createService({ name: 'greeter', ...made });
    service.subscribe('greeter.say', () => {});
    await expectFault(() => service.start(), 'unauthorized', 'greeter.say');
    await expect.poll(async () => (await server.counts()).subscriptions).toBe(0);
    await made.close();
    await expect.poll(() => server.counts()).toEqual({ connections: 0, subscriptions: 0 });
  });

  it('of the broker that is not there fails the start, and nothing stays open on that of the others', async () => {
    await using server = await startNatsServer();
    const address = await refusedAddress();
    const made = openPlugins({ servers: server.url });
    const elsewhere = natsBroker({ servers: address });
    const service = createService({ name: 'greeter', ...made, broker: elsewhere });
    service.subscribe('greeter.say', () => {});
    await expectFault(() => service.start(), 'unavailable', address);
    await elsewhere.close();
    await expect.poll(async () => (await server.counts()).subscriptions).toBe(0);
    await made.close();
    await expect.poll(() => server.counts()).toEqual({ connections: 0, subscriptions: 0 });
  });
});
