import { MicroError, type ServiceRecord } from '@ts-micro/core';
import { connectednessMutants } from '../connectedness.ts';
import { handshake } from '../handshake.ts';
import { type Mutant, mutantsOf } from '../mutant.ts';
import { never } from '../never.ts';
import { recoded } from '../recoded.ts';
import type { World } from '../world.ts';
import { answers, registries, versionOf } from './seams.ts';

export const hostile: readonly Mutant<'registry'>[] = [
  ...connectednessMutants('registry'),
  ...mutantsOf('registry', [
    {
      name: 'brings back the deregistered',
      breaks: 'A node that was deregistered is there again after an outage.',
      caughtBy: ['outage-deregistered'],
      make: (world) => bringingBack(() => world.kills > 0),
    },
    {
      name: 'brings back the deregistered that was lost',
      breaks: 'A node that was deregistered is there again where the server lost its data.',
      caughtBy: ['data-loss-deregistered'],
      make: (world) => bringingBack(() => world.losses > 0),
    },
    {
      name: 'puts nothing back',
      breaks: 'Where the server lost its data, what was registered is gone.',
      caughtBy: ['data-loss-node'],
      make: (world) => answers((records) => (world.losses > 0 ? [] : records)),
    },
    {
      name: 'puts it back once',
      breaks: 'Where the server loses its data a second time, what was registered is gone.',
      caughtBy: ['data-loss-node'],
      make: (world) => answers((records) => (world.losses > 1 ? [] : records)),
    },
    {
      name: 'puts back one node',
      breaks: 'Where the server lost its data, one node of a version stays gone.',
      caughtBy: ['data-loss-node'],
      make: (world) =>
        answers((records) =>
          world.losses === 0 ? records : records.map((record) => ({ ...record, nodes: record.nodes.slice(0, 1) })),
        ),
    },
    {
      name: 'brings back without a lease',
      breaks: 'A node with a lease has none any more after an outage.',
      caughtBy: ['outage-lease'],
      make: (world) => forgettingLeases(world),
    },
    {
      name: 'lives four times as long',
      breaks: 'A lease is four times as long as its `ttlMs`.',
      caughtBy: ['lease-upper-bound'],
      make: () => leasing((ttlMs) => 4 * ttlMs),
    },
    {
      name: 'has leases of a minute at least',
      breaks: 'A lease that is shorter than a minute is made one.',
      caughtBy: ['lease-upper-bound'],
      make: () => leasing((ttlMs) => Math.max(60_000, ttlMs)),
    },
    {
      name: 'lives half as long',
      breaks: 'A lease is half as long as its `ttlMs`, and is renewed in time for that.',
      caughtBy: ['lease-runs-out', 'lease-renewed'],
      make: () => leasing((ttlMs) => ttlMs / 2),
    },
    {
      name: 'skips every second renewal',
      breaks: 'Every second time a node is registered again its lease is not renewed.',
      caughtBy: ['lease-renewed'],
      make: () =>
        registries((registry) => {
          const counts = new Map<string, number>();
          return {
            async register(service, options) {
              const count = (counts.get(service.name) ?? 0) + 1;
              counts.set(service.name, count);
              if (options?.ttlMs === undefined || count % 2 === 1) await registry.register(service, options);
            },
          };
        }),
    },
    {
      name: 'is blind on a silent link',
      breaks: 'A registry whose link was lost without a word finds nothing any more.',
      caughtBy: ['half-open'],
      make: (world) => answers((records) => (world.halfOpens > 0 ? [] : records)),
    },
    {
      name: 'waits for a handshake on a silent link',
      breaks: 'A registry whose link was lost without a word while it connected finds nothing any more.',
      caughtBy: ['half-open'],
      make: (world) =>
        registries((registry) => {
          const connected = handshake(world);
          return {
            async getService(name, options) {
              await connected();
              return registry.getService(name, options);
            },
          };
        }),
    },
    {
      name: 'waits on a silent link',
      breaks: 'A lookup over a link that was lost without a word never settles.',
      caughtBy: ['half-open'],
      make: (world) =>
        registries((registry) => ({
          getService: (name, options) => (world.halfOpens > 0 ? never() : registry.getService(name, options)),
        })),
    },
    {
      name: 'hides what lies beside foreign bytes',
      breaks: 'A service is not found any more when another program has put bytes under its name.',
      caughtBy: ['foreign-bytes'],
      make: (world) => answers((records, name) => (name !== undefined && world.injected.has(name) ? [] : records)),
    },
    {
      name: 'fails to list foreign bytes',
      breaks: '`listServices` rejects with `malformed` where another program has put bytes.',
      caughtBy: ['foreign-bytes'],
      make: (world) =>
        registries((registry) => ({
          async listServices(options) {
            if (world.injected.size > 0) throw new MicroError('malformed', 'bytes that are no record');
            return registry.listServices(options);
          },
        })),
    },
    {
      name: 'cannot be opened beside foreign bytes',
      breaks: 'A registry that is opened where another program has put bytes finds nothing.',
      caughtBy: ['foreign-bytes'],
      make: (world) => (sound) => (world.injected.size > 0 ? answers(() => [])(sound) : sound),
    },
    {
      name: 'calls bad credentials an outage',
      breaks: 'Credentials that the server refuses are `unavailable`.',
      caughtBy: ['bad-credentials'],
      make: () => refusedWith((error) => Promise.reject(recoded(error, 'unavailable'))),
    },
    {
      name: 'finds nothing with bad credentials',
      breaks: 'With credentials that the server refuses a lookup gives an empty list.',
      caughtBy: ['bad-credentials'],
      make: () => refusedWith(async () => []),
    },
    {
      name: 'tries bad credentials for ever',
      breaks: 'With credentials that the server refuses a lookup never settles.',
      caughtBy: ['bad-credentials'],
      make: () => refusedWith(never),
    },
  ]),
];

