import { abortError } from '@ts-micro/core';
import { altered } from '../../altered.ts';
import { type Mutant, mutantsOf } from '../../mutant.ts';
import { never } from '../../never.ts';
import { brokers, subscriptions } from '../seams.ts';

/** What a broker does wrong before it has connected, and for those who did not stay. */
export const firstCalls: readonly Mutant<'broker'>[] = mutantsOf('broker', [
  {
    name: 'waits for a server that it never had',
    breaks: 'A first `publish` during an outage neither resolves nor rejects.',
    caughtBy: ['outage-publish'],
    make: (world) =>
      brokers((broker) => {
        let hasConnected = false;
        return {
          async publish(topic, message, options) {
            if (world.isDown && !hasConnected) await never();
            await broker.publish(topic, message, options);
            hasConnected = true;
          },
        };
      }),
  },
  {
    name: 'swallows a first publish in an outage',
    breaks: 'A message that is the first of its broker seems to have been handed over during an outage.',
    caughtBy: ['outage-publish'],
    make: (world) =>
      brokers((broker) => {
        let hasConnected = false;
        return {
          async publish(topic, message, options) {
            if (world.isDown && !hasConnected) return;
            await broker.publish(topic, message, options);
            hasConnected = true;
          },
        };
      }),
  },
  {
    name: 'readies the first of two as it connects',
    breaks: 'Of two subscribers that come at once before a broker has connected the second one is ready later.',
    caughtBy: ['subscribe-is-ready'],
    make: () =>
      brokers((broker) => {
        let calls = 0;
        return {
          async subscribe(topic, handler, options) {
            let isDeaf = ++calls === 2;
            const subscriber = await broker.subscribe(topic, (event) => (isDeaf ? undefined : handler(event)), options);
            setTimeout(() => {
              isDeaf = false;
            }, 20).unref();
            return subscriber;
          },
        };
      }),
  },
  {
    name: 'keeps an aborted member in its queue',
    breaks: 'A member whose `subscribe` was aborted takes messages of its queue, and nobody handles them.',
    caughtBy: ['aborted-subscribe'],
    make: (world) =>
      subscriptions(async (broker, topic, handler, options) => {
        const { signal, queue } = options;
        if (!signal || queue === undefined) return broker.subscribe(topic, handler, options);
        let isKept = false;
        const unsigned = { ...options, signal: undefined };
        const subscriber = await broker.subscribe(topic, (event) => (isKept ? undefined : handler(event)), unsigned);
        await new Promise((resolve) => setImmediate(resolve));
        if (!signal.aborted) return subscriber;
        isKept = true;
        world.leak(() => subscriber.close());
        throw abortError(signal, 'subscribe');
      }),
  },
  {
    name: 'brings back who left before an outage',
    breaks: 'A member that closed before an outage is given messages after it, and nobody handles them.',
    caughtBy: ['outage-closed-member'],
    make: (world) =>
      brokers((broker) => {
        const left: { readonly topic: string; readonly queue: string; readonly kills: number }[] = [];
        return {
          async subscribe(topic, handler, options) {
            const subscriber = await broker.subscribe(topic, handler, options);
            const { queue } = options ?? {};
            return altered(subscriber, {
              close(closeOptions) {
                if (queue !== undefined && !world.isDown) left.push({ topic, queue, kills: world.kills });
                return subscriber.close(closeOptions);
              },
            });
          },
          async publish(topic, message, options) {
            for (const each of left.filter(({ kills }) => world.kills > kills && !world.isDown)) {
              left.splice(left.indexOf(each), 1);
              const back = await broker.subscribe(each.topic, () => {}, { queue: each.queue });
              world.leak(() => back.close());
            }
            await broker.publish(topic, message, options);
          },
        };
      }),
  },
]);
