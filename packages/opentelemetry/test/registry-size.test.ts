import { type Registry, silentLogger, type Watcher } from '@ts-micro/core';
import { memoryRegistry } from '@ts-micro/memory';
import { expect, it } from 'vitest';
import { RegistrySize } from '../src/observe/registry-size.ts';

it.each([...Array(12).keys()])('ends, with its watcher, aborted %i microtasks after that has come', async (count) => {
  await using registry = memoryRegistry();
  const ending = new AbortController();
  let watcher: Watcher | undefined;
  const watch: Registry['watch'] = async () => {
    const coming = await registry.watch();
    watcher = coming;
    void (async () => {
      for (let turn = 0; turn < count; turn++) await undefined;
      ending.abort();
    })();
    return coming;
  };
  const disguised = new Proxy(registry, { get: (it, key) => (key === 'watch' ? watch : Reflect.get(it, key, it)) });
  await new RegistrySize(disguised, ending.signal, silentLogger).follow();
  expect(await watcher?.closed).toBeUndefined();
});
