import {
  type LookupOptions,
  MicroError,
  type Registry,
  type ServiceRecord,
  serviceRecord,
  silentLogger,
  type Watcher,
} from '@ts-micro/core';
import { type MemoryNetwork, memoryNetwork, memoryRegistry } from '@ts-micro/memory';
import { expect, it } from 'vitest';
import { RegistryCache } from '../../src/client/discovery/registry-cache.ts';
import type { ServiceView } from '../../src/client/discovery/service-view.ts';
import { codeOf, never, until } from './world.ts';

interface Fixture extends AsyncDisposable {
  readonly network: MemoryNetwork;
  readonly registry: Registry;
  readonly cache: RegistryCache;
  /** What the cache asked of the registry. */
  readonly asked: string[];
  readonly news: string[];
  readonly gone: string[];
  /** Moves the cache's clock. */
  advance(ms: number): void;
}

interface FixtureOptions {
  /** Changes what the cache sees of the registry. */
  readonly disguise?: (registry: Registry) => Partial<Registry>;
  readonly limit?: number;
}

/** A cache over a memory registry that counts what it is asked. */
function openFixture({ disguise, limit }: FixtureOptions = {}): Fixture {
  const network = memoryNetwork();
  const registry = memoryRegistry({ network });
  const asked: string[] = [];
  const news: string[] = [];
  const gone: string[] = [];
  let offsetMs = 0;
  const counting: Partial<Registry> = {
    getService: (name: string, options?: LookupOptions) => {
      asked.push(options?.quorum === undefined ? `all ${name}` : `first ${name}`);
      return registry.getService(name, options);
    },
    watch: (options) => {
      asked.push(`watch ${options?.service}`);
      return registry.watch(options);
    },
  };
  const shown: Registry = { ...facade(registry), ...counting, ...disguise?.({ ...facade(registry), ...counting }) };
  const cache = new RegistryCache(
    {
      registry: shown,
      transport: 'memory',
      logger: silentLogger,
      now: () => performance.now() + offsetMs,
      onNews: (address) => news.push(address),
      onGone: (address) => gone.push(address),
    },
    limit,
  );
  return {
    network,
    registry,
    cache,
    asked,
    news,
    gone,
    advance: (ms) => {
      offsetMs += ms;
    },
    [Symbol.asyncDispose]: async () => {
      await cache.close();
      await registry.close();
    },
  };
}

function facade(registry: Registry): Registry {
  return {
    name: registry.name,
    supports: registry.supports,
    closed: registry.closed,
    register: (...given) => registry.register(...given),
    deregister: (...given) => registry.deregister(...given),
    getService: (...given) => registry.getService(...given),
    listServices: (...given) => registry.listServices(...given),
    watch: (...given) => registry.watch(...given),
    close: (...given) => registry.close(...given),
    [Symbol.asyncDispose]: () => registry.close(),
  };
}

function record(id: string, version: string = '1', address: string = `address-${id}`): ServiceRecord {
  return serviceRecord({ name: 'greeter', version, nodes: [{ id, address, metadata: {} }] });
}

function idsOf(view: ServiceView | undefined): string[] {
  return (view?.records ?? []).flatMap(({ nodes }) => nodes.map(({ id }) => id)).sort();
}

function peek(fixture: Fixture): string[] {
  return idsOf(fixture.cache.peek('greeter', performance.now()));
}

it('knows nothing until it was asked, and then answers from memory', async () => {
  await using fixture = openFixture();
  await fixture.registry.register(record('a'));
  expect(fixture.cache.peek('greeter', 0)).toBe(undefined);
  expect(idsOf(await fixture.cache.lookup('greeter'))).toEqual(['a']);
  expect(fixture.asked[0]).toBe('first greeter');
  await until(() => fixture.asked.length === 2);
  expect(fixture.asked).toEqual(['first greeter', 'watch greeter']);
  for (let call = 0; call < 100; call++) expect(peek(fixture)).toEqual(['a']);
  await fixture.cache.lookup('greeter');
  expect(fixture.asked).toHaveLength(2);
});

it('asks once for many lookups at the same time', async () => {
  await using fixture = openFixture();
  await fixture.registry.register(record('a'));
  const views = await Promise.all(Array.from({ length: 50 }, () => fixture.cache.lookup('greeter')));
  for (const view of views) expect(idsOf(view)).toEqual(['a']);
  expect(fixture.asked.filter((what) => what === 'first greeter')).toHaveLength(1);
});

