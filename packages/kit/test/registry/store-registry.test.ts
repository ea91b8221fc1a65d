import { MicroError, type ServiceRecord, serviceRecord } from '@ts-micro/core';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type RegistryStore, StoreRegistry, type StoreRegistryOptions } from '../../src/index.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});

afterEach(() => {
  vi.useRealTimers();
});

/** What all instances share: texts, a clock and a feed. */
class SharedStore {
  readonly texts: Map<string, string> = new Map();
  readonly listeners: Set<(text: string) => void> = new Set();
  isAway = false;

  /** The store as one instance has it. */
  open(): RegistryStore {
    const reach = async <T>(work: () => T): Promise<T> => {
      if (this.isAway) throw new MicroError('unavailable', 'store: out of reach', { retrySafe: true });
      return work();
    };
    return {
      read: () => reach(() => Object.fromEntries(this.texts)),
      put: (texts) =>
        reach(() => {
          for (const [name, text] of Object.entries(texts)) this.texts.set(name, text);
        }),
      remove: (names) =>
        reach(() => {
          for (const name of names) this.texts.delete(name);
        }),
      now: () => reach(() => 1_000_000_000 + performance.now()),
      publish: (text) =>
        reach(() => {
          for (const listener of this.listeners) listener(text);
        }),
      subscribe: (listener) => reach(() => void this.listeners.add(listener)),
      close: async () => {},
    };
  }

  registry(options: Partial<StoreRegistryOptions> = {}): StoreRegistry {
    return new StoreRegistry({ name: 'test', store: this.open(), ...options });
  }

  stored(id: string): { owner: string; changedAt: number; endsAt?: number } | undefined {
    const text = this.texts.get(JSON.stringify(['greeter', '1', id]));
    return text === undefined ? undefined : JSON.parse(text);
  }
}

function greeter(ids: readonly string[], init: Partial<ServiceRecord> = {}): ServiceRecord {
  const nodes = ids.map((id) => ({ id, address: `at-${id}` }));
  return serviceRecord({ name: 'greeter', version: '1', nodes, ...init });
}

const idsOf = (records: readonly ServiceRecord[]) => records.flatMap(({ nodes }) => nodes.map(({ id }) => id));

test('renewing a node moves its end and leaves the time of its last change', async () => {
  const shared = new SharedStore();
  await using registry = shared.registry();
  await registry.register(greeter(['a']), { ttlMs: 1000 });
  const first = shared.stored('a');
  vi.advanceTimersByTime(400);
  await registry.register(greeter(['a']), { ttlMs: 1000 });
  const second = shared.stored('a');
  expect(second?.changedAt).toBe(first?.changedAt);
  expect(second?.endsAt).toBe((first?.endsAt ?? 0) + 400);
});

test('a change made by another instance counts as later than what was known', async () => {
  const shared = new SharedStore();
  await using one = shared.registry();
  await using other = shared.registry();
  await one.register(greeter(['a'], { metadata: { from: 'one' } }));
  await other.register(greeter(['b'], { metadata: { from: 'other' } }));
  await other.register(greeter(['b'], { metadata: { from: 'other' } }));
  expect(await one.getService('greeter')).toEqual([greeter(['a', 'b'], { metadata: { from: 'other' } })]);
  await one.register(greeter(['a'], { metadata: { from: 'changed' } }));
  expect((await other.getService('greeter'))[0]?.metadata).toEqual({ from: 'changed' });
});

test('another instance that renews what it did not register keeps the time of the last change', async () => {
  const shared = new SharedStore();
  await using one = shared.registry();
  await using other = shared.registry();
  await one.register(greeter(['a']));
  const first = shared.stored('a');
  vi.advanceTimersByTime(50);
  await other.register(greeter(['a']));
  expect(shared.stored('a')?.changedAt).toBe(first?.changedAt);
  expect(shared.stored('a')?.owner).not.toBe(first?.owner);
});

