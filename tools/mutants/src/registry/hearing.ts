import type { RegistryEvent, ServiceRecord } from '@ts-micro/core';
import { altered } from '../altered.ts';
import { type Mutant, mutantsOf } from '../mutant.ts';
import { events, registries } from './seams.ts';

export const hearing: readonly Mutant<'registry'>[] = mutantsOf('registry', [
  {
    name: 'announces everything to all',
    breaks: 'A watcher of one service hears of every other.',
    caughtBy: ['watch-one-service'],
    make: () => matching((name, service, type) => name === service || type !== 'resync'),
  },
  {
    name: 'resyncs everything to all',
    breaks: 'The `resync` of a watcher of one service holds every other.',
    caughtBy: ['watch-one-service'],
    make: () => matching((name, service, type) => name === service || type === 'resync'),
  },
  {
    name: 'watches by the beginning',
    breaks: 'A watcher of `a` hears of `a.more`.',
    caughtBy: ['watch-one-service'],
    make: () => matching((name, service) => name.startsWith(service)),
  },
  {
    name: 'watches in any case',
    breaks: 'A watcher of `a` hears of `A`.',
    caughtBy: ['watch-one-service'],
    make: () => matching((name, service) => name.toLowerCase() === service.toLowerCase()),
  },
  {
    name: 'watches once it is read',
    breaks: 'A watcher hears of nothing before its first `receive`.',
    caughtBy: ['watch-at-once'],
    make: () =>
      registries((registry) => ({
        async watch(options) {
          const unread = await registry.watch(options);
          let reading: ReturnType<typeof registry.watch> | undefined;
          return altered(unread, {
            async receive(receiveOptions) {
              reading ??= registry.watch({ service: options?.service });
              return (await reading).receive(receiveOptions);
            },
          });
        },
      })),
  },
  {
    name: 'misses what happens meanwhile',
    breaks: 'A change between the list of what is known and the start of watching is lost.',
    caughtBy: ['watch-meanwhile'],
    make: () =>
      registries((registry) => ({
        async watch(options) {
          const all = await registry.listServices();
          const services = all.filter(({ name }) => options?.service === undefined || options.service === name);
          const watcher = await registry.watch(options);
          let isFirst = true;
          return altered(watcher, {
            async receive(receiveOptions) {
              const event = await watcher.receive(receiveOptions);
              const wasFirst = isFirst;
              isFirst = false;
              return wasFirst && event ? { type: 'resync', services } : event;
            },
          });
        },
      })),
  },
  {
    name: 'watches everything deaf',
    breaks: 'A watcher of everything hears of no change.',
    caughtBy: ['every-watcher'],
    make: () =>
      registries((registry) => ({
        async watch(options) {
          if (options?.service !== undefined) return registry.watch(options);
          return events(() => (event) => (event.type === 'resync' ? event : undefined))(registry).watch(options);
        },
      })),
  },
  {
    name: 'tells one watcher',
    breaks: 'Of the watchers of one registry the first alone hears of a change.',
    caughtBy: ['every-watcher', 'watch-changes'],
    make: () => {
      let count = 0;
      return events(() => {
        const isFirst = ++count === 1;
        return (event) => (isFirst || event.type === 'resync' ? event : undefined);
      });
    },
  },
  {
    name: 'loses changes',
    breaks: 'One change in ten is not announced.',
    caughtBy: ['every-watcher', 'aborted-receive-loses-nothing', 'watch-meanwhile'],
    make: () =>
      events(() => {
        let count = 0;
        return (event) => (++count % 10 === 0 ? undefined : event);
      }),
  },
  {
    name: 'announces live records',
    breaks: 'All watchers get one and the same record.',
    caughtBy: ['every-watcher'],
    make: () => {
      const records = new Map<string, ServiceRecord>();
      return events(() => (event) => {
        if (event.type === 'resync') return event;
        const key = JSON.stringify(event);
        const service = records.get(key) ?? event.service;
        records.set(key, service);
        return { ...event, service };
      });
    },
  },
]);

/** Gives a watcher of one service the events of those that match it. */
function matching(
  isMatch: (name: string, service: string, type: RegistryEvent['type']) => boolean,
): ReturnType<typeof registries> {
  return registries((registry) => ({
    async watch(options) {
      const service = options?.service;
      if (service === undefined) return registry.watch(options);
      const watcher = await registry.watch({ ...options, service: undefined });
      return altered(watcher, {
        async receive(receiveOptions) {
          for (;;) {
            const event = await watcher.receive(receiveOptions);
            if (event?.type === 'resync')
              return { ...event, services: event.services.filter(({ name }) => isMatch(name, service, event.type)) };
            if (event === undefined || isMatch(event.service.name, service, event.type)) return event;
          }
        },
      });
    },
  }));
}