it('follows nodes that come, change and go', async () => {
  await using fixture = openFixture();
  await fixture.registry.register(record('a'));
  await fixture.cache.lookup('greeter');
  await fixture.registry.register(record('b', '2'));
  await until(() => peek(fixture).join() === 'a,b');
  await fixture.registry.register(record('b', '2', 'moved'));
  await until(() => fixture.gone.includes('address-b'));
  expect(fixture.news).toContain('moved');
  await fixture.registry.deregister(record('a'));
  await until(() => peek(fixture).join() === 'b');
  expect(fixture.gone).toContain('address-a');
  expect(fixture.asked.filter((what) => what.startsWith('all'))).toEqual([]);
});

it('does not keep an empty answer, so that a service which has just started is found', async () => {
  await using fixture = openFixture({ disguise: () => ({ supports: { ttl: true, watch: false } }) });
  expect(idsOf(await fixture.cache.lookup('greeter'))).toEqual([]);
  await fixture.registry.register(record('a'));
  expect(idsOf(await fixture.cache.lookup('greeter'))).toEqual(['a']);
});

it('asks again where the answer that others wait for came from before the lookup', async () => {
  const answers: (() => void)[] = [];
  await using fixture = openFixture({
    disguise: (registry) => ({
      supports: { ttl: true, watch: false },
      getService: async (...given) => {
        const records = await registry.getService(...given);
        await new Promise<void>((resolve) => {
          answers.push(resolve);
        });
        return records;
      },
    }),
  });
  const early = fixture.cache.lookup('greeter');
  await until(() => answers.length === 1);
  await fixture.registry.register(record('a'));
  const late = fixture.cache.lookup('greeter');
  answers[0]?.();
  expect(idsOf(await early)).toEqual([]);
  await until(() => answers.length === 2);
  answers[1]?.();
  expect(idsOf(await late)).toEqual(['a']);
  // What asks for the rest in the background waits as well.
  for (const answer of answers) answer();
});

it('learns of a service that starts after it was asked for in vain', async () => {
  await using fixture = openFixture();
  expect(idsOf(await fixture.cache.lookup('greeter'))).toEqual([]);
  await fixture.registry.register(record('a'));
  await until(() => peek(fixture).join() === 'a');
});

it('takes the first answer while the rest is being collected', async () => {
  await using fixture = openFixture({
    disguise: (registry) => ({
      supports: { ttl: true, watch: false },
      getService: async (name, options) => {
        const records = await registry.getService(name, options);
        return options?.quorum === 1 ? records.slice(0, 1) : records;
      },
    }),
  });
  await fixture.registry.register(record('a', '1'));
  await fixture.registry.register(record('b', '2'));
  const first = await fixture.cache.lookup('greeter');
  expect(idsOf(first)).toHaveLength(1);
  expect(first.isComplete).toBe(false);
  expect(idsOf(await fixture.cache.complete('greeter'))).toEqual(['a', 'b']);
  expect(peek(fixture)).toEqual(['a', 'b']);
});

it('keeps what it knows when the registry cannot be asked', async () => {
  await using fixture = openFixture();
  await fixture.registry.register(record('a'));
  await fixture.cache.lookup('greeter');
  fixture.network.partition();
  fixture.advance(60_000);
  await fixture.cache.refresh('greeter');
  expect(peek(fixture)).toEqual(['a']);
  expect(await codeOf(fixture.cache.lookup('other'))).toBe('unavailable');
});

it('never says that there is none when it could not ask', async () => {
  await using fixture = openFixture();
  fixture.network.partition();
  await expect(fixture.cache.lookup('greeter')).rejects.toMatchObject({
    code: 'unavailable',
    retrySafe: true,
    message: expect.stringContaining('client: looking up service "greeter": '),
  });
  fixture.network.heal();
  await fixture.registry.register(record('a'));
  expect(idsOf(await fixture.cache.lookup('greeter'))).toEqual(['a']);
});

it('takes over a resync after a gap, and confirms its nodes', async () => {
  await using fixture = openFixture();
  await fixture.registry.register(record('a'));
  await fixture.registry.register(record('b'));
  await fixture.cache.lookup('greeter');
  await until(() => peek(fixture).join() === 'a,b');
  const other = memoryRegistry({ network: fixture.network });
  fixture.network.partition();
  fixture.news.length = 0;
  fixture.network.heal();
  await until(() => fixture.news.length > 0);
  expect([...new Set(fixture.news)].sort()).toEqual(['address-a', 'address-b']);
  await other.close();
});

it('watches again when a watcher ends or cannot be had', async () => {
  let attempts = 0;
  await using fixture = openFixture({
    disguise: (registry) => ({
      watch: async (options) => {
        attempts++;
        if (attempts === 1) throw new MicroError('unavailable', 'no watcher today');
        const watcher = await registry.watch(options);
        if (attempts === 2) void watcher.receive().then(() => watcher.close());
        return watcher;
      },
    }),
  });
  await fixture.registry.register(record('a'));
  await fixture.cache.lookup('greeter');
  await until(() => attempts >= 3);
  await fixture.registry.register(record('b'));
  await until(() => peek(fixture).join() === 'a,b');
});

