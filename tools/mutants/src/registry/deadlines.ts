import { MicroError } from '@ts-micro/core';
import { type Mutant, mutantsOf } from '../mutant.ts';
import { silent } from '../silent.ts';
import { registries, watchers } from './seams.ts';

/** What a registry does wrong where nobody answers, and the caller has set a deadline. */
export const deadlines: readonly Mutant<'registry'>[] = mutantsOf('registry', [
  {
    name: 'looks up beyond every deadline',
    breaks: 'A lookup over a link that was lost without a word does not end at its deadline.',
    caughtBy: ['half-open-deadline'],
    make: (world) =>
      registries((registry) => ({ getService: silent(world, (name, options) => registry.getService(name, options)) })),
  },
  {
    name: 'lists beyond every deadline',
    breaks: '`listServices` over a link that was lost without a word does not end at its deadline.',
    caughtBy: ['half-open-deadline'],
    make: (world) =>
      registries((registry) => ({ listServices: silent(world, (options) => registry.listServices(options)) })),
  },
  {
    name: 'finds nothing where nobody answers',
    breaks: 'A lookup whose deadline passes with no answer gives an empty list.',
    caughtBy: ['half-open-deadline'],
    make: (world) =>
      registries((registry) => ({
        getService: async (name, options) =>
          world.halfOpens > 0 && options?.signal ? [] : registry.getService(name, options),
      })),
  },
  {
    name: 'lists nothing where nobody answers',
    breaks: '`listServices` gives an empty list when its deadline passes with no answer.',
    caughtBy: ['half-open-deadline'],
    make: (world) =>
      registries((registry) => ({
        listServices: async (options) => (world.halfOpens > 0 && options?.signal ? [] : registry.listServices(options)),
      })),
  },
  {
    name: 'registers beyond every deadline',
    breaks: 'A `register` over a link that was lost without a word does not end at its deadline.',
    caughtBy: ['half-open-deadline'],
    make: (world) =>
      registries((registry) => ({
        register: silent(world, (service, options) => registry.register(service, options)),
      })),
  },
  {
    name: 'deregisters beyond every deadline',
    breaks: 'A `deregister` over a link that was lost without a word does not end at its deadline.',
    caughtBy: ['half-open-deadline'],
    make: (world) =>
      registries((registry) => ({
        deregister: silent(world, (service, options) => registry.deregister(service, options)),
      })),
  },
  {
    name: 'begins to watch beyond every deadline',
    breaks: 'A `watch` over a link that was lost without a word does not end at its deadline.',
    caughtBy: ['half-open-deadline'],
    make: (world) => registries((registry) => ({ watch: silent(world, (options) => registry.watch(options)) })),
  },
  {
    name: 'watches beyond every deadline',
    breaks: '`receive` of a watcher whose link was lost without a word does not end at its deadline.',
    caughtBy: ['half-open-deadline'],
    make: (world) => watchers((watcher) => ({ receive: silent(world, (options) => watcher.receive(options)) })),
  },
  {
    name: 'closes with a word to nobody',
    breaks: 'A registry whose link was lost without a word closes only once it is answered.',
    caughtBy: ['half-open-deadline'],
    make: (world) =>
      registries((registry) => {
        world.leak(() => registry.close());
        return { close: silent(world, (options) => registry.close(options)) };
      }),
  },
  {
    name: 'calls a deadline an internal error',
    breaks: 'A `receive` of a watcher whose deadline passes where nobody answers rejects with `internal`.',
    caughtBy: ['half-open-deadline'],
    make: (world) =>
      watchers((watcher) => ({
        receive: (options) =>
          watcher.receive(options).catch((error: unknown) => {
            const isLate = world.halfOpens > 0 && MicroError.is(error, 'timeout');
            throw isLate ? new MicroError('internal', 'no answer') : error;
          }),
      })),
  },
]);
