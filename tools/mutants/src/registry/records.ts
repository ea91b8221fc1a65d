import type { Registry, ServiceRecord } from '@ts-micro/core';
import { throwIfAborted } from '@ts-micro/kit';
import { type Mutant, mutantsOf } from '../mutant.ts';
import { registers, registries } from './seams.ts';

export const records: readonly Mutant<'registry'>[] = mutantsOf('registry', [
  {
    name: 'leaves its nodes',
    breaks: 'What a registry registered stays when it is closed.',
    caughtBy: ['close-removes'],
    make: (world) =>
      registries((registry) => {
        const other = world.registry();
        world.leak(() => other.close());
        let isClosed = false;
        return {
          register: (service, options) => (isClosed ? registry : other).register(service, options),
          close(options) {
            isClosed = true;
            return registry.close(options);
          },
        };
      }),
  },
  {
    name: 'takes others along',
    breaks: "Closing a registry removes the others' nodes of its versions.",
    caughtBy: ['close-removes'],
    make: (world) => {
      const sweeper = world.registry();
      world.leak(() => sweeper.close());
      return registries((registry) => {
        const names = new Set<string>();
        return {
          register(service, options) {
            names.add(service.name);
            return registry.register(service, options);
          },
          async close(options) {
            await registry.close(options);
            for (const name of world.isDown ? [] : names)
              for (const record of await sweeper.getService(name)) await sweeper.deregister(record);
          },
        };
      });
    },
  },
  {
    name: 'hands out live records',
    breaks: '`getService` gives its own records, for every caller to change.',
    caughtBy: ['copies'],
    make: () => cached('getService'),
  },
  {
    name: 'lists live records',
    breaks: '`listServices` gives its own records, for every caller to change.',
    caughtBy: ['copies'],
    make: () => cached('listServices'),
  },
  {
    name: 'registers later',
    breaks: '`register` keeps the record, and reads it when the event loop has turned.',
    caughtBy: ['given-record-changes'],
    make: () =>
      registries((registry) => ({
        async register(service, options) {
          throwIfAborted(options?.signal, 'a register');
          setImmediate(() => void registry.register(service, options).catch(() => {}));
        },
      })),
  },
  {
    name: 'writes into the record',
    breaks: 'Metadata of its own is added to the record that it was given.',
    caughtBy: ['given-record-changes'],
    make: () =>
      registers((service) => {
        const copy = structuredClone(service);
        Reflect.set(service.metadata, 'registered', 'yes');
        return copy;
      }),
  },
  {
    name: 'names the nameless',
    breaks: 'A record without a name is given one.',
    caughtBy: ['invalid-record'],
    make: () => registers((service) => ({ ...service, name: service.name || 'nameless' })),
  },
  {
    name: 'drops nodes without id',
    breaks: 'A node without id is left out, and the rest registered.',
    caughtBy: ['invalid-record'],
    make: () => registers((service) => ({ ...service, nodes: service.nodes.filter(({ id }) => id !== '') })),
  },
  {
    name: 'drops nodes without address',
    breaks: 'A node without address is left out, and the rest registered.',
    caughtBy: ['invalid-record'],
    make: () => registers((service) => ({ ...service, nodes: service.nodes.filter(({ address }) => address !== '') })),
  },
  {
    name: 'takes no name for all',
    breaks: 'Looking up an empty name gives every record.',
    caughtBy: ['invalid-record'],
    make: () =>
      registries((registry) => ({
        getService: (name, options) =>
          name === '' ? registry.listServices(options) : registry.getService(name, options),
      })),
  },
]);

/** Gives the same answer again as long as nothing is registered, for all instances. */
function cached(method: 'getService' | 'listServices'): (registry: Registry) => Registry {
  const answers = new Map<string, readonly ServiceRecord[]>();
  const keep = (key: string, records: readonly ServiceRecord[]) => {
    const known = answers.get(key) ?? records;
    answers.set(key, known);
    return known;
  };
  return registries((registry) => ({
    async register(service, options) {
      await registry.register(service, options);
      answers.clear();
    },
    async deregister(service, options) {
      await registry.deregister(service, options);
      answers.clear();
    },
    async getService(name, options) {
      const records = await registry.getService(name, options);
      return method === 'getService' ? keep(name, records) : records;
    },
    async listServices(options) {
      const records = await registry.listServices(options);
      return method === 'listServices' ? keep('', records) : records;
    },
  }));
}
