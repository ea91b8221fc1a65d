import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectNats } from '@ts-micro/nats';
import { connect } from 'nats';
import { expect, onTestFinished, test } from 'vitest';
import { natsKvRegistry } from '../src/index.ts';
import { bucketOf, eventually, next, simple, startKvServer } from './kv-server.ts';

const limits = { timeout: 120_000 };

test(
  '1,000 services are registered, found one by one and all together, and followed by few consumers',
  limits,
  async () => {
    await using at = await startKvServer();
    const patient = { requestTimeoutMs: 60_000, closeTimeoutMs: 60_000 };
    const [host, seeker] = [at.registry(patient), at.registry(patient)];
    const names = Array.from({ length: 1000 }, (_, index) => `service.${index}`);
    await Promise.all(names.map((name) => host.register(simple(name, 'a'))));
    const found = await Promise.all(names.map((name) => seeker.getService(name)));
    expect(found.map(([record]) => record?.name)).toEqual(names);
    expect(await seeker.listServices()).toHaveLength(1000);
    expect((await bucketOf(at)).state.messages).toBe(1000);
    const { state } = await at.api.request<{ state: { consumer_count: number } }>('STREAM.INFO.KV_micro-registry');
    expect(state.consumer_count).toBeLessThanOrEqual(17);
    await using watcher = await seeker.watch();
    const event = await next(watcher);
    expect(event?.type === 'resync' && event.services).toHaveLength(1000);
    await host.deregister(simple('service.7', 'a'));
    expect(await next(watcher)).toMatchObject({ type: 'delete', service: { name: 'service.7' } });
    await host.close();
    await eventually(async () => expect(await seeker.listServices()).toEqual([]));
  },
);

test('names that no key may have are found under exactly their names', limits, async () => {
  await using at = await startKvServer();
  const [host, seeker] = [at.registry(), at.registry()];
  const names = ['a.b', 'a b', '*', '>', 'a.>', '鯨', '\ud800', 'x'.repeat(3000), 'A.B', 'a=2Eb', '__proto__'];
  for (const name of names) await host.register(simple(name, `node of ${name}`));
  for (const name of names) expect(await seeker.getService(name)).toEqual([simple(name, `node of ${name}`)]);
  expect((await seeker.listServices()).map(({ name }) => name).sort()).toEqual([...names].sort());
});

test('a plain client reads who is there', limits, async () => {
  await using at = await startKvServer();
  const record = simple('greeter', 'a');
  await at.registry().register(record);
  const client = await connect({ servers: at.server.address });
  const bucket = await client.jetstream().views.kv('micro-registry');
  const entry = await bucket.get('greeter.1.a');
  expect(entry?.json<{ record: unknown }>().record).toEqual(record);
  await client.close();
});

test('a registry in a JetStream domain is reached by its name', limits, async () => {
  const store = await mkdtemp(join(tmpdir(), 'ts-micro-kv-'));
  onTestFinished(() => rm(store, { recursive: true }));
  const config = `jetstream { domain: hub, store_dir: ${JSON.stringify(store)} }`;
  await using at = await startKvServer({ jetstream: false, config });
  const options = { domain: 'hub' };
  const record = simple('INFO', 'a');
  const host = at.registry(options);
  await host.register(record);
  await host.register(record);
  expect(await at.registry(options).getService('INFO')).toEqual([record]);
  await host.deregister(record);
  expect(await host.getService('INFO')).toEqual([]);
});

test('a registry on a lent connection leaves nothing on it', limits, async () => {
  await using at = await startKvServer();
  const client = await connect({ servers: at.server.address });
  await client.flush();
  const before = await at.server.counts();
  const registry = natsKvRegistry({ connection: client });
  await registry.register(simple('greeter', 'a'));
  await using watcher = await registry.watch();
  await next(watcher);
  expect((await at.server.counts()).subscriptions).toBeGreaterThan(before.subscriptions);
  await registry.close();
  await client.flush();
  await eventually(async () => expect(await at.server.counts()).toEqual(before));
  const consumers = async () => {
    const { state } = await at.api.request<{ state: { consumer_count: number } }>('STREAM.INFO.KV_micro-registry');
    return state.consumer_count;
  };
  await eventually(async () => expect(await consumers()).toBe(0));
  expect(client.isClosed()).toBe(false);
  await client.close();
});

test('a connection closed by its owner ends watchers, and the registry says why it cannot ask', limits, async () => {
  await using at = await startKvServer();
  const connection = await connectNats({ servers: at.server.address });
  await using registry = natsKvRegistry({ connection });
  const watcher = await registry.watch();
  await next(watcher);
  const pending = watcher.receive();
  await connection.close();
  await expect(pending).rejects.toMatchObject({ code: 'closed' });
  expect(await watcher.closed).toMatchObject({ code: 'closed' });
  await expect(registry.getService('greeter')).rejects.toMatchObject({ code: 'closed' });
});

test('a lease is as long as anybody likes', limits, async () => {
  await using at = await startKvServer();
  const record = simple('greeter', 'a');
  const host = at.registry();
  for (const ttlMs of [Number.MAX_SAFE_INTEGER, Number.MAX_VALUE, 0.5]) await host.register(record, { ttlMs });
  await host.register(record, { ttlMs: Number.MAX_VALUE });
  expect(await at.registry().getService('greeter')).toEqual([record]);
});
