import { natsBroker } from '@ts-micro/broker-nats';
import { type Broker, type ErrorCode, MicroError, type Registry, type Transport } from '@ts-micro/core';
import type { NatsOptions } from '@ts-micro/nats';
import { natsRegistry } from '@ts-micro/registry-nats';
import { type Client, createClient, createService, type Service } from '@ts-micro/service';
import { type NatsServer, startNatsServer } from '@ts-micro/testkit/nats';
import { natsTransport } from '@ts-micro/transport-nats';
import { expect } from 'vitest';

const promptMs = 3000;

export type Dialect = 'auto' | 'go';

export interface Plugins {
  readonly transport: Transport;
  readonly broker: Broker;
  readonly registry: Registry;
  readonly close: () => Promise<void>;
}

/** Three plugins that find their connection themselves, and share it. */
export function openPlugins(options: NatsOptions, dialect: Dialect = 'auto'): Plugins {
  const transport = natsTransport({ ...options, dialect });
  const broker = natsBroker(options);
  const registry = natsRegistry(options);
  return {
    transport,
    broker,
    registry,
    close: async () => {
      await Promise.all([transport.close(), broker.close(), registry.close()]);
    },
  };
}

/** Rejects in time, with that code, and says what is in `words`. */
export async function expectFault(
  act: () => Promise<unknown>,
  code: ErrorCode,
  ...words: readonly string[]
): Promise<void> {
  const began = performance.now();
  const error = await act().then(
    (value) => new Error(`it resolved with ${JSON.stringify(value)}`),
    (thrown: unknown) => thrown,
  );
  expect(MicroError.is(error), String(error)).toBe(true);
  expect(error).toMatchObject({ code });
  for (const word of words) expect(String(error)).toContain(word);
  expect(performance.now() - began).toBeLessThan(promptMs);
}

export interface World extends AsyncDisposable {
  readonly server: NatsServer;
  readonly service: Service;
  readonly client: Client;
  /** What its subscriber got. */
  readonly events: unknown[];
  /** How many values its endless stream has sent. */
  sent(): number;
}

/** A service and a client on one server, warmed up. Disposing of it demands that nothing is left open there. */
export async function openWorld(dialect: Dialect): Promise<World> {
  const server = await startNatsServer({ config: 'max_payload: 100000' });
  const theirs = openPlugins({ servers: server.url, name: 'service' }, dialect);
  const ours = openPlugins({ servers: server.url, name: 'client' }, dialect);
  const service = createService({ name: 'greeter', version: '1.0.0', ...theirs, dialect });
  const events: unknown[] = [];
  let sent = 0;
  service.handle('Greeter.Hello', ({ name }: { name: string }) => ({ msg: `Hello ${name}` }));
  service.handle('Greeter.Big', ({ size }: { size: number }) => ({ text: 'x'.repeat(size) }));
  service.handle('Greeter.Throw', () => {
    throw new Error('it went wrong');
  });
  service.handle('Greeter.Reject', async () => {
    throw new MicroError('conflict', 'it is taken');
  });
  service.handle('Greeter.Nothing', () => Promise.reject(undefined));
  service.handleStream('Greeter.Chat', async (stream) => {
    for await (const value of stream) await stream.send(value);
  });
  service.handleStream('Greeter.Fail', async (stream) => {
    await stream.send({ value: 1 });
    throw new Error('the stream went wrong');
  });
  service.handleStream('Greeter.Endless', async (stream) => {
    for (;;) {
      await stream.send({ value: sent + 1 });
      sent++;
    }
  });
  service.subscribe('greeter.say', (event) => {
    events.push(event);
    throw new Error('a subscriber went wrong');
  });
  await service.start();
  const client = createClient({ ...ours, dialect });
  await hello(client);
  await client.publish('greeter.say', { text: 'warm' });
  await expect.poll(() => events.length).toBe(1);
  // The service has its address, both families of queries and the topic; the client two for replies and, a moment
  // later, both families of changes.
  await expect.poll(async () => (await server.counts()).subscriptions).toBe(8);
  return {
    server,
    service,
    client,
    events,
    sent: () => sent,
    async [Symbol.asyncDispose]() {
      await client.close();
      await service.stop();
      await ours.close();
      await theirs.close();
      await expect.poll(() => server.counts()).toEqual({ connections: 0, subscriptions: 0 });
      await server[Symbol.asyncDispose]();
    },
  };
}

export function hello(client: Client): Promise<{ msg: string }> {
  return client.call('greeter', 'Greeter.Hello', { name: 'John' });
}
