import type { Registry, RegistryEvent, ServiceRecord, Watcher } from '@ts-micro/core';
import { altered } from '../altered.ts';

type Breakage = (sound: Registry) => Registry;

/** Breaks the registry itself. */
export function registries(members: (registry: Registry) => Partial<Registry>): Breakage {
  return (registry) => altered(registry, members(registry));
}

/** Breaks every watcher; `service` is what it watches. */
export function watchers(members: (watcher: Watcher, service: string | undefined) => Partial<Watcher>): Breakage {
  return registries((registry) => ({
    async watch(options) {
      const watcher = await registry.watch(options);
      return altered(watcher, members(watcher, options?.service));
    },
  }));
}

/**
 * Breaks what each watcher hears: called once for each of them, what it returns changes an event, or keeps it back with
 * `undefined`.
 */
export function events(open: () => (event: RegistryEvent) => RegistryEvent | undefined): Breakage {
  return watchers((watcher) => {
    const change = open();
    return {
      async receive(options) {
        for (;;) {
          const event = await watcher.receive(options);
          if (event === undefined) return undefined;
          const changed = change(event);
          if (changed) return changed;
        }
      },
    };
  });
}

/** Breaks records as they are registered. */
export function registers(change: (service: ServiceRecord) => ServiceRecord): Breakage {
  return registries((registry) => ({ register: (service, options) => registry.register(change(service), options) }));
}

/** Breaks what lookups answer; `name` is what was asked for, `undefined` for everything. */
export function answers(
  change: (records: readonly ServiceRecord[], name?: string) => readonly ServiceRecord[],
): Breakage {
  return registries((registry) => ({
    getService: async (name, options) => change(await registry.getService(name, options), name),
    listServices: async (options) => change(await registry.listServices(options)),
  }));
}

/** Names one version of one service. */
export function versionOf({ name, version }: ServiceRecord): string {
  return JSON.stringify([name, version]);
}
