import { type EndpointRecord, MicroError, type ServiceRecord } from '@ts-micro/core';
import { memoryNetwork } from '@ts-micro/memory';
import { type Mutant, mutantsOf } from '../mutant.ts';
import { answers, registers, registries } from './seams.ts';

export const lookup: readonly Mutant<'registry'>[] = mutantsOf('registry', [
  {
    name: 'keeps to itself',
    breaks: 'What one registry instance registered the others do not see.',
    caughtBy: ['seen-complete'],
    make: (world) => () => world.registry(memoryNetwork()),
  },
  {
    name: 'forgets endpoints',
    breaks: 'A record is seen without its endpoints.',
    caughtBy: ['seen-complete'],
    make: () => registers((service) => ({ ...service, endpoints: [] })),
  },
  {
    name: 'flattens values',
    breaks: 'What is nested in the request of an endpoint is not seen.',
    caughtBy: ['seen-complete'],
    make: () =>
      registers((service) => ({
        ...service,
        endpoints: service.endpoints.map(
          ({ request, ...rest }): EndpointRecord => ({ ...rest, request: request && { ...request, values: [] } }),
        ),
      })),
  },
  {
    name: 'drops empty metadata',
    breaks: 'Metadata with an empty value is not seen.',
    caughtBy: ['seen-complete'],
    make: () =>
      registers((service) => ({
        ...service,
        metadata: Object.fromEntries(Object.entries(service.metadata).filter(([, value]) => value !== '')),
      })),
  },
  {
    name: 'assigns metadata',
    breaks: 'Metadata is copied into a plain object one by one, where `__proto__` is lost.',
    caughtBy: ['prototype-metadata'],
    make: () =>
      registers((service) => ({
        ...service,
        nodes: service.nodes.map((node) => {
          const metadata: Record<string, string> = {};
          for (const [name, value] of Object.entries(node.metadata)) metadata[name] = value;
          return { ...node, metadata };
        }),
      })),
  },
  {
    name: 'knows no empty list',
    breaks: 'An unknown name rejects with `not_found`.',
    caughtBy: ['unknown-name'],
    make: () =>
      registries((registry) => ({
        async getService(name, options) {
          const records = await registry.getService(name, options);
          if (records.length === 0) throw new MicroError('not_found', `nobody registered ${name}`);
          return records;
        },
      })),
  },
  {
    name: 'makes a record up',
    breaks: 'An unknown name gives a record without nodes.',
    caughtBy: ['unknown-name'],
    make: () =>
      answers((records, name) =>
        records.length > 0 || name === undefined
          ? records
          : [{ name, version: '', metadata: {}, endpoints: [], nodes: [] }],
      ),
  },
  {
    name: 'lists names',
    breaks: '`listServices` gives one version of each service.',
    caughtBy: ['list-services'],
    make: () =>
      answers((records, name) =>
        name === undefined ? [...new Map(records.map((record) => [record.name, record])).values()] : records,
      ),
  },
  {
    name: 'lists nodes',
    breaks: '`listServices` gives a version once for each of its nodes.',
    caughtBy: ['list-services'],
    make: () => answers((records, name) => (name === undefined ? records.flatMap((record) => split(record)) : records)),
  },
  {
    name: 'lists without nodes',
    breaks: '`listServices` gives records without their nodes.',
    caughtBy: ['list-services'],
    make: () =>
      answers((records, name) => (name === undefined ? records.map((record) => ({ ...record, nodes: [] })) : records)),
  },
  {
    name: 'ignores case',
    breaks: 'Names that differ by case only are one.',
    caughtBy: ['exact-names'],
    make: () => comparing((name, asked) => name.toLowerCase() === asked.toLowerCase()),
  },
  {
    name: 'compares the beginning',
    breaks: 'A lookup gives services whose name begins with the one asked for.',
    caughtBy: ['exact-names'],
    make: () => comparing((name, asked) => name.startsWith(asked)),
  },
  {
    name: 'compares the end',
    breaks: 'A lookup gives services whose name ends with the one asked for.',
    caughtBy: ['exact-names'],
    make: () => comparing((name, asked) => name.endsWith(asked)),
  },
  {
    name: 'looks in a plain object',
    breaks: 'Looking up `constructor` finds what every object has.',
    caughtBy: ['exact-names'],
    make: () => {
      const known: Record<string, true> = {};
      return registries((registry) => ({
        register(service, options) {
          known[service.name] = true;
          return registry.register(service, options);
        },
        async getService(name, options) {
          const records = await registry.getService(name, options);
          if (known[name] && records.length === 0) throw new TypeError(`the record of ${name} is broken`);
          return records;
        },
      }));
    },
  },
  {
    name: 'answers one at a time',
    breaks: 'A lookup made during another gives an empty list.',
    caughtBy: ['concurrent-lookups'],
    make: () =>
      registries((registry) => {
        let isAsking = false;
        return {
          async getService(name, options) {
            if (isAsking) return (await registry.getService(name, options)).slice(0, 0);
            isAsking = true;
            return registry.getService(name, options).finally(() => {
              isAsking = false;
            });
          },
        };
      }),
  },
  {
    name: 'mixes answers',
    breaks: 'A lookup made during another gives the answer of that one.',
    caughtBy: ['concurrent-lookups'],
    make: () =>
      registries((registry) => {
        let asking: Promise<readonly ServiceRecord[]> | undefined;
        return {
          getService(name, options) {
            asking ??= registry.getService(name, options).finally(() => {
              asking = undefined;
            });
            return asking;
          },
        };
      }),
  },
  {
    name: 'registers one at a time',
    breaks: 'A record registered while another is being registered is lost.',
    caughtBy: ['concurrent-lookups'],
    make: () =>
      registries((registry) => {
        let isBusy = false;
        return {
          async register(service, options) {
            if (isBusy) return;
            isBusy = true;
            await registry.register(service, options).finally(() => {
              isBusy = false;
            });
          },
        };
      }),
  },
  {
    name: 'stops short of the quorum',
    breaks: 'A lookup with a `quorum` gives one node less.',
    caughtBy: ['quorum'],
    make: () => quorums((record, quorum) => record.nodes.slice(0, quorum - 1)),
  },
  {
    name: 'stops at one node',
    breaks: 'A lookup with a `quorum` gives one node whatever the quorum is.',
    caughtBy: ['quorum'],
    make: () => quorums((record) => record.nodes.slice(0, 1)),
  },
  {
    name: 'fills the quorum up',
    breaks: 'A lookup with a `quorum` repeats a node to get there.',
    caughtBy: ['quorum'],
    make: () => quorums((record) => [...record.nodes, ...record.nodes.slice(0, 1)]),
  },
  {
    name: 'waits for the quorum',
    breaks: 'A lookup with a `quorum` that cannot be reached is an error.',
    caughtBy: ['quorum'],
    make: () =>
      quorums((record, quorum) => {
        if (record.nodes.length >= quorum) return record.nodes;
        throw new MicroError('timeout', `${record.nodes.length} of ${quorum} nodes answered`);
      }),
  },
]);

/** Looks names up as `isMatch` compares them. */
function comparing(isMatch: (name: string, asked: string) => boolean): ReturnType<typeof registries> {
  return registries((registry) => ({
    async getService(asked, options) {
      // For its refusals.
      await registry.getService(asked, options);
      return (await registry.listServices(options)).filter(({ name }) => isMatch(name, asked));
    },
  }));
}

/** Breaks lookups with a quorum. */
function quorums(
  nodes: (record: ServiceRecord, quorum: number) => ServiceRecord['nodes'],
): ReturnType<typeof registries> {
  return registries((registry) => ({
    async getService(name, options) {
      const records = await registry.getService(name, options);
      const { quorum } = options ?? {};
      return quorum === undefined ? records : records.map((record) => ({ ...record, nodes: nodes(record, quorum) }));
    },
  }));
}

function split(record: ServiceRecord): ServiceRecord[] {
  return record.nodes.map((node) => ({ ...record, nodes: [node] }));
}
