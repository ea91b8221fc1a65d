import { expect, test, vi } from 'vitest';
import { batchHeader } from '../src/bucket/bucket.ts';
import { keyOf } from '../src/keys/node-key.ts';
import { bucketOf, eventually, next, sees, simple, startKvServer } from './kv-server.ts';

const limits = { timeout: 60_000 };
const put = (key: string, text: string) => [`$KV.micro-registry.${key}`, new TextEncoder().encode(text), {}] as const;
const value = (record: unknown) => JSON.stringify({ owner: 'stranger', ttlMs: 60_000, record });

test('what is no value of a registry is left out and logged, and harms nobody', limits, async () => {
  await using at = await startKvServer();
  const warnings: string[] = [];
  const silent = () => {};
  const logger = { debug: silent, info: silent, error: silent, warn: (text: string) => void warnings.push(text) };
  const seeker = at.registry({ logger, maxRecordBytes: 10_000 });
  const host = at.registry();
  const [good, other] = [simple('greeter', 'a'), simple('greeter', 'b')];
  await host.register(good);
  await using watcher = await seeker.watch();
  expect(await next(watcher)).toMatchObject({ type: 'resync', services: [good] });
  const texts: readonly (readonly [string, string])[] = [
    ['one-token', value(good)],
    ['a.b.c.d.e', value(good)],
    ['greeter.1.x', ''],
    ['greeter.1.y', '{'],
    ['greeter.1.z', 'null'],
    ['greeter.1.w', value(simple('other', 'w'))],
    ['greeter.1.v', value({ name: 'greeter', version: '1', nodes: [{ id: 'v', address: 7 }] })],
    ['greeter.1.u', JSON.stringify({ owner: 'stranger', ttlMs: null, record: simple('greeter', 'u') })],
    ['greeter.1.t', value({ ...simple('greeter', 't'), metadata: { text: 'x'.repeat(20_000) } })],
  ];
  for (const [key, text] of texts) await at.api.publish(...put(key, text));
  await host.register(other);
  const both = { ...good, nodes: [...good.nodes, ...other.nodes] };
  expect(await next(watcher)).toEqual({ type: 'update', service: both });
  expect(await seeker.listServices()).toEqual([both]);
  // Who loads the bucket anew, or one service of it, sees the same.
  await sees(at.registry({ maxRecordBytes: 10_000 }), 'greeter', both);
  expect(await at.registry({ maxRecordBytes: 10_000 }).listServices()).toEqual([both]);
  expect(warnings).toContain('malformed value in the bucket ignored');
});

test('a node that somebody overwrites is gone, and is back with its next renewal', limits, async () => {
  await using at = await startKvServer();
  const [host, seeker] = [at.registry({ defaultLeaseMs: 9000 }), at.registry()];
  const record = simple('greeter', 'a');
  await host.register(record);
  await sees(seeker, 'greeter', record);
  await at.api.publish(...put(keyOf(record), 'rubbish'));
  await sees(seeker, 'greeter', record);
  await using watcher = await seeker.watch({ service: 'greeter' });
  expect(await next(watcher)).toMatchObject({ type: 'resync' });
  await at.api.publish(...put(keyOf(record), 'rubbish'));
  expect(await next(watcher)).toMatchObject({ type: 'delete' });
  expect(await next(watcher)).toEqual({ type: 'create', service: record });
});

test('a bucket of very many nodes is read up to `maxNodes`', limits, async () => {
  await using at = await startKvServer();
  const host = at.registry();
  await host.register(simple('greeter', ...Array.from({ length: 50 }, (_, index) => `node-${index}`)));
  const seeker = at.registry({ maxNodes: 20 });
  const nodes = (await seeker.getService('greeter')).flatMap((record) => record.nodes);
  expect(nodes.length).toBe(20);
  await host.register(simple('greeter', 'one-more'));
  await using watcher = await seeker.watch();
  const event = await next(watcher);
  expect(event?.type === 'resync' && event.services[0]?.nodes.length).toBe(20);
});

test('a bucket that is emptied is filled again, and nobody is given up meanwhile', limits, async () => {
  await using at = await startKvServer();
  const [host, seeker] = [at.registry({ defaultLeaseMs: 9000 }), at.registry()];
  const record = simple('greeter', 'a', 'b');
  await host.register(record);
  await using watcher = await seeker.watch({ service: 'greeter' });
  expect(await next(watcher)).toEqual({ type: 'resync', services: [record] });
  await at.api.request('STREAM.PURGE.KV_micro-registry');
  expect(await seeker.getService('greeter')).toEqual([record]);
  await eventually(async () => expect((await bucketOf(at)).state.messages).toBe(2));
  const change = simple('greeter', 'c');
  await host.register(change);
  const all = [...record.nodes, ...change.nodes];
  await eventually(async () => {
    // Loaded again first or last.
    const event = await next(watcher);
    expect(event).toMatchObject(
      event?.type === 'resync' ? { services: [{ nodes: all }] } : { type: 'update', service: { nodes: all } },
    );
  });
});

test('a bucket that is deleted is made again with what was in it', limits, async () => {
  await using at = await startKvServer();
  const [host, seeker] = [at.registry(), at.registry()];
  const record = simple('greeter', 'a');
  await host.register(record, { ttlMs: 60_000 });
  await using watcher = await seeker.watch({ service: 'greeter' });
  expect(await next(watcher)).toEqual({ type: 'resync', services: [record] });
  await at.api.request('STREAM.DELETE.KV_micro-registry');
  // A heartbeat of the service.
  await host.register(record, { ttlMs: 60_000 });
  expect((await bucketOf(at)).state.messages).toBe(1);
  // The seeker finds out, and misses nothing.
  const added = simple('greeter', 'b');
  await host.register(added);
  const both = { ...record, nodes: [...record.nodes, ...added.nodes] };
  await sees(seeker, 'greeter', both);
  expect(await next(watcher)).toMatchObject({ type: 'resync' });
  await sees(seeker, 'greeter', both);
});