/** Adds what was deregistered to what lookups answer, as soon as `isBack`. */
function bringingBack(isBack: () => boolean): ReturnType<typeof registries> {
  const gone = new Map<string, ServiceRecord>();
  return (sound) => {
    const finding = answers((records, name) => {
      const back = isBack() ? [...gone.values()].filter((record) => record.name === name) : [];
      const others = records.filter((record) => !back.some((each) => versionOf(each) === versionOf(record)));
      return [...others, ...back];
    })(sound);
    return registries(() => ({
      async deregister(service, options) {
        gone.set(versionOf(service), service);
        await sound.deregister(service, options);
      },
    }))(finding);
  };
}

function forgettingLeases(world: World): ReturnType<typeof registries> {
  return registries((registry) => {
    const leased: ServiceRecord[] = [];
    return {
      async register(service, options) {
        await registry.register(service, options);
        if (options?.ttlMs !== undefined) leased.push(service);
      },
      async getService(name, options) {
        if (world.kills > 0) for (const service of leased.splice(0)) await registry.register(service);
        return registry.getService(name, options);
      },
    };
  });
}

function leasing(change: (ttlMs: number) => number): ReturnType<typeof registries> {
  return registries((registry) => ({
    register: (service, options) =>
      registry.register(service, {
        ...options,
        ttlMs: options?.ttlMs !== undefined && options.ttlMs > 0 ? change(options.ttlMs) : options?.ttlMs,
      }),
  }));
}

/** Breaks how lookups say that the server refuses the credentials. */
function refusedWith(answer: (error: MicroError) => Promise<readonly ServiceRecord[]>): ReturnType<typeof registries> {
  const orAnswer = (error: unknown) => {
    if (MicroError.is(error, 'unauthorized')) return answer(error);
    throw error;
  };
  return registries((registry) => ({
    getService: (name, options) => registry.getService(name, options).catch(orAnswer),
    listServices: (options) => registry.listServices(options).catch(orAnswer),
  }));
}
