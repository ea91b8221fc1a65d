import { serviceRecord, silentLogger } from '@ts-micro/core';
import { connectNats, type NatsConnection } from '@ts-micro/nats';
import { startNatsServer } from '@ts-micro/testkit/nats';
import { expect, test } from 'vitest';
import { type NatsRegistryOptions, natsRegistry } from '../src/index.ts';

const encoder = new TextEncoder();
const encode = (value: unknown) => encoder.encode(JSON.stringify(value));
const node = (id: string, address = `at.${id}`) => ({ id, address, metadata: { protocol: 'mucp' } });
const greeter = (...ids: string[]) =>
  serviceRecord({ name: 'greeter', version: '1', nodes: ids.map((id) => node(id)) });

let count = 0;
const registryOn = (servers: string, options: NatsRegistryOptions = {}) =>
  natsRegistry({ servers, name: `registry ${++count}`, ...options });

function announce(stranger: NatsConnection, nodes: readonly object[], name = 'greeter'): void {
  const Service = { name, version: '1', metadata: null, endpoints: [], nodes };
  stranger.publish('micro.nats.watch', encode({ Service, Action: 'create' }), {
    headers: { 'Ts-Micro-Lease': '1e300' },
  });
}

test('who answered one lookup, and knows its reply subject and all public addresses, cannot answer the next', async () => {
  await using server = await startNatsServer();
  await using registry = registryOn(server.url, { queryTimeoutMs: 200 });
  await using stranger = await connectNats({ servers: server.url, name: 'stranger' });
  const replies: string[] = [];
  const subscription = stranger.subscribe('micro.nats.query', {
    onMessage({ reply = '' }) {
      // Every subject near the ones that were used before.
      for (const known of replies) {
        const last = known.charCodeAt(known.length - 1);
        for (let by = -64; by <= 64; by++) {
          const near = known.slice(0, -1) + String.fromCharCode(Math.min(Math.max(last + by, 48), 122));
          for (const subject of [near, `${known}${by}`]) stranger.publish(subject, encode(greeter('forged')));
        }
      }
      replies.push(reply);
    },
  });
  await subscription.confirm();
  for (let round = 0; round < 10; round++) expect(await registry.getService('greeter')).toEqual([]);
  const tokens = replies.map((reply) => reply.split('.').at(-1) ?? '');
  expect(new Set(tokens).size).toBe(10);
  for (const [index, token] of tokens.entries()) {
    expect(token).toMatch(/^[0-9A-Za-z]{22}$/);
    // Counters, and identifiers of one process, begin or end alike.
    for (const other of tokens.slice(index + 1)) {
      const alike = [...token].filter((letter, place) => other[place] === letter).length;
      expect(alike).toBeLessThan(12);
    }
  }
});

test('forged nodes and services, however many, cost a bounded number, and who was known stays', async () => {
  await using server = await startNatsServer();
  const lines: string[] = [];
  const logger = { ...silentLogger, warn: (message: string) => void lines.push(message) };
  await using registry = registryOn(server.url, { maxNodes: 100, logger });
  await using own = registryOn(server.url);
  await using stranger = await connectNats({ servers: server.url, name: 'stranger' });
  await own.register(greeter('a'));
  await using watcher = await registry.watch();
  expect(await watcher.receive()).toEqual({ type: 'resync', services: [greeter('a')] });
  for (let index = 0; index < 2000; index++) {
    announce(stranger, [node(`one-${index}`)], `service-${index}`);
    announce(stranger, [node(`of-${index}`)]);
  }
  await stranger.flush();
  await own.deregister(greeter('a'));
  const known = new Map<string, number>([['greeter', 1]]);
  for await (const event of watcher) {
    if (event.type === 'resync') throw new Error('nothing was missed');
    const { name, nodes } = event.service;
    known.set(name, event.type === 'delete' ? 0 : nodes.length);
    expect([...known.values()].reduce((a, b) => a + b)).toBeLessThanOrEqual(100);
    if (name === 'greeter' && !nodes.some(({ id }) => id === 'a')) break;
  }
  expect(lines).toContain('nodes left out, there are too many');
});

test('answers to one lookup are bounded, in nodes and in bytes', async () => {
  await using server = await startNatsServer();
  await using stranger = await connectNats({ servers: server.url, name: 'stranger' });
  const subscription = stranger.subscribe('micro.nats.query', {
    onMessage({ reply = '' }) {
      for (let index = 0; index < 500; index++) {
        stranger.publish(reply, encode(greeter(`${index}`, 'x'.repeat(1000) + String(index))));
      }
    },
  });
  await subscription.confirm();
  for (const bounds of [{ maxNodes: 100 }, { maxBytes: 100_000 }]) {
    await using registry = registryOn(server.url, bounds);
    const [record] = await registry.getService('greeter');
    expect(record?.nodes.length).toBeGreaterThan(10);
    expect(record?.nodes.length).toBeLessThan(200);
  }
});