it('asks again every few seconds while no watcher follows, without making anybody wait', async () => {
  await using fixture = openFixture({ disguise: () => ({ supports: { ttl: true, watch: false } }) });
  await fixture.registry.register(record('a'));
  await fixture.cache.lookup('greeter');
  await fixture.cache.complete('greeter');
  await fixture.registry.register(record('b'));
  expect(peek(fixture)).toEqual(['a']);
  expect(fixture.asked).toEqual(['first greeter', 'all greeter']);
  const laterMs = performance.now() + 6000;
  for (let call = 0; call < 10; call++) expect(idsOf(fixture.cache.peek('greeter', laterMs))).toEqual(['a']);
  await until(() => peek(fixture).join() === 'a,b');
  expect(fixture.asked).toEqual(['first greeter', 'all greeter', 'all greeter']);
});

it('asks again as well when the watcher is lost for good', async () => {
  const watchers: Watcher[] = [];
  await using fixture = openFixture({
    disguise: (registry) => ({
      watch: async (options) => {
        if (watchers.length > 0) return never;
        const watcher = await registry.watch(options);
        watchers.push(watcher);
        return watcher;
      },
    }),
  });
  await fixture.registry.register(record('a'));
  await fixture.cache.lookup('greeter');
  await until(() => fixture.cache.peek('greeter', performance.now())?.isComplete === true);
  await watchers[0]?.close();
  await fixture.registry.deregister(record('a'));
  await fixture.registry.register(record('b'));
  expect(peek(fixture)).toEqual(['a']);
  // A question that was under way already may still be answered with what was there before.
  await until(() => {
    fixture.cache.peek('greeter', performance.now() + 6000);
    return peek(fixture).join() === 'b';
  });
});

it('lets nodes that a watcher knows stay when they were too slow to answer', async () => {
  let isSlow = false;
  await using fixture = openFixture({
    disguise: (registry) => ({
      getService: async (name, options) => {
        const records = await registry.getService(name, options);
        return isSlow ? [record('c', '2')] : records;
      },
    }),
  });
  await fixture.registry.register(record('a'));
  await fixture.cache.lookup('greeter');
  await until(() => fixture.cache.peek('greeter', performance.now())?.isComplete === true);
  isSlow = true;
  fixture.advance(5000);
  await fixture.cache.refresh('greeter');
  expect(peek(fixture)).toEqual(['a', 'c']);
});

it('believes a node that answers about its address, where somebody has announced another one for it', async () => {
  const { nodes } = record('a');
  await using fixture = openFixture({ disguise: () => ({ getService: async () => [record('a'), record('b')] }) });
  const forged = { ...record('a'), nodes: nodes.map((node) => ({ ...node, address: 'forged' })) };
  await fixture.registry.register(forged);
  await fixture.registry.register(record('c'));
  await fixture.cache.lookup('greeter');
  await until(() => fixture.cache.peek('greeter', performance.now())?.isComplete === true);
  fixture.advance(5000);
  await fixture.cache.refresh('greeter');
  const known = fixture.cache.peek('greeter', performance.now())?.records.flatMap((each) => each.nodes) ?? [];
  const addressOf = new Map(known.map((node) => [node.id, node.address]));
  expect([...addressOf.keys()].sort()).toEqual(['a', 'b', 'c']);
  expect(addressOf.get('a')).toBe(nodes[0]?.address);
});

it('refreshes at most once a second', async () => {
  await using fixture = openFixture();
  await fixture.registry.register(record('a'));
  await fixture.cache.lookup('greeter');
  fixture.advance(2000);
  await Promise.all(Array.from({ length: 20 }, () => fixture.cache.refresh('greeter')));
  await fixture.cache.refresh('greeter');
  expect(fixture.asked.filter((what) => what === 'all greeter')).toHaveLength(1);
});

it('forgets the service used least recently beyond its limit', async () => {
  await using fixture = openFixture({ limit: 2 });
  for (const name of ['one', 'two', 'three']) {
    await fixture.registry.register(serviceRecord({ name, nodes: [{ id: name, address: name }] }));
    await fixture.cache.lookup(name);
    fixture.advance(1);
  }
  expect(fixture.cache.peek('one', 0)).toBe(undefined);
  expect(fixture.cache.peek('three', 0)).toBeDefined();
  expect(fixture.gone).toEqual(['one']);
});

it('leaves no watcher and no question open after close', async () => {
  await using fixture = openFixture({ disguise: () => ({ getService: () => never }) });
  const lookup = codeOf(fixture.cache.lookup('greeter'));
  await fixture.cache.close();
  expect(await lookup).toBe('closed');
  expect(await codeOf(fixture.cache.lookup('greeter'))).toBe('closed');
});
