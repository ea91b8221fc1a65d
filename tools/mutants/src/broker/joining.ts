import { abortError, MicroError } from '@ts-micro/core';
import { altered } from '../altered.ts';
import { type Mutant, mutantsOf } from '../mutant.ts';
import { never } from '../never.ts';
import { brokers, publishes, subscriptions } from './seams.ts';

export const joining: readonly Mutant<'broker'>[] = mutantsOf('broker', [
  {
    name: 'readies the first of two',
    breaks: 'Of two subscribers of a topic that come at once the second one is ready later than it says.',
    caughtBy: ['subscribe-is-ready'],
    make: () => {
      const underWay = new Set<string>();
      return subscriptions(async (broker, topic, handler, options) => {
        let isDeaf = underWay.has(topic);
        underWay.add(topic);
        const subscriber = await broker.subscribe(topic, (event) => (isDeaf ? undefined : handler(event)), options);
        void turns(20).then(() => {
          underWay.delete(topic);
          isDeaf = false;
        });
        return subscriber;
      });
    },
  },
  {
    name: 'unsubscribes the one that comes',
    breaks: 'A subscriber that comes while another one of its topic leaves hears of nothing.',
    caughtBy: ['comes-as-another-leaves'],
    make: () => {
      const leaving = new Map<string, number>();
      return subscriptions(async (broker, topic, handler, options) => {
        const isDeaf = (leaving.get(topic) ?? 0) > 0;
        const subscriber = await broker.subscribe(topic, (event) => (isDeaf ? undefined : handler(event)), options);
        return altered(subscriber, {
          async close(closeOptions) {
            leaving.set(topic, (leaving.get(topic) ?? 0) + 1);
            await subscriber.close(closeOptions);
            await turns(2);
            leaving.set(topic, (leaving.get(topic) ?? 0) - 1);
          },
        });
      });
    },
  },
  {
    name: 'keeps an aborted subscription',
    breaks: 'A `subscribe` that was aborted goes on, and its handler is given messages.',
    caughtBy: ['aborted-subscribe'],
    make: (world) =>
      subscriptions(async (broker, topic, handler, options) => {
        const subscriber = await broker.subscribe(topic, handler, { ...options, signal: undefined });
        if (!options.signal) return subscriber;
        await turns(3);
        if (!options.signal.aborted) return subscriber;
        world.leak(() => subscriber.close());
        throw abortError(options.signal, 'subscribe');
      }),
  },
  {
    name: 'lets those with a deadline fall behind',
    breaks: 'A message that is published with a signal arrives after those behind it.',
    caughtBy: ['burst-in-order'],
    make: () =>
      brokers((broker) => ({
        async publish(topic, message, options) {
          if (options?.signal) await Promise.resolve();
          await broker.publish(topic, message, options);
        },
      })),
  },
  {
    name: 'cuts long headers',
    breaks: 'A header of more than 65,535 bytes arrives without its end.',
    caughtBy: ['large-headers'],
    make: () =>
      publishes(({ headers, body }) => {
        const cut = Object.entries(headers).map(([name, value]) => [name, value.slice(0, 65_535)]);
        return { headers: Object.fromEntries(cut), body };
      }),
  },
  {
    name: 'calls large headers invalid',
    breaks: 'Headers of more than 64 KiB are refused with `invalid`.',
    caughtBy: ['large-headers'],
    make: () =>
      publishes((message) => {
        const size = Object.values(message.headers).reduce((bytes, value) => bytes + value.length, 0);
        if (size > 65_536) throw new MicroError('invalid', 'header size exceeds the maximum');
        return message;
      }),
  },
  {
    name: 'hides topics that begin with a dollar',
    breaks: 'A pattern does not match topics that begin with `$`.',
    caughtBy: ['special-signs'],
    make: () =>
      subscriptions((broker, topic, handler, options) =>
        broker.subscribe(
          topic,
          (event) => (/^[*>]/.test(topic) && event.topic.startsWith('$') ? undefined : handler(event)),
          options,
        ),
      ),
  },
  {
    name: 'hands on what another program left',
    breaks: 'A subscriber is given what another program had put on its topic before.',
    caughtBy: ['nothing-from-before'],
    make: (world) =>
      subscriptions(async (broker, topic, handler, options) => {
        const subscriber = await broker.subscribe(topic, handler, options);
        if (world.injected.has(topic)) await handler({ topic, message: { headers: {}, body: new Uint8Array() } });
        return subscriber;
      }),
  },
  {
    name: 'loses its patterns in an outage',
    breaks: 'A subscriber of a pattern from before an outage gets nothing any more.',
    caughtBy: ['outage-subscriber', 'outage-queue'],
    make: (world) =>
      subscriptions((broker, topic, handler, options) => {
        const { kills } = world;
        const isLost = () => /[*>]/.test(topic) && world.kills > kills;
        return broker.subscribe(topic, (event) => (isLost() ? undefined : handler(event)), options);
      }),
  },
  {
    name: 'subscribes into the dark',
    breaks: 'A `subscribe` during an outage seems to have worked.',
    caughtBy: ['outage-subscribe'],
    make: (world) =>
      subscriptions(async (broker, topic, handler, options) => {
        if (!world.isDown) return broker.subscribe(topic, handler, options);
        return {
          topic,
          queue: undefined,
          closed: Promise.resolve(undefined),
          close: async () => {},
          [Symbol.asyncDispose]: async () => {},
        };
      }),
  },
  {
    name: 'remembers that a topic failed',
    breaks: 'A topic whose `subscribe` failed during an outage cannot be subscribed any more.',
    caughtBy: ['outage-subscribe'],
    make: () => {
      const failed = new Map<string, unknown>();
      return subscriptions(async (broker, topic, handler, options) => {
        if (failed.has(topic)) throw failed.get(topic);
        try {
          return await broker.subscribe(topic, handler, options);
        } catch (error) {
          if (MicroError.is(error, 'unavailable')) failed.set(topic, error);
          throw error;
        }
      });
    },
  },
  {
    name: 'brings back who left in an outage',
    breaks: 'A member that closed during an outage is given messages after it, and nobody handles them.',
    caughtBy: ['outage-closed-member'],
    make: (world) =>
      subscriptions(async (broker, topic, handler, options) => {
        let hasLeft = false;
        const subscriber = await broker.subscribe(topic, (event) => (hasLeft ? undefined : handler(event)), options);
        return altered(subscriber, {
          async close(closeOptions) {
            if (!world.isDown) return subscriber.close(closeOptions);
            hasLeft = true;
            world.leak(() => subscriber.close());
          },
        });
      }),
  },
  {
    name: 'waits on a silent link beyond every deadline',
    breaks: 'A `publish` over a link that was lost without a word does not end at its deadline.',
    caughtBy: ['half-open-deadline'],
    make: (world) =>
      brokers((broker) => ({
        publish: (topic, message, options) => (world.halfOpens > 0 ? never() : broker.publish(topic, message, options)),
      })),
  },
]);

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}
