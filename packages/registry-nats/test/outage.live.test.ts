import { randomUUID } from 'node:crypto';
import { type RegistryEvent, type ServiceRecord, serviceRecord, type Watcher } from '@ts-micro/core';
import { connectNats } from '@ts-micro/nats';
import { startChaosProxy, startNatsServer } from '@ts-micro/testkit/nats';
import { expect, test } from 'vitest';
import { type NatsRegistryOptions, natsRegistry } from '../src/index.ts';
import { encodeAnswer } from '../src/wire/messages.ts';
import { GoPeer, waitFor } from './go-peer.ts';

const greeter = (version = '1', id: string = randomUUID()): ServiceRecord =>
  serviceRecord({ name: 'greeter', version, nodes: [{ id, address: randomUUID() }] });

const registryOn = (servers: string, options: NatsRegistryOptions = {}) =>
  natsRegistry({ servers, name: randomUUID(), ...options });

async function next(watcher: Watcher, type: RegistryEvent['type']): Promise<RegistryEvent> {
  for (;;) {
    const event = await watcher.receive({ signal: AbortSignal.timeout(15_000) });
    if (event === undefined) throw new Error(`the watcher ended before a ${type}`);
    if (event.type === type) return event;
  }
}

test('what is registered is announced again within a second of a reconnect', async () => {
  await using server = await startNatsServer();
  await using proxy = await startChaosProxy({ target: server.address });
  await using go = await GoPeer.start(server.url, 'old');
  await using connection = await connectNats({ servers: proxy.url });
  await using registry = natsRegistry({ connection });
  const heard = await go.listen();
  await registry.register(greeter());
  await waitFor(() => heard.length === 1);
  let reconnectedAt = Number.POSITIVE_INFINITY;
  connection.onStateChange(({ status }) => {
    if (status === 'connected') reconnectedAt = performance.now();
  });
  proxy.drop();
  await waitFor(() => heard.length > 1);
  expect(performance.now() - reconnectedAt).toBeLessThan(1000);
});

test('after a reconnect all is told and asked again later, as servers of a cluster find each other in their time', async () => {
  await using server = await startNatsServer();
  await using proxy = await startChaosProxy({ target: server.address });
  await using connection = await connectNats({ servers: proxy.url });
  await using registry = natsRegistry({ connection });
  await registry.register(greeter());
  await using watcher = await registry.watch({ service: 'other' });
  await next(watcher, 'resync');
  await using peer = await connectNats({ servers: server.url });
  let [told, asked] = [0, 0];
  await peer.subscribe('micro.nats.watch', { onMessage: () => void told++ }).confirm();
  await peer.subscribe('micro.nats.query', { onMessage: () => void asked++ }).confirm();
  proxy.drop();
  await waitFor(() => asked === 1);
  // Nobody announces this one, as happens where the servers of two clients are not routed to each other yet.
  const record = { ...greeter(), name: 'other' };
  await using unheard = await GoPeer.start(server.url, 'new');
  await unheard.host('other', new TextDecoder().decode(encodeAnswer(record)));
  expect(await next(watcher, 'create')).toMatchObject({ service: { name: 'other', nodes: record.nodes } });
  await waitFor(() => told === 3 && asked === 3);
});

test('a watcher that was cut off hears in a resync of what it missed', async () => {
  await using server = await startNatsServer();
  await using proxy = await startChaosProxy({ target: server.address });
  await using host = registryOn(server.url);
  await using seeker = registryOn(proxy.url);
  await using watcher = await seeker.watch();
  expect(await next(watcher, 'resync')).toEqual({ type: 'resync', services: [] });
  const record = greeter();
  proxy.cut();
  await host.register(record);
  proxy.heal();
  expect(await next(watcher, 'resync')).toEqual({ type: 'resync', services: [record] });
});

test('what left while a watcher was cut off goes after it was asked for again', async () => {
  await using server = await startNatsServer();
  await using proxy = await startChaosProxy({ target: server.address });
  await using host = registryOn(server.url);
  await using seeker = registryOn(proxy.url);
  const [stays, leaves] = [greeter('1'), greeter('2')];
  await host.register(stays);
  await host.register(leaves);
  await using watcher = await seeker.watch({ service: 'greeter' });
  await next(watcher, 'resync');
  proxy.cut();
  await host.deregister(leaves);
  proxy.heal();
  await next(watcher, 'resync');
  expect(await next(watcher, 'delete')).toEqual({ type: 'delete', service: leaves });
  expect(await seeker.getService('greeter')).toEqual([stays]);
});

test('a registration that is renewed in vain during an outage outlives it', async () => {
  await using server = await startNatsServer();
  await using proxy = await startChaosProxy({ target: server.address });
  await using connection = await connectNats({ servers: proxy.url });
  await using host = natsRegistry({ connection });
  await using seeker = registryOn(server.url);
  const record = greeter();
  const ttlMs = 1500;
  await host.register(record, { ttlMs });
  proxy.cut();
  await waitFor(() => connection.state.status !== 'connected');
  const until = performance.now() + 2 * ttlMs;
  await waitFor(async () => {
    await expect(host.register(record, { ttlMs })).rejects.toMatchObject({ code: 'unavailable' });
    return performance.now() > until;
  });
  proxy.heal();
  await waitFor(async () => (await seeker.getService('greeter', { quorum: 1 })).length === 1);
});

test('a first registration that failed is not made up for', async () => {
  await using server = await startNatsServer();
  await using connection = await connectNats({ servers: server.url });
  await using host = natsRegistry({ connection });
  await host.register(greeter('1'));
  await server.kill();
  await waitFor(() => connection.state.status !== 'connected');
  await expect(host.register(greeter('2'))).rejects.toMatchObject({ code: 'unavailable', retrySafe: true });
  await server.restart();
  await connection.ready();
  expect((await host.getService('greeter')).map(({ version }) => version)).toEqual(['1']);
});

test('a lookup that waits when the connection breaks rejects with unavailable', async () => {
  await using server = await startNatsServer();
  await using proxy = await startChaosProxy({ target: server.address });
  await using other = registryOn(server.url);
  await other.register(greeter());
  await using seeker = registryOn(proxy.url, { queryTimeoutMs: 10_000 });
  await seeker.getService('greeter');
  const lookup = seeker.getService('absent');
  proxy.drop();
  await expect(lookup).rejects.toMatchObject({ code: 'unavailable', retrySafe: true });
});

test('a connection closed by its owner ends watchers, and the registry says why it cannot ask', async () => {
  await using server = await startNatsServer();
  const connection = await connectNats({ servers: server.url });
  await using registry = natsRegistry({ connection });
  const watcher = await registry.watch();
  await next(watcher, 'resync');
  const pending = watcher.receive();
  await connection.close();
  await expect(pending).rejects.toMatchObject({ code: 'closed' });
  expect((await watcher.closed)?.code).toBe('closed');
  await expect(registry.getService('greeter')).rejects.toMatchObject({ code: 'closed' });
});

test('a borrowed connection stays open and gets its subscriptions back', async () => {
  await using server = await startNatsServer();
  await using connection = await connectNats({ servers: server.url });
  await connection.flush();
  const before = await server.counts();
  const registry = natsRegistry({ connection });
  await registry.register(greeter());
  const watcher = await registry.watch();
  await registry.getService('greeter');
  expect((await server.counts()).subscriptions).toBeGreaterThan(before.subscriptions);
  await registry.close();
  await watcher.closed;
  await connection.flush();
  expect(await server.counts()).toEqual(before);
  expect(connection.state.status).toBe('connected');
});
