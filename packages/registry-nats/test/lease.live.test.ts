import { randomUUID } from 'node:crypto';
import { type ServiceRecord, serviceRecord } from '@ts-micro/core';
import { connectNats } from '@ts-micro/nats';
import { startNatsServer } from '@ts-micro/testkit/nats';
import { afterEach, expect, test, vi } from 'vitest';
import { type NatsRegistryOptions, natsRegistry } from '../src/index.ts';
import { GoPeer, waitFor } from './go-peer.ts';

const greeter = (...ids: string[]): ServiceRecord =>
  serviceRecord({ name: 'greeter', version: '1', nodes: ids.map((id) => ({ id, address: randomUUID() })) });

const registryOn = (servers: string, options: NatsRegistryOptions = {}) =>
  natsRegistry({ servers, name: randomUUID(), ...options });

const bound = () => AbortSignal.timeout(10_000);

afterEach(() => void vi.useRealTimers());

test.each([
  ['ahead', 3_600_000],
  ['back', -3_600_000],
])('a wall clock that is set an hour %s neither ends a lease early nor makes it longer', async (_, byMs) => {
  await using server = await startNatsServer();
  const connection = await connectNats({ servers: server.url });
  await using dying = natsRegistry({ connection });
  await using seeker = registryOn(server.url);
  const [short, long] = [greeter('short'), greeter('long')];
  await dying.register(short, { ttlMs: 1500 });
  await dying.register(long, { ttlMs: 60_000 });
  await using watcher = await seeker.watch({ service: 'greeter' });
  expect(await watcher.receive()).toMatchObject({ type: 'resync', services: [{ nodes: [{}, {}] }] });
  await connection.close();
  const nowMs = Date.now();
  vi.useFakeTimers({ toFake: ['Date'] });
  vi.setSystemTime(nowMs + byMs);
  expect(await watcher.receive({ signal: bound() })).toEqual({ type: 'update', service: long });
  await expect(watcher.receive({ signal: AbortSignal.timeout(300) })).rejects.toMatchObject({ code: 'timeout' });
});

test('a node whose process died goes from watchers when the lease it stated runs out', async () => {
  await using server = await startNatsServer();
  const connection = await connectNats({ servers: server.url });
  await using dying = natsRegistry({ connection });
  await using seeker = registryOn(server.url);
  await using watcher = await seeker.watch({ service: 'greeter' });
  await watcher.receive();
  const record = greeter('a');
  await dying.register(record, { ttlMs: 1000 });
  // Closed by its owner it takes the registry's chance to say good-bye, as a crash does.
  await connection.close();
  expect(await watcher.receive({ signal: bound() })).toEqual({ type: 'create', service: record });
  expect(await watcher.receive({ signal: bound() })).toEqual({ type: 'delete', service: record });
});

test('a watcher that comes later learns the leases from the answers', async () => {
  await using server = await startNatsServer();
  const connection = await connectNats({ servers: server.url });
  await using dying = natsRegistry({ connection });
  const [short, long] = [greeter('short'), greeter('long')];
  await dying.register(short, { ttlMs: 1500 });
  await dying.register(long, { ttlMs: 60_000 });
  await using seeker = registryOn(server.url);
  await using watcher = await seeker.watch({ service: 'greeter' });
  expect(await watcher.receive()).toMatchObject({ type: 'resync', services: [{ nodes: [{}, {}] }] });
  await connection.close();
  expect(await watcher.receive({ signal: bound() })).toEqual({ type: 'update', service: long });
});

test('a node registered without a lease is announced again and again, which is no event', async () => {
  await using server = await startNatsServer();
  await using go = await GoPeer.start(server.url, 'new');
  await using host = registryOn(server.url, { defaultLeaseMs: 1500 });
  await using seeker = registryOn(server.url);
  await using watcher = await seeker.watch();
  await watcher.receive();
  const heard = await go.listen();
  const record = greeter('a');
  await host.register(record);
  await waitFor(() => heard.length >= 5);
  expect(new Set(heard).size).toBe(1);
  await host.deregister(record);
  expect(await watcher.receive({ signal: bound() })).toEqual({ type: 'create', service: record });
  expect(await watcher.receive({ signal: bound() })).toEqual({ type: 'delete', service: record });
});

const deletesIn = (heard: readonly string[]) =>
  heard.map((text) => JSON.parse(text)).flatMap(({ Action, Service }) => (Action === 'delete' ? [Service] : []));

test('a lease that runs out in its own process is announced with the nodes it was about', async () => {
  await using server = await startNatsServer();
  await using go = await GoPeer.start(server.url, 'old');
  await using host = registryOn(server.url);
  const heard = await go.listen();
  await host.register(greeter('stays'));
  await host.register(greeter('goes'), { ttlMs: 200 });
  await waitFor(() => deletesIn(heard).length > 0);
  expect(deletesIn(heard)).toMatchObject([{ name: 'greeter', nodes: [{ id: 'goes' }] }]);
  expect((await host.getService('greeter'))[0]?.nodes.map((node) => node.id)).toEqual(['stays']);
});

test('closing says good-bye with the nodes it was about', async () => {
  await using server = await startNatsServer();
  await using go = await GoPeer.start(server.url, 'new');
  const host = registryOn(server.url);
  const heard = await go.listen();
  await host.register(greeter('a', 'b'));
  await host.register(serviceRecord({ name: 'test' }));
  await host.close();
  await go.flush();
  expect(deletesIn(heard)).toMatchObject([
    { name: 'greeter', nodes: [{ id: 'a' }, { id: 'b' }] },
    { name: 'test', nodes: null },
  ]);
});
