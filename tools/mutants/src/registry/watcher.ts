import { MicroError, type RegistryEvent, type Watcher } from '@ts-micro/core';
import { abortable, throwIfAborted } from '@ts-micro/kit';
import { type Mutant, mutantsOf } from '../mutant.ts';
import { never } from '../never.ts';
import { registries, watchers } from './seams.ts';

const what = 'a receive';

export const watcher: readonly Mutant<'registry'>[] = mutantsOf('registry', [
  {
    name: 'forgets who waits',
    breaks: 'Closing a watcher leaves its pending `receive` waiting.',
    caughtBy: ['watcher-close-ends-wait', 'close-ends-watchers'],
    make: () =>
      watchers((sound) => ({
        receive: async (options) => (await sound.receive(options)) ?? never(),
      })),
  },
  {
    name: 'rejects who waits',
    breaks: 'Closing a watcher rejects its pending `receive` with `closed`.',
    caughtBy: ['watcher-close-ends-wait', 'close-ends-watchers'],
    make: () =>
      watchers((sound) => ({
        async receive(options) {
          const event = await sound.receive(options);
          if (event === undefined) throw new MicroError('closed', 'the watcher is closed');
          return event;
        },
      })),
  },
  {
    name: 'closes others',
    breaks: 'Closing a watcher closes the other watchers of its registry.',
    caughtBy: ['watcher-close-ends-wait'],
    make: () => (registry) => {
      const all: Watcher[] = [];
      return watchers((sound) => {
        all.push(sound);
        return {
          async close(options) {
            await Promise.all(all.map((each) => each.close(options)));
          },
        };
      })(registry);
    },
  },
  {
    name: 'iterates for ever',
    breaks: '`for await` over a watcher does not end with its close.',
    caughtBy: ['watcher-close-ends-wait'],
    make: () =>
      watchers((sound) => ({
        async *[Symbol.asyncIterator]() {
          for (let event = await sound.receive(); event; event = await sound.receive()) yield event;
          await never();
        },
      })),
  },
  {
    name: 'goes on receiving',
    breaks: 'An aborted `receive` takes the next event with it.',
    caughtBy: ['aborted-receive-loses-nothing'],
    make: () =>
      watchers((sound) => ({
        async receive(options) {
          throwIfAborted(options?.signal, what);
          return abortable(sound.receive(), options?.signal, what);
        },
      })),
  },
  {
    name: 'is deaf while it waits',
    breaks: 'A `receive` does not hear of a signal that aborts while it waits.',
    caughtBy: ['watcher-keeps-no-listener'],
    make: () => watchers((sound) => ({ receive: (options) => sound.receive(options?.signal?.aborted ? options : {}) })),
  },
  {
    name: 'breaks on an abort',
    breaks: 'A `receive` that was aborted closes its watcher.',
    caughtBy: ['aborted-receive-loses-nothing'],
    make: () =>
      watchers((sound) => ({
        receive: (options) =>
          sound.receive(options).catch((error: unknown) => {
            void sound.close();
            throw error;
          }),
      })),
  },
  {
    name: 'leaves watchers open',
    breaks: 'Closing a registry leaves its watchers open.',
    caughtBy: ['close-ends-watchers'],
    make: (world) =>
      registries((registry) => {
        const other = world.registry();
        world.leak(() => other.close());
        let isClosed = false;
        return {
          watch: (options) => (isClosed ? registry : other).watch(options),
          close(options) {
            isClosed = true;
            return registry.close(options);
          },
        };
      }),
  },
  {
    name: 'forgets to end watchers',
    breaks: 'Closing a registry ends what its watchers wait for, and their `closed` does not resolve.',
    caughtBy: ['close-ends-watchers', 'watcher-closed-resolves'],
    make: () => watchers(() => ({ closed: never() })),
  },
  {
    name: 'waits behind the unread',
    breaks: 'A watcher hears nothing while a hundred events wait at another.',
    caughtBy: ['unread-watcher'],
    make: () => {
      let registered = 0;
      const received: number[] = [];
      const counting = registries((registry) => ({
        async register(service, options) {
          await registry.register(service, options);
          registered++;
        },
      }));
      const stalling = watchers((sound) => {
        const index = received.push(registered) - 1;
        return {
          async receive(options) {
            if (received.some((count, other) => other !== index && registered - count >= 100))
              await abortable(never(), options?.signal, what);
            const event = await sound.receive(options);
            received[index] = (received[index] ?? 0) + 1;
            return event;
          },
        };
      });
      return (sound) => stalling(counting(sound));
    },
  },
  {
    name: 'keeps what is stale',
    breaks: 'Where too much waits, the oldest events are kept, and a `resync` stands for the rest only.',
    caughtBy: ['watcher-overflow'],
    make: () =>
      watchers((sound) => {
        const waiting: RegistryEvent[] = [];
        let last: RegistryEvent | undefined;
        return {
          async receive(options) {
            const event = waiting.shift() ?? (await sound.receive(options));
            const [service] = event?.type === 'resync' ? event.services : [];
            const isGap = event?.type === 'resync' && last !== undefined;
            last = event;
            if (!event || !isGap || !service) return event;
            waiting.push(event);
            return { type: 'create', service: { ...service, metadata: { ...service.metadata, turn: '0' } } };
          },
        };
      }),
  },
]);
