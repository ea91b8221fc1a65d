import { randomUUID } from 'node:crypto';
import { type ServiceRecord, serviceRecord } from '@ts-micro/core';
import { connectNats } from '@ts-micro/nats';
import { startNatsServer } from '@ts-micro/testkit/nats';
import { expect, test } from 'vitest';
import { type NatsRegistryOptions, natsRegistry } from '../src/index.ts';

const record = (name: string, version = '1'): ServiceRecord =>
  serviceRecord({ name, version, nodes: [{ id: randomUUID(), address: randomUUID() }] });

/** With a connection of its own, as another process has. */
const registryOn = (servers: string, options: NatsRegistryOptions = {}) =>
  natsRegistry({ servers, name: randomUUID(), dialect: 'native', ...options });

/** Counts what is published on a subject, from when this resolves. */
async function tap(servers: string, subject: string) {
  const connection = await connectNats({ servers, name: randomUUID() });
  const subjects: string[] = [];
  await connection.subscribe(subject, { onMessage: (message) => subjects.push(message.subject) }).confirm();
  return { subjects, flush: () => connection.flush(), [Symbol.asyncDispose]: () => connection.close() };
}

test('services of any name are found, listed and watched', async () => {
  await using server = await startNatsServer();
  await using host = registryOn(server.url);
  await using seeker = registryOn(server.url);
  const names = [
    'greeter',
    'go.micro.srv.greeter',
    'a b',
    '*',
    '>',
    'a,b',
    '%2E',
    '服务',
    '__proto__',
    'x'.repeat(2000),
  ];
  await using watcher = await seeker.watch();
  expect(await watcher.receive()).toEqual({ type: 'resync', services: [] });
  for (const name of names) {
    const service = record(name);
    await using ofOne = await seeker.watch({ service: name });
    expect(await ofOne.receive()).toEqual({ type: 'resync', services: [] });
    await host.register(service);
    expect(await seeker.getService(name)).toEqual([service]);
    expect(await ofOne.receive()).toEqual({ type: 'create', service });
    expect(await watcher.receive()).toEqual({ type: 'create', service });
  }
  expect((await seeker.listServices()).map(({ name }) => name).sort()).toEqual([...names].sort());
});

test('an unknown name is known to be unknown at once, also where others are, and again after the last node has left', async () => {
  await using server = await startNatsServer();
  await using host = registryOn(server.url);
  await using seeker = registryOn(server.url, { queryTimeoutMs: 20_000 });
  const other = record('other');
  const greeter = record('greeter');
  await host.register(other);
  expect(await seeker.getService('greeter')).toEqual([]);
  await host.register(greeter);
  expect(await seeker.getService('greeter')).toEqual([greeter]);
  await host.deregister(greeter);
  expect(await seeker.getService('greeter')).toEqual([]);
  expect(await seeker.getService('other')).toEqual([other]);
  expect((await seeker.listServices()).map(({ name }) => name)).toEqual(['other']);
}, 15_000);

test('a name goes with its lease, and what is registered meanwhile stays', async () => {
  await using server = await startNatsServer();
  await using host = registryOn(server.url);
  await using seeker = registryOn(server.url);
  const first = record('greeter');
  const second = record('greeter', '2');
  await host.register(first, { ttlMs: 50 });
  await Promise.all([host.deregister(first), host.register(second), host.deregister(first)]);
  expect(await seeker.getService('greeter')).toEqual([second]);
  const large = { ...record('greeter', '3'), metadata: { notes: 'x'.repeat(2 * 1024 * 1024) } };
  await host.deregister(second);
  const both = await Promise.allSettled([host.register(large), host.register(first)]);
  expect(both.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
  expect(await seeker.getService('greeter')).toEqual([first]);
});

test('who has nothing to do with a service hears nothing of it, however many services there are', async () => {
  await using server = await startNatsServer();
  await using host = registryOn(server.url);
  await using seeker = registryOn(server.url);
  const services = Array.from({ length: 200 }, (_, index) => record(`service.${index}`));
  await Promise.all(services.map((service) => host.register(service)));
  await using ofOne = await seeker.watch({ service: 'service.0' });
  expect(await ofOne.receive()).toMatchObject({ type: 'resync', services: [{ name: 'service.0' }] });
  await using everything = await tap(server.url, '>');
  await using others = await tap(server.url, 'ts-micro.*.service%2E1');
  expect(await seeker.getService('service.7', { quorum: 1 })).toEqual([services[7]]);
  await everything.flush();
  // A question and an answer.
  expect(everything.subjects).toEqual(['ts-micro.query.service%2E7', expect.stringMatching(/^_INBOX\./)]);
  await others.flush();
  expect(others.subjects).toEqual([]);
  await host.register(record('service.0'));
  expect(await ofOne.receive()).toMatchObject({ type: 'update', service: { name: 'service.0' } });
  expect((await seeker.listServices()).length).toBe(200);
}, 20_000);

test('watchers of one service share a subscription, and the last one ends it', async () => {
  await using server = await startNatsServer();
  await using seeker = registryOn(server.url);
  await seeker.getService('greeter');
  const { subscriptions } = await server.counts();
  const watchers = await Promise.all(Array.from({ length: 5 }, () => seeker.watch({ service: 'greeter' })));
  expect((await server.counts()).subscriptions).toBe(subscriptions + 1);
  await Promise.all(watchers.map((watcher) => watcher.close()));
  await expect.poll(async () => (await server.counts()).subscriptions, { timeout: 5000 }).toBe(subscriptions);
});

test('registries with interop and without do not see each other', async () => {
  await using server = await startNatsServer();
  await using ours = registryOn(server.url);
  await using go = registryOn(server.url, { dialect: 'go', queryTimeoutMs: 200 });
  await ours.register(record('greeter'));
  await go.register(record('greeter', 'go'));
  expect((await ours.getService('greeter')).map(({ version }) => version)).toEqual(['1']);
  expect((await go.getService('greeter')).map(({ version }) => version)).toEqual(['go']);
});

test('a refused subject of one service ends its watchers and no others', async () => {
  await using server = await startNatsServer({
    config:
      'authorization { users: [ { user: limited, password: secret, permissions: { publish: ">", subscribe: { deny: "ts-micro.watch.secret" } } } ] }',
  });
  await using seeker = registryOn(server.url, { user: 'limited', password: 'secret' });
  await using watcher = await seeker.watch({ service: 'greeter' });
  await expect(seeker.watch({ service: 'secret' })).rejects.toMatchObject({ code: 'unauthorized' });
  expect(await watcher.receive()).toMatchObject({ type: 'resync' });
  await seeker.register(record('greeter'));
  expect(await watcher.receive()).toMatchObject({ type: 'create' });
});

test('a dialect that there is not is refused with invalid', () => {
  expect(() => natsRegistry({ dialect: 'no' as 'go' })).toThrowError(/option dialect is "no"/);
});
