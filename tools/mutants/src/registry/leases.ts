import type { RegisterOptions, ServiceRecord } from '@ts-micro/core';
import { throwIfAborted } from '@ts-micro/kit';
import { type Mutant, mutantsOf } from '../mutant.ts';
import { registries } from './seams.ts';

export const leases: readonly Mutant<'registry'>[] = mutantsOf('registry', [
  {
    name: 'never forgets',
    breaks: 'A node stays when its lease has run out.',
    caughtBy: ['lease-runs-out', 'watch-leases', 'no-lease'],
    make: () => leasing(() => undefined),
  },
  {
    name: 'forgets too early',
    breaks: 'A node disappears when half of its lease has passed.',
    caughtBy: ['lease-runs-out'],
    make: () => leasing((ttlMs) => ttlMs && ttlMs / 2),
  },
  {
    name: 'reads leases as seconds',
    breaks: 'A `ttlMs` is taken for a number of seconds.',
    caughtBy: ['lease-runs-out'],
    make: () => leasing((ttlMs) => ttlMs && ttlMs * 1000),
  },
  {
    name: 'remembers its own',
    breaks: 'A registry goes on seeing what it registered when the lease has run out.',
    caughtBy: ['lease-runs-out'],
    make: () =>
      registries((registry) => {
        const own = new Map<string, ServiceRecord>();
        return {
          register(service, options) {
            if (options?.ttlMs !== undefined) own.set(service.name, service);
            return registry.register(service, options);
          },
          async getService(name, options) {
            const found = await registry.getService(name, options);
            const mine = own.get(name);
            return found.length === 0 && mine ? [mine] : found;
          },
        };
      }),
  },
  {
    name: 'does not renew',
    breaks: 'A node that is registered again disappears with its first lease.',
    caughtBy: ['lease-renewed'],
    make: () =>
      registries((registry) => {
        const leased = new Set<string>();
        return {
          async register(service, options) {
            if (leased.has(service.name)) return;
            if (options?.ttlMs !== undefined) leased.add(service.name);
            await registry.register(service, options);
          },
        };
      }),
  },
  {
    name: 'leases the version',
    breaks: 'The lease of one node is the lease of every node of its version.',
    caughtBy: ['no-lease'],
    make: () =>
      registries((registry) => ({
        async register(service, options) {
          await registry.register(service, options);
          if (options?.ttlMs === undefined) return;
          const version = (await registry.getService(service.name)).find((each) => each.version === service.version);
          if (version) await registry.register(version, options);
        },
      })),
  },
  {
    name: 'keeps the first lease',
    breaks: 'A node that had a lease and is registered again without one disappears.',
    caughtBy: ['no-lease'],
    make: () =>
      registries((registry) => {
        const leases = new Map<string, number>();
        return {
          register(service, options) {
            const ttlMs = options?.ttlMs ?? leases.get(service.name);
            if (ttlMs !== undefined) leases.set(service.name, ttlMs);
            return registry.register(service, { ...options, ttlMs });
          },
        };
      }),
  },
  {
    name: 'ends the lease of a node that is gone',
    breaks: 'A node that was deregistered and registered anew disappears with its first lease.',
    caughtBy: ['no-lease'],
    make: () =>
      registries((registry) => {
        const isGone = new Set<string>();
        return {
          async register(service, options) {
            await registry.register(service, options);
            const { ttlMs } = options ?? {};
            if (ttlMs === undefined) return;
            const expire = () => void registry.deregister(service).catch(() => {});
            if (isGone.has(service.name)) return;
            setTimeout(() => isGone.has(service.name) && expire(), ttlMs).unref();
          },
          deregister(service, options) {
            isGone.add(service.name);
            return registry.deregister(service, options);
          },
        };
      }),
  },
  {
    name: 'takes no lease for none left',
    breaks: 'A `ttlMs` of 0 or less is taken for no lease.',
    caughtBy: ['bad-ttl'],
    make: () => leasing((ttlMs) => (ttlMs !== undefined && ttlMs <= 0 ? undefined : ttlMs)),
  },
  {
    name: 'takes what is no number',
    breaks: 'A `ttlMs` that is not a number is taken for no lease.',
    caughtBy: ['bad-ttl'],
    make: () => leasing((ttlMs) => (Number.isNaN(ttlMs) ? undefined : ttlMs)),
  },
  {
    name: 'takes text for a number',
    breaks: 'A `ttlMs` that is text is made a number.',
    caughtBy: ['bad-ttl'],
    make: () => leasing((ttlMs) => ttlMs && Number(ttlMs)),
  },
  {
    name: 'registers what it refuses',
    breaks: 'A `ttlMs` that cannot be one is refused, and the node registered all the same.',
    caughtBy: ['bad-ttl'],
    make: () =>
      registries((registry) => ({
        async register(service, options) {
          throwIfAborted(options?.signal, 'a register');
          await registry.register(service);
          await registry.register(service, options);
        },
      })),
  },
]);

/** Breaks leases. */
function leasing(change: (ttlMs: number | undefined) => number | undefined): ReturnType<typeof registries> {
  return registries((registry) => ({
    register(service, options: RegisterOptions = {}) {
      return registry.register(service, { ...options, ttlMs: change(options.ttlMs) });
    },
  }));
}
