import type { BrokerEvent, Message } from '@ts-micro/core';
import { altered } from '../altered.ts';
import { type Mutant, mutantsOf } from '../mutant.ts';
import { brokers, handling, publishes, subscriptions } from './seams.ts';

export const leaving: readonly Mutant<'broker'>[] = mutantsOf('broker', [
  {
    name: 'leaves without unsubscribing',
    breaks: 'A member that left is still given messages while its broker is open, and nobody handles them.',
    caughtBy: ['only-member-leaves'],
    make: (world) =>
      subscriptions(async (broker, topic, handler, options) => {
        if (options.queue === undefined) return broker.subscribe(topic, handler, options);
        let hasLeft = false;
        let leave: (value: undefined) => void = () => {};
        const closed = new Promise<undefined>((resolve) => {
          leave = resolve;
        });
        const subscriber = await broker.subscribe(topic, (event) => (hasLeft ? undefined : handler(event)), options);
        world.leak(() => subscriber.close());
        return altered(subscriber, {
          closed,
          async close() {
            hasLeft = true;
            leave(undefined);
          },
        });
      }),
  },
  {
    name: 'unsubscribes late',
    breaks: 'A member takes messages for a moment after it has left, and nobody handles them.',
    caughtBy: ['only-member-leaves'],
    make: () =>
      subscriptions(async (broker, topic, handler, options) => {
        if (options.queue === undefined) return broker.subscribe(topic, handler, options);
        let hasLeft = false;
        const subscriber = await broker.subscribe(topic, (event) => (hasLeft ? undefined : handler(event)), options);
        return altered(subscriber, {
          async close(closeOptions) {
            hasLeft = true;
            for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
            await subscriber.close(closeOptions);
          },
        });
      }),
  },
  {
    name: 'drops what the last member has not handled',
    breaks: 'The last member of a queue on its broker takes along what waited for its handler.',
    caughtBy: ['only-member-leaves'],
    make: () => (sound) => {
      let members = 0;
      return subscriptions(async (broker, topic, handler, options) => {
        if (options.queue === undefined) return broker.subscribe(topic, handler, options);
        members++;
        let isDropping = false;
        let handled = Promise.resolve();
        // Takes each message off the queue at once, and handles it when those before it are done.
        const take = (event: BrokerEvent): void => {
          handled = handled.then(() => (isDropping ? undefined : handler(event)));
        };
        const subscriber = await broker.subscribe(topic, take, options);
        return altered(subscriber, {
          async close(closeOptions) {
            isDropping = --members === 0;
            await subscriber.close(closeOptions);
            await handled;
          },
        });
      })(sound);
    },
  },
  {
    name: 'retains the last message',
    breaks: 'A subscriber is given the message that was published last before it came.',
    caughtBy: ['nothing-from-before'],
    make: () => remembering((events) => events.slice(-1)),
  },
  {
    name: 'retains every message',
    breaks: 'A subscriber is given all that was published before it came.',
    caughtBy: ['nothing-from-before'],
    make: () => remembering((events) => events),
  },
  {
    name: 'holds ten thousand messages',
    breaks: 'What comes to a subscriber beyond its first ten thousand messages is lost.',
    caughtBy: ['large-burst'],
    make: () => counting((count, event, handle) => (count > 10_000 ? undefined : handle(event))),
  },
  {
    name: 'delivers twice behind ten thousand',
    breaks: 'The message behind the first ten thousand comes twice.',
    caughtBy: ['large-burst'],
    make: () =>
      counting(async (count, event, handle) => {
        await handle(event);
        if (count === 10_001) await handle(event);
      }),
  },
  {
    name: 'turns its order over behind ten thousand',
    breaks: 'Two messages behind the first ten thousand change places.',
    caughtBy: ['large-burst'],
    make: () => {
      let held: BrokerEvent | undefined;
      return counting(async (count, event, handle) => {
        if (count === 10_001) {
          held = event;
          return;
        }
        await handle(event);
        if (count === 10_002 && held) await handle(held);
      });
    },
  },
  {
    name: 'keeps eight headers',
    breaks: 'The headers of a message beyond the eighth do not arrive.',
    caughtBy: ['many-headers'],
    make: () => publishes((message) => firstHeaders(message, 8)),
  },
  {
    name: 'keeps ninety-nine headers',
    breaks: 'The hundredth header of a message does not arrive.',
    caughtBy: ['many-headers'],
    make: () => publishes((message) => firstHeaders(message, 99)),
  },
]);

function firstHeaders(message: Message, count: number): Message {
  const names = Object.keys(message.headers);
  if (names.length <= count) return message;
  return { ...message, headers: Object.fromEntries(Object.entries(message.headers).slice(0, count)) };
}

/** Hands a subscriber, as it begins, some of what was published on its topic before. */
function remembering(choose: (events: readonly BrokerEvent[]) => readonly BrokerEvent[]): ReturnType<typeof brokers> {
  const published = new Map<string, BrokerEvent[]>();
  return brokers((broker) => ({
    async publish(topic, message, options) {
      published.set(topic, [...(published.get(topic) ?? []).slice(-20), { topic, message }]);
      await broker.publish(topic, message, options);
    },
    async subscribe(topic, handler, options) {
      const subscriber = await broker.subscribe(topic, handler, options);
      for (const event of choose(published.get(topic) ?? [])) await handler(event);
      return subscriber;
    },
  }));
}

/** Breaks a subscription by how many messages it was given. */
function counting(
  change: (
    count: number,
    event: BrokerEvent,
    handle: (event: BrokerEvent) => Promise<void>,
  ) => Promise<void> | undefined,
): ReturnType<typeof brokers> {
  return handling((handler) => {
    let count = 0;
    return (event) => change(++count, event, handler);
  });
}
