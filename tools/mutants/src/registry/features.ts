import { MicroError, type Registry, type RegistryFeatures } from '@ts-micro/core';
import { type Mutant, mutantsOf } from '../mutant.ts';
import { registries, watchers } from './seams.ts';

export const features: readonly Mutant<'registry'>[] = mutantsOf('registry', [
  {
    name: 'denies leases',
    breaks: '`supports` says that there are no leases, and a `ttlMs` is not refused.',
    caughtBy: ['lease-runs-out', 'lease-renewed', 'no-lease', 'bad-ttl', 'watch-leases'],
    make: () => saying({ ttl: false }),
  },
  {
    name: 'refuses leases',
    breaks: '`supports` says that there are leases, and a `ttlMs` is refused.',
    caughtBy: ['lease-runs-out'],
    make: () =>
      registries((registry) => ({
        async register(service, options) {
          if (options?.ttlMs !== undefined) throw new MicroError('unsupported', 'there are no leases');
          await registry.register(service, options);
        },
      })),
  },
  {
    name: 'denies watching',
    breaks: '`supports` says that there are no watchers, and `watch` is not refused.',
    caughtBy: ['watch-resync', 'watch-changes', 'every-watcher'],
    make: () => saying({ watch: false }),
  },
  {
    name: 'refuses watching',
    breaks: '`supports` says that there are watchers, and `watch` is refused.',
    caughtBy: ['watch-resync'],
    make: () =>
      registries(() => ({
        async watch() {
          throw new MicroError('unsupported', 'there are no watchers');
        },
      })),
  },
  {
    name: 'leaves a timer',
    breaks: 'A timer of each watcher runs on after its close.',
    caughtBy: ['watch-resync'],
    make: (world) =>
      watchers(() => {
        const timer = setInterval(() => {}, 1000);
        world.leak(() => clearInterval(timer));
        return {};
      }),
  },
  {
    name: 'leaves a connection',
    breaks: 'A connection is there after the registry that made it was closed.',
    caughtBy: ['seen-complete'],
    make: (world) => (registry) => {
      world.counts.connections = (world.counts.connections ?? 0) + 1;
      return registry;
    },
  },
]);

function saying(features: Partial<RegistryFeatures>): (registry: Registry) => Registry {
  return registries(({ supports }) => ({ supports: { ...supports, ...features } }));
}