test('who follows the bucket makes it again where it is gone for good, and stores what it has', limits, async () => {
  await using at = await startKvServer();
  const host = at.registry();
  const record = simple('greeter', 'a');
  await host.register(record);
  await using watcher = await host.watch();
  expect(await next(watcher)).toEqual({ type: 'resync', services: [record] });
  await at.api.request('STREAM.DELETE.KV_micro-registry');
  await eventually(async () => expect((await bucketOf(at)).state.messages).toBe(1));
  await sees(at.registry(), 'greeter', record);
});

for (const [what, request] of [
  ['emptied', 'STREAM.PURGE.KV_micro-registry'],
  ['deleted', 'STREAM.DELETE.KV_micro-registry'],
] as const) {
  test(`of a bucket that is ${what} everybody knows within 10 s who is there still`, limits, async () => {
    await using at = await startKvServer();
    // The host follows nothing, and renews its node every 30 s.
    const [host, seeker] = [at.registry(), at.registry()];
    const [mine, gone] = [simple('greeter', 'a'), simple('greeter', 'gone')];
    await host.register(mine);
    await at.api.publish(...put(keyOf(gone), value(gone)));
    await sees(seeker, 'greeter', { ...mine, nodes: [...mine.nodes, ...gone.nodes] });
    await using watcher = await seeker.watch({ service: 'greeter' });
    expect(await next(watcher)).toMatchObject({ type: 'resync' });
    const since = performance.now();
    await at.api.request(request);
    const seen: (readonly string[])[] = [];
    for (let event = await next(watcher); event !== undefined; event = await next(watcher)) {
      const services = event.type === 'resync' ? event.services : [event.service];
      seen.push(services.flatMap(({ nodes }) => nodes.map(({ id }) => id)));
      if (seen.at(-1)?.join() === 'a') break;
    }
    expect(performance.now() - since).toBeLessThan(10_000);
    // Whoever is there was not missed for a moment.
    expect(seen.every((ids) => ids.includes('a'))).toBe(true);
    expect(await seeker.getService('greeter')).toEqual([mine]);
    expect(await at.registry().getService('greeter')).toEqual([mine]);
  });
}

test('who is gone with a bucket is given up within 10 s, while another is not heard of yet', limits, async () => {
  await using at = await startKvServer();
  const seeker = at.registry();
  const [back, gone] = [simple('greeter', 'back'), simple('greeter', 'gone')];
  // Makes the bucket.
  await at.registry().register(simple('other', 'x'));
  for (const record of [back, gone]) await at.api.publish(...put(keyOf(record), value(record)));
  await sees(seeker, 'greeter', { ...back, nodes: [...back.nodes, ...gone.nodes] });
  await using watcher = await seeker.watch({ service: 'greeter' });
  expect(await next(watcher)).toMatchObject({ type: 'resync' });
  const since = performance.now();
  await at.api.request('STREAM.PURGE.KV_micro-registry');
  // One of a batch of two, which is waited for.
  const [subject, body] = put(keyOf(back), value(back));
  await at.api.publish(subject, body, { headers: { [batchHeader]: 'x 2' } });
  for (let event = await next(watcher); event !== undefined; event = await next(watcher)) {
    const services = event.type === 'resync' ? event.services : [event.service];
    const ids = services.flatMap(({ nodes }) => nodes.map(({ id }) => id));
    expect(ids).toContain('back');
    if (ids.length === 1) break;
  }
  expect(performance.now() - since).toBeLessThan(10_000);
});

test('a bucket that somebody else made anew gets what it had again', limits, async () => {
  await using at = await startKvServer();
  const host = at.registry();
  const record = simple('greeter', 'a');
  await host.register(record);
  const { config } = await bucketOf(at);
  await at.api.request('STREAM.DELETE.KV_micro-registry');
  await at.api.request('STREAM.CREATE.KV_micro-registry', config);
  // It has the sequence that the node had.
  await at.api.publish(...put('other.1.x', value(simple('other', 'x'))));
  await vi.waitFor(async () => expect((await bucketOf(at)).state.messages).toBe(2), { timeout: 10_000, interval: 50 });
});

test('a process asks the bucket one small question every 3 s, whatever it watches and holds', limits, async () => {
  await using at = await startKvServer();
  const registry = at.registry();
  const names = Array.from({ length: 5 }, (_, index) => `service-${index}`);
  await Promise.all(names.map((name) => registry.register(simple(name, 'a'))));
  await Promise.all(names.flatMap((service) => [registry.watch({ service }), registry.watch({ service })]));
  const askedAtMs: number[] = [];
  at.api.connection.subscribe('$JS.API.STREAM.INFO.KV_micro-registry', {
    onMessage: () => void askedAtMs.push(performance.now()),
  });
  await eventually(() => expect(askedAtMs.length).toBeGreaterThanOrEqual(3));
  const gapsMs = askedAtMs.slice(1).map((atMs, index) => atMs - (askedAtMs[index] ?? 0));
  // A little less where this process was late to see the one before.
  expect(Math.min(...gapsMs)).toBeGreaterThan(1500);
});
