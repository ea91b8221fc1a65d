import { MicroError, type Registry, type ServiceRecord } from '@ts-micro/core';
import { type Mutant, mutantsOf } from '../mutant.ts';
import { answers, registries, versionOf } from './seams.ts';

export const merging: readonly Mutant<'registry'>[] = mutantsOf('registry', [
  {
    name: 'belongs to the last',
    breaks: 'A version has only the nodes of the registry that registered last.',
    caughtBy: ['merged'],
    make: () => {
      const owners = new Map<string, Registry>();
      return registries((registry) => ({
        async register(service, options) {
          const owner = owners.get(versionOf(service));
          if (owner && owner !== registry) await deregisterAll(registry, service);
          owners.set(versionOf(service), registry);
          await registry.register(service, options);
        },
      }));
    },
  },
  {
    name: 'belongs to the first',
    breaks: 'A version has only the nodes of the registry that registered first.',
    caughtBy: ['merged'],
    make: () => {
      const owners = new Map<string, Registry>();
      return registries((registry) => ({
        async register(service, options) {
          const owner = owners.get(versionOf(service)) ?? registry;
          owners.set(versionOf(service), owner);
          if (owner === registry) await registry.register(service, options);
        },
      }));
    },
  },
  {
    name: 'replaces nodes',
    breaks: 'Registering takes away the nodes that were registered before.',
    caughtBy: ['adds-nodes'],
    make: () =>
      registries((registry) => {
        const known = new Map<string, ServiceRecord>();
        return {
          async register(service, options) {
            const before = known.get(versionOf(service));
            if (before) await registry.deregister(before);
            known.set(versionOf(service), service);
            await registry.register(service, options);
          },
        };
      }),
  },
  {
    name: 'appends nodes',
    breaks: 'A node that is registered again is there twice.',
    caughtBy: ['no-duplicates'],
    make: () => {
      const counts = new Map<string, number>();
      const counting = registries((registry) => ({
        async register(service, options) {
          await registry.register(service, options);
          for (const { id } of service.nodes) counts.set(id, (counts.get(id) ?? 0) + 1);
        },
      }));
      const repeating = answers((records) =>
        records.map((record) => ({
          ...record,
          nodes: record.nodes.flatMap((node) => Array.from({ length: counts.get(node.id) ?? 1 }, () => node)),
        })),
      );
      return (sound) => repeating(counting(sound));
    },
  },
  {
    name: 'keeps what it has',
    breaks: 'A node that is registered again stays as it was.',
    caughtBy: ['no-duplicates'],
    make: () =>
      registries((registry) => ({
        async register(service, options) {
          const known = await nodesOf(registry, service);
          const changed = service.nodes.map((node) => known.find(({ id }) => id === node.id) ?? node);
          await registry.register({ ...service, nodes: changed }, options);
        },
      })),
  },
  {
    name: 'merges versions',
    breaks: 'The versions of a service are one record.',
    caughtBy: ['versions-apart'],
    make: () =>
      answers((records) => {
        const [first] = records;
        return first ? [{ ...first, nodes: records.flatMap(({ nodes }) => nodes) }] : [];
      }),
  },
  {
    name: 'reads versions as numbers',
    breaks: 'The versions `1` and `1.0` are one.',
    caughtBy: ['versions-apart'],
    make: () =>
      registries((registry) => ({
        register: (service, options) =>
          registry.register({ ...service, version: service.version.replace(/^(\d+)\.0$/, '$1') }, options),
      })),
  },
  {
    name: 'wants ids of their own',
    breaks: 'A node takes the place of one with the same id in another version.',
    caughtBy: ['versions-apart'],
    make: () =>
      registries((registry) => ({
        async register(service, options) {
          const ids = new Set(service.nodes.map(({ id }) => id));
          for (const other of await registry.getService(service.name)) {
            const nodes = other.nodes.filter(({ id }) => ids.has(id));
            if (other.version !== service.version && nodes.length > 0) await registry.deregister({ ...other, nodes });
          }
          await registry.register(service, options);
        },
      })),
  },
  {
    name: 'deregisters the version',
    breaks: 'Deregistering one node takes its version away.',
    caughtBy: ['deregister-named'],
    make: () => registries((registry) => ({ deregister: (service) => deregisterAll(registry, service) })),
  },
  {
    name: 'deregisters in all versions',
    breaks: 'Deregistering a node takes away nodes with its id in other versions.',
    caughtBy: ['deregister-named'],
    make: () =>
      registries((registry) => ({
        async deregister(service, options) {
          await registry.deregister(service, options);
          for (const { version } of await registry.getService(service.name))
            await registry.deregister({ ...service, version }, options);
        },
      })),
  },
  {
    name: 'keeps empty versions',
    breaks: 'A version stays, without nodes, when its last node is deregistered.',
    caughtBy: ['last-node'],
    make: () =>
      registries((registry) => ({
        async deregister(service, options) {
          const before = (await registry.getService(service.name)).length;
          await registry.deregister(service, options);
          if ((await registry.getService(service.name)).length < before)
            await registry.register({ ...service, nodes: [] });
        },
      })),
  },
  {
    name: 'lists what is gone',
    breaks: '`listServices` gives services whose last node is gone.',
    caughtBy: ['last-node'],
    make: () => {
      const known = new Map<string, ServiceRecord>();
      return registries((registry) => ({
        register(service, options) {
          known.set(versionOf(service), service);
          return registry.register(service, options);
        },
        async listServices(options) {
          const records = await registry.listServices(options);
          const versions = new Set(records.map(versionOf));
          return [...records, ...[...known.values()].filter((service) => !versions.has(versionOf(service)))];
        },
      }));
    },
  },
  {
    name: 'wants nodes',
    breaks: 'A record without nodes is refused with `invalid`.',
    caughtBy: ['without-nodes'],
    make: () =>
      registries((registry) => ({
        async register(service, options) {
          if (service.nodes.length === 0) throw new MicroError('invalid', `${service.name} has no nodes`);
          await registry.register(service, options);
        },
      })),
  },
  {
    name: 'deregisters by node only',
    breaks: 'A version without nodes cannot be deregistered.',
    caughtBy: ['without-nodes'],
    make: () =>
      registries((registry) => ({
        async deregister(service, options) {
          if (service.nodes.length > 0) await registry.deregister(service, options);
        },
      })),
  },
  {
    name: 'misses what is not there',
    breaks: 'Deregistering what is not there rejects with `not_found`.',
    caughtBy: ['deregister-nothing'],
    make: () =>
      registries((registry) => ({
        async deregister(service, options) {
          const known = await nodesOf(registry, service);
          if (!known.some(({ id }) => service.nodes.some((node) => node.id === id)))
            throw new MicroError('not_found', `${service.name} is not registered`);
          await registry.deregister(service, options);
        },
      })),
  },
  {
    name: 'deregisters something',
    breaks: 'Deregistering a node that is not there takes away those that are.',
    caughtBy: ['deregister-nothing'],
    make: () =>
      registries((registry) => ({
        async deregister(service, options) {
          const known = await nodesOf(registry, service);
          const isThere = known.some(({ id }) => service.nodes.some((node) => node.id === id));
          await (isThere ? registry.deregister(service, options) : deregisterAll(registry, service));
        },
      })),
  },
]);

async function nodesOf(registry: Registry, { name, version }: ServiceRecord): Promise<ServiceRecord['nodes']> {
  return (await registry.getService(name)).find((record) => record.version === version)?.nodes ?? [];
}

async function deregisterAll(registry: Registry, service: ServiceRecord): Promise<void> {
  await registry.deregister({ ...service, nodes: await nodesOf(registry, service) });
}
