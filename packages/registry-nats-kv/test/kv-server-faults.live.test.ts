import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type Registry, serviceRecord, silentLogger } from '@ts-micro/core';
import { startChaosProxy, startNatsServer } from '@ts-micro/testkit/nats';
import { expect, test, vi } from 'vitest';
import { natsKvRegistry } from '../src/index.ts';
import { bucketOf, eventually, type KvServer, next, sees, simple, startKvServer } from './kv-server.ts';

const limits = { timeout: 60_000 };
const record = simple('greeter', 'a');

test('a server without JetStream is told in words', limits, async () => {
  await using server = await startNatsServer();
  await using registry = natsKvRegistry({ servers: server.address });
  const refused = { code: 'unavailable', message: expect.stringContaining('JetStream is not enabled') };
  await expect(registry.register(record)).rejects.toMatchObject(refused);
  await expect(registry.getService('greeter')).rejects.toMatchObject(refused);
  await expect(registry.listServices()).rejects.toMatchObject(refused);
  await expect(registry.watch()).rejects.toMatchObject(refused);
});

test('a bucket that the account may not use is told by its subject, in the words of the server', limits, async () => {
  const may = (deny: string) => `
    authorization { users: [ { user: me, password: secret, permissions: { publish: { deny: ["${deny}"] } } } ] }`;
  const as = { user: 'me', password: 'secret', requestTimeoutMs: 20_000 };
  await using mute = await startNatsServer({ jetstream: true, config: may('$KV.micro-registry.>') });
  await using silent = natsKvRegistry({ servers: mute.address, ...as });
  await expect(silent.register(record)).rejects.toMatchObject({
    code: 'unauthorized',
    message: expect.stringMatching(/Permissions Violation for Publish to "\$KV\.micro-registry\.greeter\.1\.a"/i),
  });
  expect(await silent.getService('greeter')).toEqual([]);
  await using dark = await startNatsServer({ jetstream: true, config: may('$JS.API.CONSUMER.CREATE.>') });
  await using blind = natsKvRegistry({ servers: dark.address, ...as });
  await blind.register(record);
  for (const asking of [blind.getService('greeter'), blind.listServices(), blind.watch()]) {
    await expect(asking).rejects.toMatchObject({
      code: 'unauthorized',
      message: expect.stringContaining('$JS.API.CONSUMER.CREATE.KV_micro-registry'),
    });
  }
});

