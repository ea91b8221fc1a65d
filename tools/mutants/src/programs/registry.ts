import type { Registry } from '@ts-micro/core';
import { altered } from '../altered.ts';
import { type Mutant, mutantsOf } from '../mutant.ts';
import { events, versionOf } from '../registry/seams.ts';

/** Breakages that show only in what comes of several steps together. */
export const programs: readonly Mutant<'registry'>[] = mutantsOf('registry', [
  {
    name: 'takes every watcher along',
    breaks: 'Once a watcher has closed, the others of its registry hear nothing more.',
    caughtBy: ['any-program'],
    make: () => (registry) => {
      let isDeaf = false;
      return altered<Registry>(registry, {
        async watch(options) {
          isDeaf = false;
          const watcher = await registry.watch(options);
          return altered(watcher, {
            async receive(receiveOptions) {
              for (;;) {
                const event = await watcher.receive(receiveOptions);
                if (event === undefined || !isDeaf || event.type === 'resync') return event;
              }
            },
            async close(closeOptions) {
              isDeaf = true;
              await watcher.close(closeOptions);
            },
          });
        },
      });
    },
  },
  {
    name: 'leaves without a word',
    breaks: 'What a registry takes along as it closes is announced to no watcher.',
    caughtBy: ['any-program'],
    make: () => {
      const unsaid = new Set<string>();
      return (sound) => {
        const mine = new Set<string>();
        const hearing = events(() => (event) => {
          const isUnsaid = event.type !== 'resync' && unsaid.has(versionOf(event.service));
          return isUnsaid ? undefined : event;
        });
        return altered<Registry>(hearing(sound), {
          async register(service, options) {
            mine.add(versionOf(service));
            unsaid.delete(versionOf(service));
            await sound.register(service, options);
          },
          async close(options) {
            for (const version of mine) unsaid.add(version);
            await sound.close(options);
          },
        });
      };
    },
  },
]);
