import { altered } from '../altered.ts';
import { type Mutant, mutantsOf } from '../mutant.ts';
import { handling, subscribers, subscriptions } from './seams.ts';

export const queues: readonly Mutant<'broker'>[] = mutantsOf('broker', [
  {
    name: 'ignores the queue',
    breaks: 'Every member of a queue gets each message.',
    caughtBy: ['queue-one-member', 'two-queues', 'queue-and-plain', 'queue-under-load', 'outage-queue'],
    make: () =>
      subscriptions(async (broker, topic, handler, options) => {
        const subscriber = await broker.subscribe(topic, handler, { ...options, queue: undefined });
        return altered(subscriber, { queue: options.queue });
      }),
  },
  {
    name: 'has queues of its own',
    breaks: 'Members of a queue on two brokers each get the message.',
    caughtBy: ['queue-one-member', 'two-queues', 'queue-and-plain'],
    make: () => {
      let count = 0;
      return (sound) => {
        const name = `broker-${++count}`;
        return subscriptions(async (broker, topic, handler, options) => {
          const queue = options.queue && `${options.queue}-${name}`;
          const subscriber = await broker.subscribe(topic, handler, { ...options, queue });
          return altered(subscriber, { queue: options.queue });
        })(sound);
      };
    },
  },
  {
    name: 'ignores queues on wildcards',
    breaks: 'Every member of a queue on a wildcard gets each message.',
    caughtBy: ['queue-one-member'],
    make: () =>
      subscriptions(async (broker, topic, handler, options) => {
        const queue = /[*>]/.test(topic) ? undefined : options.queue;
        return altered(await broker.subscribe(topic, handler, { ...options, queue }), { queue: options.queue });
      }),
  },
  {
    name: 'mixes queues of topics',
    breaks: 'A message goes to a member of a queue of that name that subscribes to another topic.',
    caughtBy: ['queue-one-member'],
    make: () => {
      const topics = new Map<string, string[]>();
      let turn = 0;
      return subscriptions((broker, topic, handler, options) => {
        const { queue } = options;
        if (queue === undefined) return broker.subscribe(topic, handler, options);
        const members = topics.get(queue) ?? [];
        topics.set(queue, members);
        members.push(topic);
        const isChosen = (actual: string) => members[turn++ % members.length] === actual;
        return broker.subscribe(topic, (event) => (isChosen(event.topic) ? handler(event) : undefined), options);
      });
    },
  },
  {
    name: "forgets the queue's name",
    breaks: '`queue` of a subscriber is `undefined`.',
    caughtBy: ['queue-one-member'],
    make: () => subscribers(() => ({ queue: undefined })),
  },
  {
    name: 'has one queue for a topic',
    breaks: 'Two queues on one topic share its messages.',
    caughtBy: ['two-queues'],
    make: () =>
      subscriptions(async (broker, topic, handler, options) => {
        const subscriber = await broker.subscribe(topic, handler, { ...options, queue: options.queue && 'queue' });
        return altered(subscriber, { queue: options.queue });
      }),
  },
  {
    name: 'prefers queues',
    breaks: 'A plain subscriber gets nothing where there is a queue as well.',
    caughtBy: ['queue-and-plain'],
    make: () => {
      const queued = new Set<string>();
      return subscriptions((broker, topic, handler, options) => {
        if (options.queue !== undefined) queued.add(topic);
        const isPlain = options.queue === undefined;
        return broker.subscribe(topic, (event) => (isPlain && queued.has(topic) ? undefined : handler(event)), options);
      });
    },
  },
  {
    name: 'prefers plain subscribers',
    breaks: 'A queue gets nothing where there is a plain subscriber as well.',
    caughtBy: ['queue-and-plain', 'queue-one-member'],
    make: () => {
      const plain = new Set<string>();
      return subscriptions((broker, topic, handler, options) => {
        if (options.queue === undefined) plain.add(topic);
        const isQueued = options.queue !== undefined;
        return broker.subscribe(topic, (event) => (isQueued && plain.has(topic) ? undefined : handler(event)), options);
      });
    },
  },
  {
    name: 'leaves with its messages',
    breaks: 'A member that leaves takes along what waited for its handler.',
    caughtBy: ['queue-under-load'],
    make: () =>
      subscriptions(async (broker, topic, handler, options) => {
        if (options.queue === undefined) return broker.subscribe(topic, handler, options);
        let isClosing = false;
        const slowly = async (event: Parameters<typeof handler>[0]): Promise<void> => {
          if (!isClosing) await new Promise((resolve) => setImmediate(resolve));
          if (!isClosing) await handler(event);
        };
        const subscriber = await broker.subscribe(topic, slowly, options);
        return altered(subscriber, {
          close(closeOptions) {
            isClosing = true;
            return subscriber.close(closeOptions);
          },
        });
      }),
  },
  {
    name: 'joins before it is ready',
    breaks: 'A member that joins takes a message before it can handle one.',
    caughtBy: ['queue-under-load', 'queue-one-member'],
    make: () =>
      handling((handler, options) => {
        let isReady = options.queue === undefined;
        return async (event) => {
          if (isReady) await handler(event);
          isReady = true;
        };
      }),
  },
]);