test('the permissions that the README names are enough', limits, async () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const [, always = '', managing = ''] =
    /It needs to publish on(.*?); with `manage` also on(.*?)\n\n/s.exec(readme) ?? [];
  const subjects = (text: string) =>
    [...text.matchAll(/`([^`]+)`/g)].map(([, subject]) => `"${subject?.replace('<bucket>', 'micro-registry')}"`);
  const user = (name: string, publish: readonly string[]) =>
    `{ user: ${name}, password: x, permissions: { publish: [${publish}], subscribe: "_INBOX.${name}.>" } }`;
  const users = [user('manager', [...subjects(always), ...subjects(managing)]), user('member', subjects(always))];
  await using server = await startNatsServer({ jetstream: true, config: `authorization { users: [${users}] }` });
  const logger = { ...silentLogger, warn: vi.fn(), error: vi.fn() };
  const as = (name: string) => ({
    servers: server.address,
    user: name,
    password: 'x',
    inboxPrefix: `_INBOX.${name}`,
    logger,
  });
  await using manager = natsKvRegistry(as('manager'));
  await manager.register(record, { ttlMs: 60_000 });
  await using member = natsKvRegistry({ ...as('member'), manage: false });
  await using watcher = await member.watch();
  expect(await next(watcher)).toEqual({ type: 'resync', services: [record] });
  await member.register(simple('greeter', 'b'), { ttlMs: 60_000 });
  await sees(manager, 'greeter', simple('greeter', 'a', 'b'));
  await manager.deregister(record);
  await sees(member, 'greeter', simple('greeter', 'b'));
  await Promise.all([manager.close(), member.close()]);
  expect([...logger.warn.mock.calls, ...logger.error.mock.calls]).toEqual([]);
});

test('a full bucket refuses new nodes in the words of the server, and renews those it has', limits, async () => {
  await using at = await startKvServer();
  const registry = at.registry({ maxBytes: 8000 });
  const large = (id: string) => serviceRecord({ ...simple('greeter', id), metadata: { text: 'x'.repeat(3000) } });
  await registry.register(large('a'), { ttlMs: 60_000 });
  await registry.register(large('b'), { ttlMs: 60_000 });
  await expect(registry.register(large('c'))).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('maximum bytes exceeded'),
  });
  // Also as sequences become longer.
  for (let count = 0; count < 12; count++) await registry.register(large('a'), { ttlMs: 60_000 });
  const [found] = await at.registry({ maxBytes: 8000 }).getService('greeter');
  expect(found?.nodes.map(({ id }) => id)).toEqual(['a', 'b']);
});

test('without `manage` a bucket is used as it is, and made by nobody', limits, async () => {
  await using at = await startKvServer();
  const guest = at.registry({ manage: false, bucket: 'fleet' });
  const refused = { code: 'unavailable', message: expect.stringContaining('option manage is false') };
  await expect(guest.register(record)).rejects.toMatchObject(refused);
  await expect(guest.getService('greeter')).rejects.toMatchObject(refused);
  // A bucket with a history, as `nats kv add --history=5` makes it.
  const config = {
    name: 'KV_fleet',
    subjects: ['$KV.fleet.>'],
    storage: 'memory',
    num_replicas: 1,
    retention: 'limits',
    discard: 'new',
    max_msgs_per_subject: 5,
    allow_rollup_hdrs: true,
    deny_delete: true,
  };
  await at.api.request('STREAM.CREATE.KV_fleet', config);
  for (let count = 0; count < 3; count++) await guest.register(record);
  await sees(guest, 'greeter', record);
  await sees(at.registry({ manage: false, bucket: 'fleet' }), 'greeter', record);
  expect((await bucketOf(at, 'fleet')).config).toMatchObject({ max_msgs_per_subject: 5, storage: 'memory' });
});

test(
  'a bucket is made and changed as the options say, and keys live as long as leases where they can',
  limits,
  async () => {
    await using at = await startKvServer();
    await at.registry({ storage: 'memory', maxAgeMs: 1_800_000 }).listServices();
    expect((await bucketOf(at)).config).toMatchObject({ storage: 'memory', max_age: 1800e9, max_msgs_per_subject: 1 });
    await at.registry({ maxBytes: 1_000_000, maxAgeMs: 60_000 }).listServices();
    const { config } = await bucketOf(at);
    expect(config).toMatchObject({ storage: 'memory', max_age: 60e9, max_bytes: 1_000_000, duplicate_window: 60e9 });
    await at.registry().register(record, { ttlMs: 1000 });
    if (config.allow_msg_ttl !== true) return;
    // The key of who is not heard of any more goes by itself.
    await eventually(async () => expect((await bucketOf(at)).state.messages).toBe(0));
  },
);

test('a bucket of an older server gets times to live as soon as the server has them', limits, async () => {
  await using at = await startKvServer();
  const config = { name: 'KV_old', subjects: ['$KV.old.>'], storage: 'file', num_replicas: 1, retention: 'limits' };
  await at.api.request('STREAM.CREATE.KV_old', { ...config, discard: 'new', max_msgs_per_subject: 1 });
  const registry = at.registry({ bucket: 'old' });
  await registry.register(record, { ttlMs: 60_000 });
  expect(await registry.getService('greeter')).toEqual([record]);
  const { metadata, allow_msg_ttl } = (await bucketOf(at, 'old')).config;
  // From 2.11 on a server says at which level its API is.
  expect(allow_msg_ttl).toBe(metadata === undefined ? undefined : true);
});

test('a server that comes back without what it stored is told it again', limits, async () => {
  await using at = await startKvServer();
  const [host, seeker] = [at.registry(), at.registry()];
  const leased = simple('greeter', 'leased');
  await host.register(record);
  await host.register(leased, { ttlMs: 50_000 });
  const both = { ...record, nodes: [...record.nodes, ...leased.nodes] };
  await sees(seeker, 'greeter', both);
  await at.server.restart({ keepData: false });
  // In whatever order they are told again.
  for (const registry of [seeker, at.registry()]) {
    await eventually(async () => {
      const found = await registry.getService('greeter');
      expect(found.flatMap(({ nodes }) => nodes.map(({ id }) => id)).sort()).toEqual(['a', 'leased']);
    });
  }
});

test('who is cut off loses its lease, and is back as soon as it can renew', limits, async () => {
  await using at = await startKvServer();
  await using proxy = await startChaosProxy({ target: at.server.address });
  const far = { servers: proxy.address, name: randomUUID() };
  await using host = natsKvRegistry(far);
  const seeker = at.registry();
  const other = simple('greeter', 'b');
  await host.register(record, { ttlMs: 1000 });
  await host.register(other, { ttlMs: 600 });
  await using watcher = await seeker.watch({ service: 'greeter' });
  await next(watcher);
  proxy.cut();
  await sees(seeker, 'greeter');
  // Its heartbeats go on in vain for the one node, and not for the other.
  let failures = 0;
  for (; failures < 3; failures++)
    await host.register(record, { ttlMs: 30_000, signal: AbortSignal.timeout(300) }).catch(() => {});
  proxy.heal();
  await eventually(async () => {
    await host.register(record, { ttlMs: 30_000, signal: AbortSignal.timeout(5000) });
  });
  await sees(seeker, 'greeter', record);
});

test('a wrong clock of this machine ends no lease', limits, async () => {
  await using at = await startKvServer();
  await at.registry().register(record, { ttlMs: 60_000 });
  vi.useFakeTimers({ toFake: ['Date'] });
  try {
    for (const skewMs of [3_600_000, -3_600_000]) {
      vi.setSystemTime(Date.now() + skewMs);
      expect(await at.registry().getService('greeter')).toEqual([record]);
    }
  } finally {
    vi.useRealTimers();
  }
});

test('every wait ends with its signal while the server is silent', limits, async () => {
  await using at = await startKvServer();
  const [registry, stranger] = [at.registry(), at.registry()];
  await registry.register(record);
  await silence(at);
  const calls: readonly ((signal: AbortSignal) => Promise<unknown>)[] = [registry, stranger].flatMap((each) => [
    (signal: AbortSignal) => each.register(simple('greeter', 'b'), { signal }),
    (signal: AbortSignal) => each.deregister(simple('greeter', 'c'), { signal }),
    (signal: AbortSignal) => each.getService('greeter', { signal }),
    (signal: AbortSignal) => each.listServices({ signal }),
    (signal: AbortSignal) => each.watch({ signal }),
  ]);
  try {
    const failing = calls.map((call) => call(AbortSignal.timeout(100)).catch((error: unknown) => error));
    for (const error of await Promise.all(failing)) expect(error).toMatchObject({ code: 'timeout' });
  } finally {
    at.server.resume();
  }
  await eventually(async () => {
    expect((await registry.getService('greeter'))[0]?.nodes).toContainEqual(record.nodes[0]);
  });
});

test('closing while the server is silent has a bound, and the node goes with its lease', limits, async () => {
  await using at = await startKvServer();
  const registry: Registry = at.registry({ closeTimeoutMs: 300 });
  await registry.register(record, { ttlMs: 60_000 });
  await silence(at);
  await registry.close();
  at.server.resume();
  expect(await registry.closed).toMatchObject({ code: 'timeout' });
});

/** Stops the server, and waits until it answers no more. */
async function silence({ server, api }: KvServer): Promise<void> {
  server.suspend();
  const flush = () => api.connection.flush({ signal: AbortSignal.timeout(200) });
  await eventually(() => expect(flush()).rejects.toMatchObject({ code: 'timeout' }));
}
