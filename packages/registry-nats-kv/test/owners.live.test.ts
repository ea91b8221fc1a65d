import { serviceRecord } from '@ts-micro/core';
import { expect, test } from 'vitest';
import { bucketOf, next, sees, simple, startKvServer } from './kv-server.ts';

const limits = { timeout: 60_000 };
const nodeAt = (address: string) => serviceRecord({ name: 'greeter', version: '1', nodes: [{ id: 'same', address }] });
const [here, there] = [nodeAt('here'), nodeAt('there')];

test('of two registries with one node id the last counts, and the other is told as it renews', limits, async () => {
  await using at = await startKvServer();
  const [first, second, seeker] = [at.registry(), at.registry(), at.registry()];
  await using watcher = await seeker.watch({ service: 'greeter' });
  await next(watcher);
  await first.register(here, { ttlMs: 60_000 });
  expect(await next(watcher)).toEqual({ type: 'create', service: here });
  await second.register(there, { ttlMs: 60_000 });
  expect(await next(watcher)).toEqual({ type: 'update', service: there });
  const conflict = { code: 'conflict', message: expect.stringContaining('node "same" was registered by another') };
  for (let beat = 0; beat < 3; beat++) {
    await expect(first.register(here, { ttlMs: 60_000 })).rejects.toMatchObject(conflict);
    await second.register(there, { ttlMs: 60_000 });
  }
  expect(await first.getService('greeter')).toEqual([there]);
  expect(await seeker.getService('greeter')).toEqual([there]);
});

test('who lost a node takes nothing along, and gets it back once the other has left', limits, async () => {
  await using at = await startKvServer();
  const [first, second, seeker] = [at.registry(), at.registry(), at.registry()];
  await first.register(here);
  await second.register(there);
  await expect(first.register(here)).rejects.toMatchObject({ code: 'conflict' });
  await second.deregister(there);
  await sees(seeker, 'greeter');
  await first.register(here);
  await sees(seeker, 'greeter', here);
  await second.register(there);
  await first.deregister(here);
  await sees(seeker, 'greeter', there);
  await first.register(here);
  await second.close();
  await sees(seeker, 'greeter', here);
});

test('who lost a node gets it back once the lease of the other is over', limits, async () => {
  await using at = await startKvServer();
  const [first, second, seeker] = [at.registry(), at.registry(), at.registry()];
  await first.register(here);
  await second.register(there, { ttlMs: 1000 });
  // The heartbeats of its service go on, and are refused while the other one lives.
  for (let isBack = false; !isBack; )
    isBack = await first.register(here).then(
      () => true,
      () => false,
    );
  await sees(seeker, 'greeter', here);
});

test('many registries that register one node at once leave one node, and no error', limits, async () => {
  await using at = await startKvServer();
  const registries = Array.from({ length: 10 }, () => at.registry());
  await Promise.all(registries.map((registry, index) => registry.register(nodeAt(`at.${index}`))));
  const [found] = await at.registry().getService('greeter');
  expect(found?.nodes).toHaveLength(1);
  for (const registry of registries) expect(await registry.getService('greeter')).toHaveLength(1);
});

test('a process that comes back with the id of the one that crashed takes its place', limits, async () => {
  await using at = await startKvServer();
  const crashed = at.registry();
  await crashed.register(here, { ttlMs: 60_000 });
  const again = at.registry();
  await again.register(there, { ttlMs: 60_000 });
  await again.register(there, { ttlMs: 60_000 });
  await sees(at.registry(), 'greeter', there);
});

test('what an operator deregisters is not renewed, until its service registers again', limits, async () => {
  await using at = await startKvServer();
  const [host, operator, seeker] = [at.registry({ defaultLeaseMs: 600 }), at.registry(), at.registry()];
  const [gone, stays] = [simple('greeter', 'gone'), simple('greeter', 'stays')];
  await host.register(gone);
  await host.register(stays);
  await operator.deregister(gone);
  // Renewals go on for the other one alone: each is a new sequence in the bucket.
  const sequence = async () => Number((await bucketOf(at)).state.last_seq);
  const before = await sequence();
  await expect.poll(sequence, { timeout: 30_000 }).toBeGreaterThan(before + 4);
  const ids = async () => (await seeker.getService('greeter')).flatMap(({ nodes }) => nodes.map(({ id }) => id)).sort();
  expect(await ids()).not.toContain('gone');
  await host.register(gone);
  await expect.poll(ids, { timeout: 30_000 }).toEqual(['gone', 'stays']);
});

test('deregistering what was never registered leaves nothing in the bucket', limits, async () => {
  await using at = await startKvServer();
  const registry = at.registry();
  await registry.listServices();
  await registry.deregister(here);
  expect((await bucketOf(at)).state.messages).toBe(0);
  await registry.register(here);
  await registry.deregister(here);
  await registry.deregister(here);
  await registry.register(here);
  await sees(at.registry(), 'greeter', here);
});
