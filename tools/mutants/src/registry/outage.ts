import { MicroError, type ServiceRecord } from '@ts-micro/core';
import { type Mutant, mutantsOf } from '../mutant.ts';
import { never } from '../never.ts';
import { recoded } from '../recoded.ts';
import type { World } from '../world.ts';
import { answers, events, registries } from './seams.ts';

export const outages: readonly Mutant<'registry'>[] = mutantsOf('registry', [
  {
    name: 'answers nothing when aborted',
    breaks: 'A lookup that was aborted gives an empty list.',
    caughtBy: ['could-not-ask', 'registry-aborted-before'],
    make: () => excusing('canceled'),
  },
  {
    name: 'answers nothing in an outage',
    breaks: 'A lookup during an outage gives an empty list.',
    caughtBy: ['could-not-ask', 'outage-lookup'],
    make: () => excusing('unavailable'),
  },
  {
    name: 'answers nothing after close',
    breaks: 'A lookup after close gives an empty list.',
    caughtBy: ['could-not-ask', 'registry-refuses-after-close'],
    make: () => excusing('closed'),
  },
  {
    name: 'answers from memory',
    breaks: 'A lookup during an outage gives what was known before.',
    caughtBy: ['outage-lookup'],
    make: (world) => {
      const known = new Map<string | undefined, readonly ServiceRecord[]>();
      return registries((registry) => ({
        async getService(name, options) {
          if (!world.isDown) known.set(name, await registry.getService(name, options));
          return known.get(name) ?? registry.getService(name, options);
        },
        async listServices(options) {
          if (!world.isDown) known.set(undefined, await registry.listServices(options));
          return known.get(undefined) ?? [...known.values()].flat();
        },
      }));
    },
  },
  {
    name: 'finds nothing before it has connected',
    breaks: 'A first lookup during an outage gives an empty list.',
    caughtBy: ['outage-lookup'],
    make: (world) => firstLookups(world, async () => []),
  },
  {
    name: 'waits for a server that it never had',
    breaks: 'A first lookup during an outage neither resolves nor rejects.',
    caughtBy: ['outage-lookup'],
    make: (world) => firstLookups(world, never),
  },
  {
    name: 'calls an outage a timeout',
    breaks: 'A lookup during an outage rejects with `timeout`.',
    caughtBy: ['outage-lookup'],
    make: () => refusing((error) => recoded(error, 'timeout')),
  },
  {
    name: 'calls an outage not found',
    breaks: 'A lookup during an outage rejects with `not_found`.',
    caughtBy: ['outage-lookup'],
    make: () => refusing((error) => recoded(error, 'not_found')),
  },
  {
    name: 'loses its nodes',
    breaks: 'What was registered before an outage is not seen after it.',
    caughtBy: ['outage-node'],
    make: (world) => answers((records) => (world.kills > 0 ? [] : records)),
  },
  {
    name: 'loses nodes',
    breaks: 'One node of a version is not seen after an outage.',
    caughtBy: ['outage-node'],
    make: (world) =>
      answers((records) => {
        if (world.kills === 0) return records;
        return records.map((record) => ({ ...record, nodes: record.nodes.slice(1) }));
      }),
  },
  {
    name: 'hides a gap',
    breaks: 'A watcher does not tell of the outage in which it may have missed changes.',
    caughtBy: ['outage-resync'],
    make: () =>
      events(() => {
        let isFirst = true;
        return (event) => {
          const isGap = event.type === 'resync' && !isFirst;
          isFirst = false;
          return isGap ? undefined : event;
        };
      }),
  },
  {
    name: 'resyncs with nothing',
    breaks: 'The `resync` after an outage is empty though nodes are there.',
    caughtBy: ['outage-resync'],
    make: (world) =>
      events(() => (event) => (event.type === 'resync' && world.kills > 0 ? { ...event, services: [] } : event)),
  },
  {
    name: 'goes silent',
    breaks: 'A watcher hears of nothing after an outage.',
    caughtBy: ['outage-change', 'outage-resync'],
    make: (world) =>
      events(() => {
        const { kills } = world;
        return (event) => (world.kills > kills ? undefined : event);
      }),
  },
  {
    name: 'announces the resync only',
    breaks: 'After an outage a watcher hears of it, and then of nothing.',
    caughtBy: ['outage-change'],
    make: (world) =>
      events(() => {
        const { kills } = world;
        return (event) => (world.kills > kills && event.type !== 'resync' ? undefined : event);
      }),
  },
  {
    name: 'closes when it is over',
    breaks: 'A registry closed during an outage waits for the end of it.',
    caughtBy: ['outage-close'],
    make: (world) =>
      registries((registry) => ({
        async close(options) {
          await world.whenUp();
          await registry.close(options);
        },
      })),
  },
  {
    name: 'does not notice a cut',
    breaks: 'After a cut of the network lookups reject with `unavailable`.',
    caughtBy: ['partition'],
    make: (world) =>
      registries((registry) => ({
        async getService(name, options) {
          if (world.partitions > 0) throw new MicroError('unavailable', 'the connection was lost');
          return registry.getService(name, options);
        },
      })),
  },
]);

/** Breaks what a registry that has asked nothing yet says during an outage. */
function firstLookups(world: World, answer: () => Promise<readonly ServiceRecord[]>): ReturnType<typeof registries> {
  return registries((registry) => {
    let hasConnected = false;
    return {
      async getService(name, options) {
        if (world.isDown && !hasConnected) return answer();
        const found = await registry.getService(name, options);
        hasConnected = true;
        return found;
      },
    };
  });
}

/** Gives an empty list instead of an error. */
function excusing(code: MicroError['code']): ReturnType<typeof registries> {
  const excuse = (error: unknown) => {
    if (MicroError.is(error, code)) return [];
    throw error;
  };
  return registries((registry) => ({
    getService: (name, options) => registry.getService(name, options).catch(excuse),
    listServices: (options) => registry.listServices(options).catch(excuse),
  }));
}

/** Breaks how lookups say that the network is not there. */
function refusing(change: (error: MicroError) => MicroError): ReturnType<typeof registries> {
  const refuse = (error: unknown) => {
    throw MicroError.is(error, 'unavailable') ? change(error) : error;
  };
  return registries((registry) => ({
    getService: (name, options) => registry.getService(name, options).catch(refuse),
    listServices: (options) => registry.listServices(options).catch(refuse),
  }));
}
