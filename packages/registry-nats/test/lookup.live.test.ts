import { randomUUID } from 'node:crypto';
import { getEventListeners } from 'node:events';
import { type NodeRecord, type ServiceRecord, serviceRecord } from '@ts-micro/core';
import { connectNats } from '@ts-micro/nats';
import { startNatsServer } from '@ts-micro/testkit/nats';
import { expect, test } from 'vitest';
import { type NatsRegistryOptions, natsRegistry } from '../src/index.ts';
import { families, GoPeer, payload } from './go-peer.ts';

const node = (): Omit<NodeRecord, 'metadata'> => ({ id: randomUUID(), address: randomUUID() });
const greeter = (nodes = [node()], version = '1'): ServiceRecord => serviceRecord({ name: 'greeter', version, nodes });

/** With a connection of its own, as another process has. */
const registryOn = (servers: string, options: NatsRegistryOptions = {}) =>
  natsRegistry({ servers, name: randomUUID(), ...options });

async function timed<T>(work: Promise<T>): Promise<readonly [T, number]> {
  const started = performance.now();
  const result = await work;
  return [result, performance.now() - started];
}

test('a lookup ends soon after the last answer, long before its limit', async () => {
  await using server = await startNatsServer();
  await using host = registryOn(server.url);
  await using seeker = registryOn(server.url, { queryTimeoutMs: 8000 });
  const record = greeter();
  await host.register(record);
  const [found, ms] = await timed(seeker.getService('greeter'));
  expect(found).toEqual([record]);
  expect(ms).toBeLessThan(4000);
});

test('a lookup of an unknown name takes until the limit where others keep silent', async () => {
  await using server = await startNatsServer();
  await using host = registryOn(server.url);
  await using seeker = registryOn(server.url, { queryTimeoutMs: 300 });
  await host.register(greeter());
  const [found, ms] = await timed(seeker.getService('other'));
  expect(found).toEqual([]);
  expect(ms).toBeGreaterThan(290);
  expect(ms).toBeLessThan(4000);
});

test('a lookup ends at once where nobody listens', async () => {
  await using server = await startNatsServer();
  await using seeker = registryOn(server.url, { queryTimeoutMs: 8000 });
  const [found, ms] = await timed(seeker.getService('greeter'));
  expect(found).toEqual([]);
  expect(ms).toBeLessThan(4000);
  expect(await seeker.listServices()).toEqual([]);
});

