import { type RegistryEvent, type ServiceRecord, serviceRecord } from '@ts-micro/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LeaseTable, RecordWatcher } from '../../src/index.ts';

const owner = {};

function greeter(ids: readonly string[], init: Partial<ServiceRecord> = {}): ServiceRecord {
  return serviceRecord({
    name: 'greeter',
    version: '1',
    nodes: ids.map((id) => ({ id, address: `at-${id}` })),
    ...init,
  });
}

function watch(table: LeaseTable): RecordWatcher {
  const known = () => table.records();
  const watcher: RecordWatcher = new RecordWatcher({ what: 'test', known, stop: () => table.unwatch(watcher) });
  table.watch(watcher);
  return watcher;
}

async function events(watcher: RecordWatcher, count: number): Promise<RegistryEvent[]> {
  const found: RegistryEvent[] = [];
  for (let left = count; left > 0; left--) {
    const event = await watcher.receive({ signal: AbortSignal.timeout(5000) });
    if (event) found.push(event);
  }
  return found;
}

const idsOf = (records: readonly ServiceRecord[]) => records.flatMap(({ nodes }) => nodes.map(({ id }) => id));

test('nodes of one version are one record, and what changed last speaks for it', () => {
  const table = new LeaseTable();
  table.put(greeter(['a'], { metadata: { from: 'a' } }));
  table.put(greeter(['b'], { metadata: { from: 'b' } }));
  table.put(greeter(['a'], { metadata: { from: 'a' } }));
  expect(table.list('greeter')).toEqual([greeter(['a', 'b'], { metadata: { from: 'b' } })]);
  table.remove(greeter(['b']));
  expect(table.list()).toEqual([greeter(['a'], { metadata: { from: 'a' } })]);
});

test('versions and names are kept apart', () => {
  const table = new LeaseTable();
  for (const version of ['1', '2']) table.put(greeter(['a'], { version }));
  table.put(greeter(['b'], { name: 'other' }));
  expect(table.records('greeter').map(({ version }) => version)).toEqual(['1', '2']);
  expect(table.records()).toHaveLength(3);
  expect(table.records('nobody')).toEqual([]);
  expect(table.has('other')).toBe(true);
  table.removeVersion({ name: 'other', version: '1' });
  expect(table.has('other')).toBe(false);
});

test('a record is the same object until it changes', () => {
  const table = new LeaseTable();
  table.put(greeter(['a', 'b']));
  const record = table.get(greeter([]));
  table.put(greeter(['b']));
  expect(table.get(greeter([]))).toBe(record);
  table.put(greeter(['c']));
  expect(table.get(greeter([]))).not.toBe(record);
});

test('an id that is named twice counts once', () => {
  const table = new LeaseTable();
  table.put(greeter(['a', 'a']));
  expect(idsOf(table.records())).toEqual(['a']);
});

test('watchers hear of what changed and of nothing else', async () => {
  const table = new LeaseTable();
  await using watcher = watch(table);
  table.put(greeter(['a'], { metadata: { x: '1', y: '2' } }), { owner });
  table.put(greeter(['a'], { metadata: { y: '2', x: '1' } }), { owner });
  table.put(greeter(['b']));
  table.removeOwned(owner);
  table.remove(greeter(['nobody']));
  table.remove(greeter(['b']));
  expect(await events(watcher, 5)).toEqual([
    { type: 'resync', services: [] },
    { type: 'create', service: greeter(['a'], { metadata: { x: '1', y: '2' } }) },
    { type: 'update', service: greeter(['a', 'b']) },
    { type: 'update', service: greeter(['b']) },
    { type: 'delete', service: greeter(['b']) },
  ]);
});

test('a version without nodes is one until it gets nodes', async () => {
  const table = new LeaseTable();
  await using watcher = watch(table);
  table.put(greeter([]), { ttlMs: 60_000 });
  table.put(greeter(['a']));
  table.remove(greeter([]));
  table.remove(greeter(['a']));
  const types = (await events(watcher, 4)).map(({ type }) => type);
  expect(types).toEqual(['resync', 'create', 'update', 'delete']);
  expect(table.records()).toEqual([]);
  expect(table.nextExpiry).toBe(Number.POSITIVE_INFINITY);
});

test('a lease that runs out takes its node', async () => {
  const table = new LeaseTable();
  table.put(greeter(['a']));
  table.put(greeter(['b']), { ttlMs: 30 });
  await using watcher = watch(table);
  expect(await events(watcher, 2)).toEqual([
    { type: 'resync', services: [greeter(['a', 'b'])] },
    { type: 'update', service: greeter(['a']) },
  ]);
  expect(table.list()).toEqual([greeter(['a'])]);
});

test('only what is due expires, and is returned', () => {
  const table = new LeaseTable();
  const now = performance.now();
  table.put(greeter(['a', 'b', 'c']), { ttlMs: [10_000, 20_000, 30_000] });
  expect(table.leasesMs(greeter(['c', 'a', 'nobody']))).toEqual([30_000, 10_000]);
  expect(table.expire(now + 9000)).toEqual([]);
  expect(table.expire(now + 25_000)).toEqual([greeter(['a', 'b'])]);
  table.renew(greeter(['c', 'nobody']), { ttlMs: 60_000 });
  expect(table.expire(now + 50_000)).toEqual([]);
  expect(table.expire(now + 70_000)).toEqual([greeter(['c'])]);
  expect(table.records()).toEqual([]);
});

