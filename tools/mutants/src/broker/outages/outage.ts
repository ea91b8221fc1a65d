import { MicroError } from '@ts-micro/core';
import { altered } from '../../altered.ts';
import { type Mutant, mutantsOf } from '../../mutant.ts';
import { recoded } from '../../recoded.ts';
import { brokers, subscriptions } from '../seams.ts';

export const outages: readonly Mutant<'broker'>[] = mutantsOf('broker', [
  {
    name: 'loses its subscriptions',
    breaks: 'A subscriber from before an outage gets nothing any more.',
    caughtBy: ['outage-subscriber'],
    make: (world) =>
      subscriptions((broker, topic, handler, options) => {
        const { kills } = world;
        return broker.subscribe(topic, (event) => (world.kills === kills ? handler(event) : undefined), options);
      }),
  },
  {
    name: 'loses its queues',
    breaks: 'After an outage every member of a queue gets each message.',
    caughtBy: ['outage-queue'],
    make: (world) =>
      subscriptions(async (broker, topic, handler, options) => {
        const { kills } = world;
        const isAfter = () => world.kills > kills;
        if (options.queue !== undefined)
          await broker.subscribe(topic, (event) => (isAfter() ? handler(event) : undefined));
        const isMember = options.queue !== undefined;
        return broker.subscribe(topic, (event) => (isMember && isAfter() ? undefined : handler(event)), options);
      }),
  },
  {
    name: 'loses members of a queue',
    breaks: 'After an outage one member of a queue takes messages and does nothing with them.',
    caughtBy: ['outage-queue'],
    make: (world) => {
      let members = 0;
      return subscriptions((broker, topic, handler, options) => {
        const { kills } = world;
        const isLost = options.queue !== undefined && ++members === 2;
        return broker.subscribe(
          topic,
          (event) => (isLost && world.kills > kills ? undefined : handler(event)),
          options,
        );
      });
    },
  },
  {
    name: 'swallows in an outage',
    breaks: 'A message published during an outage seems to have been handed over.',
    caughtBy: ['outage-publish'],
    make: (world) =>
      brokers((broker) => ({
        async publish(topic, message, options) {
          if (!world.isDown) await broker.publish(topic, message, options);
        },
      })),
  },
  {
    name: 'waits for the end of an outage',
    breaks: '`publish` during an outage neither resolves nor rejects.',
    caughtBy: ['outage-publish'],
    make: (world) =>
      brokers((broker) => ({
        async publish(topic, message, options) {
          await world.whenUp();
          await broker.publish(topic, message, options);
        },
      })),
  },
  {
    name: 'calls an outage a timeout',
    breaks: 'Publishing during an outage rejects with `timeout`.',
    caughtBy: ['outage-publish'],
    make: () =>
      brokers((broker) => ({
        publish: (topic, message, options) =>
          broker.publish(topic, message, options).catch((error: unknown) => {
            throw MicroError.is(error, 'unavailable') ? recoded(error, 'timeout') : error;
          }),
      })),
  },
  {
    name: 'gives up after an outage',
    breaks: 'Publishing rejects with `unavailable` when an outage is over.',
    caughtBy: ['outage-publish', 'outage-subscriber'],
    make: (world) =>
      brokers((broker) => ({
        async publish(topic, message, options) {
          if (world.kills > 0) throw new MicroError('unavailable', 'the connection was lost');
          await broker.publish(topic, message, options);
        },
      })),
  },
  {
    name: 'closes when it is over',
    breaks: 'A broker closed during an outage waits for the end of it.',
    caughtBy: ['outage-close'],
    make: (world) =>
      brokers((broker) => ({
        async close(options) {
          await world.whenUp();
          await broker.close(options);
        },
      })),
  },
  {
    name: 'closes half in an outage',
    breaks: 'A subscriber is not closed with its broker during an outage.',
    caughtBy: ['outage-close'],
    make: (world) =>
      subscriptions(async (broker, topic, handler, options) => {
        const subscriber = await broker.subscribe(topic, handler, options);
        return altered(subscriber, {
          get closed() {
            return subscriber.closed.then(async (cause) => {
              await world.whenUp();
              return cause;
            });
          },
        });
      }),
  },
  {
    name: 'does not notice a cut',
    breaks: 'After a cut of the network nothing is delivered any more.',
    caughtBy: ['partition'],
    make: (world) =>
      subscriptions((broker, topic, handler, options) =>
        broker.subscribe(topic, (event) => (world.partitions === 0 ? handler(event) : undefined), options),
      ),
  },
]);
