import type { Subscriber } from '@ts-micro/core';
import { altered } from '../altered.ts';
import { subscriptions } from '../broker/seams.ts';
import { type Mutant, mutantsOf } from '../mutant.ts';

/** Breakages that show only in what comes of several steps together. */
export const programs: readonly Mutant<'broker'>[] = mutantsOf('broker', [
  {
    name: 'ends what a pattern covers',
    breaks: 'Closing the subscriber of a pattern silences those of the same broker whose topics it covers.',
    caughtBy: ['any-program'],
    make: () => (sound) => {
      const covered = new Map<string, Set<() => void>>();
      return subscriptions(async (broker, topic, handler, options) => {
        let isSilent = false;
        const isPattern = /[*>]/.test(topic);
        const subscriber = await broker.subscribe(topic, (event) => (isSilent ? undefined : handler(event)), options);
        const silence = () => {
          isSilent = true;
        };
        if (!isPattern) covered.set(topic, (covered.get(topic) ?? new Set()).add(silence));
        return altered<Subscriber>(subscriber, {
          async close(closeOptions) {
            covered.get(topic)?.delete(silence);
            const start = topic.replace(/\.[*>].*$/, '.');
            if (isPattern)
              for (const [each, silences] of covered) if (each.startsWith(start)) for (const end of silences) end();
            await subscriber.close(closeOptions);
          },
        });
      })(sound);
    },
  },
]);