test('a guessed lease can be spared, and doubt makes every lease one', () => {
  const table = new LeaseTable();
  const now = performance.now();
  table.put(greeter(['a']), { ttlMs: 1000, isGuess: true });
  table.put(greeter(['b']), { ttlMs: 1000 });
  table.put(greeter(['c']), { ttlMs: 90_000 });
  expect(idsOf(table.expire(now + 5000, { withGuesses: false }))).toEqual(['b']);
  table.doubt(1000);
  expect(table.expire(now + 5000, { withGuesses: false })).toEqual([]);
  expect(idsOf(table.expire(now + 5000))).toEqual(['a', 'c']);
});

test('who made it decides what is due, and when to look again', async () => {
  const seen: number[] = [];
  const table = new LeaseTable({
    onDue: (now) => (seen.push(now) < 3 ? now + 5 : Number.POSITIVE_INFINITY),
  });
  table.put(greeter(['a']), { ttlMs: 1 });
  await expect.poll(() => seen.length).toBe(3);
  expect(idsOf(table.records())).toEqual(['a']);
});

test('muted it tells nothing, and everything once afterwards', async () => {
  const table = new LeaseTable();
  await using watcher = watch(table);
  table.mute();
  table.put(greeter(['a']), { owner });
  table.unmute();
  expect((await events(watcher, 2)).at(-1)).toEqual({ type: 'resync', services: [greeter(['a'])] });
});

test('a full table refuses who is new, and keeps and renews who is known', () => {
  const refused: string[] = [];
  const table = new LeaseTable({ maxNodes: 2, onRefused: ({ name }) => refused.push(name) });
  table.put(greeter(['a', 'b', 'c']), { ttlMs: 1000 });
  table.put(greeter(['x'], { name: 'other' }), { ttlMs: 1000 });
  table.put(greeter(['b']), { ttlMs: 90_000 });
  expect(idsOf(table.records())).toEqual(['a', 'b']);
  expect(table.has('other')).toBe(false);
  expect(refused).toEqual(['greeter', 'other']);
  expect(idsOf(table.expire(performance.now() + 5000))).toEqual(['a']);
  table.put(greeter(['x'], { name: 'other' }));
  expect(idsOf(table.records())).toEqual(['b', 'x']);
});

test('records take no more memory than allowed, however they come, grow and go', () => {
  const table = new LeaseTable({ maxBytes: 100_000 });
  const big = 'x'.repeat(40_000);
  for (let round = 0; round < 100; round++) {
    // Facts that a node which is gone brought, and one which stays shares.
    table.put(greeter([`a${round}`], { metadata: { big, round: String(round) } }));
    table.put(greeter([`b${round}`], { metadata: { big, round: String(round) } }));
    table.remove(greeter([`a${round}`]));
    table.put(
      serviceRecord({ name: 'greeter', version: '1', nodes: [{ id: 'grows', address: big + big.slice(round) }] }),
    );
  }
  expect(JSON.stringify(table.records()).length).toBeLessThan(100_000);
  expect(idsOf(table.records()).length).toBeGreaterThan(0);
  table.clear();
  for (const id of ['a', 'b']) table.put(greeter([id], { metadata: { big } }));
  expect(idsOf(table.records())).toEqual(['a', 'b']);
});

test('whatever is done to it, in any order, it is what a plain list of nodes would be', () => {
  const ids = fc.subarray(['a', 'b', 'c', 'd'], { minLength: 1 });
  const step = fc.oneof(
    fc.record({ what: fc.constant('put' as const), ids, color: fc.constantFrom('red', 'blue'), ttlMs: fc.nat(100) }),
    fc.record({ what: fc.constant('remove' as const), ids }),
    fc.record({ what: fc.constant('expire' as const), afterMs: fc.nat(100) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const table = new LeaseTable();
      const start = performance.now();
      const model = new Map<string, { color: string; lastsMs: number; turn: number }>();
      steps.forEach((each, turn) => {
        if (each.what === 'put') {
          // A second apart, so that what passes while the test runs does not count.
          const lastsMs = (1 + each.ttlMs) * 1000;
          table.put(greeter(each.ids, { metadata: { color: each.color } }), { ttlMs: lastsMs });
          for (const id of each.ids) {
            const known = model.get(id);
            model.set(id, { color: each.color, lastsMs, turn: known?.color === each.color ? known.turn : turn });
          }
        } else if (each.what === 'remove') {
          table.remove(greeter(each.ids));
          for (const id of each.ids) model.delete(id);
        } else {
          const afterMs = each.afterMs * 1000 + 500;
          table.expire(start + afterMs);
          for (const [id, { lastsMs }] of model) if (lastsMs < afterMs) model.delete(id);
        }
        const last = [...model.values()].reduce((a, b) => (b.turn > a.turn ? b : a), {
          color: '',
          lastsMs: 0,
          turn: -1,
        });
        const [record] = table.records();
        expect(new Set(idsOf(table.records()))).toEqual(new Set(model.keys()));
        if (record) expect(record.metadata.color).toBe(last.color);
      });
      table.clear();
    }),
    { numRuns: 300 },
  );
});
