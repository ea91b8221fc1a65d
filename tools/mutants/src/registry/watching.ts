import type { RegistryEvent, ServiceRecord } from '@ts-micro/core';
import { type Mutant, mutantsOf } from '../mutant.ts';
import { events, registries, versionOf, watchers } from './seams.ts';

export const watching: readonly Mutant<'registry'>[] = mutantsOf('registry', [
  {
    name: 'starts without a resync',
    breaks: 'The first event of a watcher is the first change.',
    caughtBy: ['watch-resync', 'watch-at-once'],
    make: () =>
      events(() => {
        let isFirst = true;
        return (event) => {
          const wasFirst = isFirst;
          isFirst = false;
          return wasFirst ? undefined : event;
        };
      }),
  },
  {
    name: 'starts from nothing',
    breaks: 'The first `resync` is empty whatever is known.',
    caughtBy: ['watch-resync'],
    make: () => events(() => (event) => (event.type === 'resync' ? { ...event, services: [] } : event)),
  },
  {
    name: 'starts with a list of creates',
    breaks: 'What is known when a watcher starts is announced as `create`.',
    caughtBy: ['watch-resync'],
    make: () =>
      watchers((watcher) => {
        const waiting: RegistryEvent[] = [];
        return {
          async receive(options) {
            const event = waiting.shift() ?? (await watcher.receive(options));
            if (event?.type !== 'resync' || event.services.length === 0) return event;
            waiting.push(...event.services.map((service) => ({ type: 'create', service }) as const));
            return waiting.shift();
          },
        };
      }),
  },
  {
    name: 'watches all in one version',
    breaks: 'A watcher of everything has one version of each service in its `resync`.',
    caughtBy: ['watch-resync'],
    make: () =>
      events(() => (event) => {
        if (event.type !== 'resync') return event;
        return { ...event, services: [...new Map(event.services.map((record) => [record.name, record])).values()] };
      }),
  },
  {
    name: 'knows no update',
    breaks: 'A changed version is announced as `create`.',
    caughtBy: ['watch-changes', 'watch-nodes'],
    make: () => events(() => (event) => (event.type === 'update' ? { ...event, type: 'create' } : event)),
  },
  {
    name: 'announces no update',
    breaks: 'A changed version is not announced.',
    caughtBy: ['watch-changes', 'watch-nodes'],
    make: () => events(() => (event) => (event.type === 'update' ? undefined : event)),
  },
  {
    name: 'announces no delete',
    breaks: 'A version that is gone is not announced.',
    caughtBy: ['watch-changes', 'watch-nodes', 'watch-leases'],
    make: () => events(() => (event) => (event.type === 'delete' ? undefined : event)),
  },
  {
    name: 'announces out of order',
    breaks: 'One change in three is announced after the next.',
    caughtBy: ['watch-changes', 'every-watcher'],
    make: () =>
      watchers((watcher) => {
        const late: RegistryEvent[] = [];
        let count = 0;
        return {
          async receive(options) {
            if (++count % 3 !== 0) return late.shift() ?? watcher.receive(options);
            const event = await watcher.receive(options);
            const after = await watcher.receive(options);
            if (event) late.push(event);
            return after;
          },
        };
      }),
  },
  {
    name: 'deletes an empty record',
    breaks: 'A `delete` carries the record without the nodes that it had last.',
    caughtBy: ['watch-changes', 'watch-nodes'],
    make: () =>
      events(() => (event) => {
        return event.type === 'delete' ? { ...event, service: { ...event.service, nodes: [] } } : event;
      }),
  },
  {
    name: 'announces what was registered',
    breaks: 'An `update` carries only the nodes that were registered, not those that were there.',
    caughtBy: ['watch-nodes'],
    make: () =>
      events(() => {
        const known = new Map<string, ServiceRecord['nodes']>();
        return (event) => {
          if (event.type === 'resync') return event;
          const { service } = event;
          const before = known.get(versionOf(service)) ?? [];
          known.set(versionOf(service), service.nodes);
          if (event.type !== 'update') return event;
          const nodes = service.nodes.filter(({ id }) => !before.some((node) => node.id === id));
          return { ...event, service: { ...service, nodes } };
        };
      }),
  },
  {
    name: 'deletes with the first node',
    breaks: 'A node that leaves a version that stays is announced as `delete`.',
    caughtBy: ['watch-nodes', 'watch-leases'],
    make: () =>
      events(() => {
        const counts = new Map<string, number>();
        return (event) => {
          if (event.type === 'resync') return event;
          const { service } = event;
          const before = counts.get(versionOf(service)) ?? 0;
          counts.set(versionOf(service), service.nodes.length);
          return service.nodes.length < before ? { type: 'delete', service } : event;
        };
      }),
  },
  {
    name: 'does not announce moves',
    breaks: 'A node that has another address now is not announced.',
    caughtBy: ['watch-nodes'],
    make: () =>
      events(() => {
        const ids = new Map<string, string>();
        return (event) => {
          if (event.type !== 'update') return event;
          const { service } = event;
          const before = ids.get(versionOf(service));
          ids.set(versionOf(service), JSON.stringify([service.metadata, service.nodes.map(({ id }) => id).sort()]));
          return before === ids.get(versionOf(service)) ? undefined : event;
        };
      }),
  },
  {
    name: 'is silent about leases',
    breaks: 'A lease that runs out is not announced.',
    caughtBy: ['watch-leases'],
    make: () => {
      let calls = 0;
      const counting = registries((registry) => ({
        register(service, options) {
          calls++;
          return registry.register(service, options);
        },
        deregister(service, options) {
          calls++;
          return registry.deregister(service, options);
        },
      }));
      const silencing = events(() => {
        let heard = calls;
        return (event) => {
          const isOfCall = event.type === 'resync' || calls > heard;
          heard = calls;
          return isOfCall ? event : undefined;
        };
      });
      return (sound) => silencing(counting(sound));
    },
  },
  {
    name: 'announces heartbeats',
    breaks: 'Registering again without a change is announced.',
    caughtBy: ['watch-no-change'],
    make: () =>
      registries((registry) => {
        const known = new Set<string>();
        return {
          async register(service, options) {
            if (known.has(versionOf(service)))
              await registry.register({ ...service, metadata: { ...service.metadata, beat: 'yes' } }, options);
            known.add(versionOf(service));
            await registry.register(service, options);
          },
        };
      }),
  },
]);
