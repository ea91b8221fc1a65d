import { type Registry, silentLogger, type Watcher } from '@ts-micro/core';
import { memoryRegistry } from '@ts-micro/memory';
import { expect, it } from 'vitest';
import { followService } from '../../src/client/discovery/follow-service.ts';

const follower = { onResync() {}, onChange() {}, onLost() {} };

async function microtasks(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await undefined;
}

it.each([...Array(12).keys()])(
  'ends, with its watcher, when it is aborted %i microtasks after that has come',
  async (count) => {
    await using registry = memoryRegistry();
    const ending = new AbortController();
    let watcher: Watcher | undefined;
    // What the memory registry gives, in a promise of its own, so that it is known when it resolves.
    const watch: Registry['watch'] = async (options) => {
      const coming = await registry.watch(options === undefined ? {} : { service: options.service });
      watcher = coming;
      void microtasks(count).then(() => ending.abort());
      return coming;
    };
    const disguised = new Proxy(registry, { get: (it, key) => (key === 'watch' ? watch : Reflect.get(it, key, it)) });
    await followService(disguised, 'greeter', follower, ending.signal, silentLogger);
    expect(await watcher?.closed).toBeUndefined();
  },
);