test('a lookup waits while answers keep coming', async () => {
  await using server = await startNatsServer();
  await using connection = await connectNats({ servers: server.url });
  await using seeker = registryOn(server.url, { quietMs: 1000, queryTimeoutMs: 8000 });
  const encoder = new TextEncoder();
  const slow = connection.subscribe(families.new.query, {
    async onMessage({ reply = '' }) {
      for (let count = 0; count < 5; count++) {
        const { id } = node();
        connection.publish(reply, encoder.encode(`{"name":"greeter","nodes":[{"id":"${id}","address":"a"}]}`));
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
  });
  await slow.confirm();
  const [record] = await seeker.getService('greeter');
  expect(record?.nodes).toHaveLength(5);
});

test.each(['option', 'call'] as const)('a quorum ends a lookup as soon as it is met, by %s', async (by) => {
  await using server = await startNatsServer();
  await using host = registryOn(server.url);
  await using seeker = registryOn(server.url, {
    quietMs: 8000,
    queryTimeoutMs: 8000,
    ...(by === 'option' && { quorum: 2 }),
  });
  await host.register(greeter([node(), node()]));
  const [found, ms] = await timed(seeker.getService('greeter', by === 'call' ? { quorum: 2 } : {}));
  expect(found[0]?.nodes).toHaveLength(2);
  expect(ms).toBeLessThan(4000);
});

test('a quorum counts the nodes of one version, not those of all', async () => {
  await using server = await startNatsServer();
  await using host = registryOn(server.url);
  await using seeker = registryOn(server.url);
  await host.register(greeter([node()], '1'));
  await host.register(greeter([node()], '2'));
  expect(await seeker.getService('greeter', { quorum: 2 })).toHaveLength(2);
});

test('a lookup waits for its quorum, however long nothing comes', async () => {
  await using server = await startNatsServer();
  await using connection = await connectNats({ servers: server.url });
  await using host = registryOn(server.url);
  await using seeker = registryOn(server.url, { quietMs: 1, queryTimeoutMs: 8000 });
  await host.register(greeter());
  const late = new TextEncoder().encode(`{"name":"greeter","version":"1","nodes":[{"id":"late","address":"a"}]}`);
  const slow = connection.subscribe(families.new.query, {
    async onMessage({ reply = '' }) {
      await new Promise((resolve) => setTimeout(resolve, 300));
      connection.publish(reply, late);
    },
  });
  await slow.confirm();
  const found = await seeker.getService('greeter', { quorum: 2 });
  slow.unsubscribe();
  expect(found.flatMap(({ nodes }) => nodes)).toHaveLength(2);
});

test('a quorum that is no whole number is refused with invalid', async () => {
  await using server = await startNatsServer();
  await using seeker = registryOn(server.url);
  for (const quorum of [0, -1, 1.5, Number.NaN]) {
    await expect(seeker.getService('greeter', { quorum })).rejects.toMatchObject({ code: 'invalid' });
  }
});

test('a peer on both subjects answers a question once', async () => {
  await using server = await startNatsServer();
  await using tap = await connectNats({ servers: server.url });
  const answers: string[] = [];
  const questions: string[] = [];
  const isAnswer = (data: Uint8Array) => data.length > 0;
  await tap
    .subscribe('_INBOX.>', { onMessage: ({ subject, data }) => isAnswer(data) && answers.push(subject) })
    .confirm();
  for (const { query } of Object.values(families)) {
    await tap.subscribe(query, { onMessage: ({ subject }) => questions.push(subject) }).confirm();
  }
  await using host = registryOn(server.url);
  await using seeker = registryOn(server.url);
  await host.register(greeter());
  expect(await seeker.getService('greeter')).toHaveLength(1);
  await tap.flush();
  expect(questions.sort()).toEqual([families.new.query, families.old.query]);
  expect(answers).toHaveLength(1);
});

test('a peer that is on the second subject only is asked there', async () => {
  await using server = await startNatsServer();
  await using host = registryOn(server.url, { querySubjects: [families.old.query] });
  await using seeker = registryOn(server.url);
  const record = greeter();
  await host.register(record);
  expect(await seeker.getService('greeter')).toEqual([record]);
});

test('answers about another service do not count', async () => {
  await using server = await startNatsServer();
  await using go = await GoPeer.start(server.url, 'new');
  await using seeker = registryOn(server.url, { queryTimeoutMs: 200 });
  await go.host('other', payload('R7'));
  expect(await seeker.getService('other')).toEqual([]);
});

test('a hundred lookups at once cost one subscription', async () => {
  await using server = await startNatsServer();
  await using host = registryOn(server.url);
  await using seeker = registryOn(server.url);
  await host.register(greeter());
  await seeker.getService('greeter');
  const { subscriptions } = await server.counts();
  const lookups = Array.from({ length: 100 }, () => seeker.getService('greeter'));
  expect((await server.counts()).subscriptions).toBe(subscriptions);
  for (const found of await Promise.all(lookups)) expect(found).toHaveLength(1);
});

test('registries on other subjects do not see each other', async () => {
  await using server = await startNatsServer();
  const ours = { querySubjects: ['ours.query'], watchSubjects: ['ours.watch'] };
  await using host = registryOn(server.url, ours);
  await using friend = registryOn(server.url, ours);
  await using stranger = registryOn(server.url);
  await using watcher = await stranger.watch();
  const record = greeter();
  await host.register(record);
  expect(await friend.getService('greeter')).toEqual([record]);
  expect(await stranger.getService('greeter')).toEqual([]);
  await stranger.register(serviceRecord({ name: 'marker' }));
  expect((await watcher.receive())?.type).toBe('resync');
  expect(await watcher.receive()).toMatchObject({ type: 'create', service: { name: 'marker' } });
});

const limited = (permissions: string) =>
  `authorization { users: [ { user: limited, password: secret, permissions: ${permissions} } ] }`;

test('refused query subjects make registering reject with unauthorized', async () => {
  await using server = await startNatsServer({
    config: limited('{ publish: ">", subscribe: { deny: "micro.nats.query" } }'),
  });
  await using registry = registryOn(server.url, { user: 'limited', password: 'secret' });
  await expect(registry.register(greeter())).rejects.toMatchObject({
    code: 'unauthorized',
    message: expect.stringContaining('micro.nats.query'),
  });
});

test('refused watch subjects make watching reject with unauthorized', async () => {
  await using server = await startNatsServer({
    config: limited('{ publish: ">", subscribe: { deny: "micro.nats.watch" } }'),
  });
  await using registry = registryOn(server.url, { user: 'limited', password: 'secret' });
  await expect(registry.watch()).rejects.toMatchObject({ code: 'unauthorized' });
  await registry.register(greeter());
});

test('a refused reply subject makes a lookup reject with unauthorized, and an inbox prefix helps', async () => {
  await using server = await startNatsServer({
    config: limited('{ publish: ">", subscribe: ["private.>", "micro.>"] }'),
  });
  const credentials = { user: 'limited', password: 'secret' };
  await using refused = registryOn(server.url, credentials);
  await using allowed = registryOn(server.url, { ...credentials, inboxPrefix: 'private' });
  await expect(refused.getService('greeter')).rejects.toMatchObject({ code: 'unauthorized' });
  await allowed.register(greeter());
  expect(await allowed.getService('greeter')).toHaveLength(1);
});

test('a record too large for the server is refused with too_large and not registered', async () => {
  await using server = await startNatsServer();
  await using registry = registryOn(server.url);
  const metadata = { notes: 'x'.repeat(2 * 1024 * 1024) };
  await expect(registry.register(serviceRecord({ name: 'greeter', metadata }))).rejects.toMatchObject({
    code: 'too_large',
  });
  expect(await registry.getService('greeter')).toEqual([]);
});

test('any number of lookups share one listener on their signal, and leave none', async () => {
  await using server = await startNatsServer();
  await using host = registryOn(server.url);
  await using seeker = registryOn(server.url);
  await host.register(greeter());
  const { signal } = new AbortController();
  let most = 0;
  const add = signal.addEventListener.bind(signal);
  signal.addEventListener = (...given: Parameters<AbortSignal['addEventListener']>) => {
    add(...given);
    most = Math.max(most, getEventListeners(signal, 'abort').length);
  };
  const found = await Promise.all(Array.from({ length: 20 }, () => seeker.getService('greeter', { signal })));
  expect(found.flat()).toHaveLength(20);
  expect(most).toBe(1);
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});