test('closing takes away what is still its own, and no more', async () => {
  const shared = new SharedStore();
  const one = shared.registry();
  await using other = shared.registry();
  await one.register(greeter(['a', 'b']));
  await other.register(greeter(['b', 'c']));
  await one.close();
  expect(idsOf(await other.getService('greeter'))).toEqual(['b', 'c']);
});

test('a version without nodes ends when it gets nodes', async () => {
  const shared = new SharedStore();
  await using registry = shared.registry();
  await registry.register(greeter([]));
  expect(shared.stored('')).toBeDefined();
  await registry.register(greeter(['a']));
  expect(shared.stored('')).toBeUndefined();
});

test('a lease that has run out is not listed, and a day later not stored', async () => {
  const shared = new SharedStore();
  await using registry = shared.registry();
  await registry.register(greeter(['a']), { ttlMs: 1000 });
  vi.advanceTimersByTime(1000);
  expect(await registry.getService('greeter')).toEqual([]);
  expect(shared.stored('a')).toBeDefined();
  vi.advanceTimersByTime(86_400_000 + 1);
  await registry.listServices();
  expect(shared.stored('a')).toBeUndefined();
});

test('after an outage it puts back what still has a lease, for as long as is left of that', async () => {
  const shared = new SharedStore();
  await using registry = shared.registry();
  await registry.register(greeter(['short']), { ttlMs: 300 });
  await registry.register(greeter(['long']), { ttlMs: 5000 });
  await registry.register(greeter(['endless']));
  shared.texts.clear();
  vi.advanceTimersByTime(1000);
  await registry.resume();
  expect(idsOf(await registry.getService('greeter'))).toEqual(['long', 'endless']);
  vi.advanceTimersByTime(4001);
  expect(idsOf(await registry.getService('greeter'))).toEqual(['endless']);
});

test('a lease that is renewed during an outage outlives it', async () => {
  const shared = new SharedStore();
  await using registry = shared.registry();
  await registry.register(greeter(['a']), { ttlMs: 1000 });
  shared.isAway = true;
  vi.advanceTimersByTime(900);
  await expect(registry.register(greeter(['a']), { ttlMs: 1000 })).rejects.toMatchObject({ code: 'unavailable' });
  vi.advanceTimersByTime(900);
  shared.isAway = false;
  shared.texts.clear();
  await registry.resume();
  expect(idsOf(await registry.getService('greeter'))).toEqual(['a']);
});

test('coming back is tried again every half second until it succeeds', async () => {
  const shared = new SharedStore();
  await using registry = shared.registry();
  await registry.register(greeter(['a']));
  shared.texts.clear();
  shared.isAway = true;
  await registry.resume();
  await vi.advanceTimersByTimeAsync(600);
  expect(shared.texts.size).toBe(0);
  shared.isAway = false;
  await vi.advanceTimersByTimeAsync(500);
  expect(shared.stored('a')).toBeDefined();
  expect(vi.getTimerCount()).toBe(0);
});

test('closing during an outage does not wait, and tries no more', async () => {
  const shared = new SharedStore();
  const registry = shared.registry();
  await registry.register(greeter(['a']));
  shared.isAway = true;
  await registry.resume();
  await registry.close();
  expect(vi.getTimerCount()).toBe(0);
  expect(await registry.closed).toBeUndefined();
});

test('texts that are no nodes are left out, and messages that are none ignored', async () => {
  const shared = new SharedStore();
  await using registry = shared.registry();
  await registry.register(greeter(['a']));
  shared.texts.set('x', '{"owner":"me","changedAt":"soon","record":{"name":"greeter","nodes":[]}}');
  shared.texts.set('y', 'no JSON');
  const watcher = await registry.watch();
  expect(await watcher.receive()).toMatchObject({ type: 'resync' });
  for (const listener of shared.listeners) listener('no JSON');
  await registry.register(greeter(['a', 'b']));
  expect(await watcher.receive()).toMatchObject({ type: 'update', service: greeter(['a', 'b']) });
  expect(idsOf(await registry.getService('greeter'))).toEqual(['a', 'b']);
});