test('a node that nobody can dial is neither found nor announced, and logged', async () => {
  await using server = await startNatsServer();
  const lines: unknown[] = [];
  const logger = { ...silentLogger, warn: (...line: unknown[]) => void lines.push(line) };
  await using registry = registryOn(server.url, { logger });
  await using own = registryOn(server.url);
  await using stranger = await connectNats({ servers: server.url, name: 'stranger' });
  await own.register(greeter('a'));
  await using watcher = await registry.watch({ service: 'greeter' });
  await watcher.receive();
  announce(stranger, [node('bad', 'a b'), node('wild', 'svc.>')]);
  announce(stranger, [node('sys', '$SYS.REQ.SERVER.PING'), node('good')]);
  await stranger.flush();
  expect(await watcher.receive()).toEqual({ type: 'update', service: greeter('a', 'good') });
  expect(JSON.stringify(lines)).toContain('a b');
});

test('an answer goes nowhere that the server listens itself, though a question asks for it', async () => {
  await using server = await startNatsServer();
  await using own = registryOn(server.url);
  await using stranger = await connectNats({ servers: server.url, name: 'stranger' });
  await own.register(greeter('a'));
  const replies: string[] = [];
  const subjects = ['$JS.API.STREAM.DELETE.orders', '$SYS.REQ.SERVER.PING', 'plain.inbox'];
  for (const subject of subjects) {
    const onMessage = (message: { readonly subject: string }) => void replies.push(message.subject);
    await stranger.subscribe(subject, { onMessage }).confirm();
  }
  const question = encode({ Service: { name: 'greeter' }, Action: 'get' });
  for (const reply of subjects) stranger.publish('micro.nats.query', question, { reply });
  await expect.poll(() => replies).toEqual(['plain.inbox']);
});

test('what the server denies fails at once with its subject, and nothing is left registered', async () => {
  const users = ['query', 'watch'].map((what) => {
    const deny = `["micro.nats.${what}", "micro.registry.nats.${what}"]`;
    return `{ user: no${what}, password: secret, permissions: { publish: { deny: ${deny} } } }`;
  });
  await using server = await startNatsServer({
    config: `authorization { users: [ { user: all, password: secret }, ${users.join(', ')} ] }`,
  });
  const as = (user: string) => registryOn(server.url, { user, password: 'secret', queryTimeoutMs: 3000 });
  await using all = as('all');
  await all.register(greeter('a'));
  await using noquery = as('noquery');
  // Each question goes to the subjects of both generations, and either is denied.
  const denied = { code: 'unauthorized', message: expect.stringMatching(/micro\.(registry\.)?nats\.query/) };
  await expect(noquery.getService('greeter')).rejects.toMatchObject(denied);
  await expect(noquery.listServices()).rejects.toMatchObject(denied);
  await expect(noquery.watch({ service: 'greeter' })).rejects.toMatchObject(denied);
  await noquery.register(greeter('b'));

  await using nowatch = as('nowatch');
  expect((await nowatch.getService('greeter', { quorum: 2 }))[0]?.nodes).toHaveLength(2);
  const unannounced = { code: 'unauthorized', message: expect.stringMatching(/micro\.(registry\.)?nats\.watch/) };
  await expect(nowatch.register(greeter('c'))).rejects.toMatchObject(unannounced);
  const [found] = await nowatch.getService('greeter', { quorum: 3 });
  expect(found?.nodes.map(({ id }) => id).sort()).toEqual(['a', 'b']);
});

test('a record that peers would not read, or a node that nobody can dial, is refused where it is registered', async () => {
  await using server = await startNatsServer();
  await using registry = registryOn(server.url, { maxRecordBytes: 10_000 });
  const long = { ...greeter('a'), metadata: { text: 'x'.repeat(10_000) } };
  await expect(registry.register(long)).rejects.toMatchObject({ code: 'too_large' });
  const wild = serviceRecord({ name: 'greeter', nodes: [node('a', 'svc.>')] });
  const message = expect.stringContaining('"svc.>" contains a wildcard');
  await expect(registry.register(wild)).rejects.toMatchObject({ code: 'invalid', message });
});
