import { MicroError, type RedeliveryOptions } from '@ts-micro/core';
import { altered } from '../altered.ts';
import { type Mutant, mutantsOf } from '../mutant.ts';
import { brokers, handling, subscriptions } from './seams.ts';

export const durable: readonly Mutant<'broker'>[] = mutantsOf('broker', [
  {
    name: 'keeps nothing for the absent',
    breaks: 'What is published while a durable queue has no member is lost.',
    caughtBy: ['durable-waits', 'durable-outage'],
    make: () => {
      const members = new Map<string, number>();
      const count = (topic: string, change: number) => members.set(topic, (members.get(topic) ?? 0) + change);
      return brokers((broker) => ({
        async publish(topic, message, options) {
          if (members.get(topic) !== 0) await broker.publish(topic, message, options);
        },
        async subscribe(topic, handler, options) {
          const subscriber = await broker.subscribe(topic, handler, options);
          count(topic, 1);
          void subscriber.closed.then(() => count(topic, -1));
          return subscriber;
        },
      }));
    },
  },
  {
    name: 'ignores ids',
    breaks: 'A message published again with the same `id` is stored again.',
    caughtBy: ['durable-same-id'],
    make: () =>
      brokers((broker) => ({ publish: (topic, message, options) => broker.publish(topic, message, without(options)) })),
  },
  {
    name: 'remembers its own ids only',
    breaks: 'A message published again with the same `id` by another publisher is stored again.',
    caughtBy: ['durable-same-id'],
    make: () => {
      let count = 0;
      return (sound) => {
        const own = ++count;
        return brokers((broker) => ({
          publish: (topic, message, { id, ...options } = {}) =>
            broker.publish(topic, message, id === undefined ? options : { ...options, id: `${own}-${id}` }),
        }))(sound);
      };
    },
  },
  {
    name: 'calls anything durable',
    breaks: 'A durable subscription without a queue is a plain one.',
    caughtBy: ['durable-needs-queue'],
    make: () =>
      subscriptions((broker, topic, handler, { durable: isDurable, ...options }) =>
        broker.subscribe(topic, handler, options.queue === undefined ? options : { ...options, durable: isDurable }),
      ),
  },
  {
    name: 'takes it along',
    breaks: 'What a member has taken and not handled is lost when it closes.',
    caughtBy: ['durable-handed-back'],
    make: () =>
      subscriptions(async (broker, topic, handler, options) => {
        let isClosing = false;
        let last: void | Promise<void>;
        const subscriber = await broker.subscribe(
          topic,
          async (event) => {
            const before = last;
            last = (async () => {
              await before;
              if (!isClosing) await handler(event);
            })();
            await last;
          },
          { ...options, concurrency: 1000 },
        );
        return altered(subscriber, {
          close(closeOptions) {
            isClosing = true;
            return subscriber.close(closeOptions);
          },
        });
      }),
  },
  {
    name: 'acknowledges at receipt',
    breaks: 'A message counts as handled before its handler has settled.',
    caughtBy: ['durable-handed-back', 'durable-abandoned'],
    make: () =>
      handling((handler) => (event) => {
        handler(event).catch(() => {});
      }),
  },
  {
    name: 'forgets in an outage',
    breaks: 'What was stored is gone after an outage.',
    caughtBy: ['durable-outage'],
    make: (world) =>
      subscriptions((broker, topic, handler, { queue, ...options }) => {
        const renamed = world.kills === 0 ? queue : `${queue}-${world.kills}`;
        return broker.subscribe(topic, handler, queue === undefined ? options : { ...options, queue: renamed });
      }),
  },
  {
    name: 'swallows failures',
    breaks: 'A message whose handler throws does not come again.',
    caughtBy: ['redelivery-again', 'redelivery-pauses', 'redelivery-dead-letter'],
    make: () => handling((handler) => (event) => handler(event).catch(() => {})),
  },
  {
    name: 'counts to one',
    breaks: 'Every delivery is called the first.',
    caughtBy: ['redelivery-again'],
    make: () => handling((handler) => (event) => handler({ ...event, delivery: 1 })),
  },
  {
    name: 'comes again at once',
    breaks: 'There is no pause before a message comes again.',
    caughtBy: ['redelivery-pauses'],
    make: () => redelivering(() => ({ pauseMs: 0 })),
  },
  {
    name: 'pauses alike',
    breaks: 'The pauses before a message comes again do not grow.',
    caughtBy: ['redelivery-pauses'],
    make: () => redelivering(({ pauseMs }) => ({ maxPauseMs: pauseMs })),
  },
  {
    name: 'buries elsewhere',
    breaks: 'A message that failed to the last goes to no dead-letter topic that anybody knows.',
    caughtBy: ['redelivery-dead-letter'],
    make: () => redelivering(() => ({ deadLetterTopic: 'nowhere' })),
  },
  {
    name: 'has no default grave',
    breaks: 'A message that failed to the last is dropped where no dead-letter topic was given.',
    caughtBy: ['redelivery-dead-letter'],
    make: () => redelivering(({ deadLetterTopic = 'nowhere' }) => ({ deadLetterTopic })),
  },
  {
    name: 'tries once more',
    breaks: 'A message is delivered once more than `maxDeliveries`.',
    caughtBy: ['redelivery-dead-letter'],
    make: () => redelivering(({ maxDeliveries = 5 }) => ({ maxDeliveries: maxDeliveries + 1 })),
  },
  {
    name: 'keeps the reason',
    breaks: 'A dead letter does not say why it is one.',
    caughtBy: ['redelivery-dead-letter'],
    make: () =>
      handling((handler) => (event) => {
        const { 'Dead-Letter-Reason': _reason, ...headers } = event.message.headers;
        return handler({ ...event, message: { headers, body: event.message.body } });
      }),
  },
  {
    name: 'stops at a failure',
    breaks: 'What comes behind a message that failed is not handled.',
    caughtBy: ['redelivery-others'],
    make: () =>
      handling((handler) => {
        let failed: Promise<void> | undefined;
        return async (event) => {
          await failed;
          const handled = handler(event);
          await handled.catch(() => {
            failed = handled;
          });
          await handled;
        };
      }),
  },
  {
    name: 'takes silence for consent',
    breaks: 'A message that no member settles counts as handled at its second delivery.',
    caughtBy: ['redelivery-unsettled'],
    make: () =>
      handling((handler) => (event) => {
        if (Number(event.delivery) < 2) return handler(event);
        return Promise.race([handler(event), new Promise<void>((resolve) => setTimeout(resolve, 50))]);
      }),
  },
  {
    name: 'takes any redelivery',
    breaks: 'Redelivery that cannot be is taken for the default.',
    caughtBy: ['redelivery-invalid'],
    make: () =>
      subscriptions((broker, topic, handler, options) =>
        broker.subscribe(topic, handler, options).catch((error: unknown) => {
          if (!MicroError.is(error, 'invalid')) throw error;
          const { redelivery: _redelivery, ...rest } = options;
          return broker.subscribe(topic, handler, rest);
        }),
      ),
  },
]);

/** Breaks what a subscription asks for where it asks for redelivery. */
function redelivering(change: (asked: RedeliveryOptions) => RedeliveryOptions): ReturnType<typeof brokers> {
  return subscriptions((broker, topic, handler, options) => {
    const { redelivery } = options;
    if (redelivery === undefined) return broker.subscribe(topic, handler, options);
    return broker.subscribe(topic, handler, { ...options, redelivery: { ...redelivery, ...change(redelivery) } });
  });
}

function without<T extends { readonly id?: string | undefined }>(options: T | undefined): Omit<T, 'id'> | undefined {
  if (options === undefined) return undefined;
  const { id: _id, ...rest } = options;
  return rest;
}