const textOf = (record: unknown, changedAt = 1) => JSON.stringify({ owner: 'x', changedAt, record });
const nodesOf = (id: string) => [{ id, address: `at-${id}`, metadata: {} }];
const endpointOf = (request: unknown) => ({ name: 'A.B', request, metadata: {} });

test('what is deep, long, no text or named like a prototype harms no other record, stored or told', async () => {
  const shared = new SharedStore();
  await using registry = shared.registry({ maxRecordBytes: 200_000 });
  await using watcher = await registry.watch();
  await registry.register(greeter(['a']));
  const deep = `${'{"name":"","type":"","values":['.repeat(500)}${']}'.repeat(500)}`;
  const records = [
    { name: 'deep', nodes: nodesOf('1'), endpoints: [endpointOf(JSON.parse(deep))] },
    { name: 'numbers', nodes: nodesOf('1'), endpoints: [endpointOf({ name: 7, type: '', values: [] })] },
    { name: 'place', nodes: [{ id: '1', address: { host: 'x' }, metadata: {} }] },
    { name: 'long', nodes: nodesOf('1'), metadata: { long: 'x'.repeat(200_000) } },
  ];
  for (const record of records) {
    shared.texts.set(record.name, textOf(record));
    for (const listener of shared.listeners) listener(JSON.stringify({ put: record }));
  }
  shared.texts.set(
    'proto',
    textOf(JSON.parse('{"name":"__proto__","nodes":[{"id":"__proto__","address":"x","metadata":{"__proto__":"y"}}]}')),
  );
  const names = (await registry.listServices()).map(({ name }) => name);
  expect(names.sort()).toEqual(['__proto__', 'greeter']);
  expect(await registry.getService('__proto__')).toMatchObject([{ nodes: [{ id: '__proto__', address: 'x' }] }]);
  expect(Object.getPrototypeOf({})).toBe(Object.prototype);
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect(await watcher.receive()).toMatchObject({ type: 'resync' });
  expect(await watcher.receive()).toMatchObject({ type: 'create', service: { name: 'greeter' } });
  await registry.register(greeter(['a', 'b']));
  expect(await watcher.receive()).toMatchObject({ type: 'update', service: { name: 'greeter' } });
});

test('of very many nodes those that changed first are known, and the others are logged', async () => {
  const shared = new SharedStore();
  const warn = vi.fn();
  const logger = { debug() {}, info() {}, warn, error() {} };
  await using registry = shared.registry({ maxNodes: 100, logger });
  await registry.register(greeter(['a']));
  for (let number = 0; number < 500; number++)
    shared.texts.set(`${number}`, textOf({ name: 'many', nodes: nodesOf(`n${number}`) }, 2_000_000_000 + number));
  await using watcher = await registry.watch();
  expect(await registry.getService('greeter')).toHaveLength(1);
  const [many] = await registry.getService('many');
  expect(many?.nodes.map(({ id }) => id)).toEqual(Array.from({ length: 99 }, (_, number) => `n${number}`));
  const event = await watcher.receive();
  expect(event?.type === 'resync' && idsOf(event.services)).toHaveLength(100);
  expect(warn).toHaveBeenCalled();
});

test('a record longer than `maxRecordBytes` is refused, and one of a version that very many have is not', {
  timeout: 60_000,
}, async () => {
  const shared = new SharedStore();
  await using registry = shared.registry({ maxRecordBytes: 1000 });
  const long = registry.register(greeter(['a'], { metadata: { long: 'x'.repeat(1000) } }));
  await expect(long).rejects.toMatchObject({ code: 'too_large' });
  expect(shared.texts.size).toBe(0);
  for (let number = 0; number < 150_000; number++)
    shared.texts.set(`${number}`, textOf({ name: 'greeter', version: '1', nodes: nodesOf(`n${number}`) }));
  await registry.register(greeter(['a']));
  expect(shared.stored('a')).toBeDefined();
});
