import { type Broker, type BrokerFeatures, MicroError } from '@ts-micro/core';
import { altered } from '../altered.ts';
import { type Mutant, mutantsOf } from '../mutant.ts';
import { brokers, subscriptions } from './seams.ts';

export const features: readonly Mutant<'broker'>[] = mutantsOf('broker', [
  {
    name: 'denies queues',
    breaks: '`supports` says that there are no queues, and a queue is not refused.',
    caughtBy: ['queue-one-member', 'two-queues', 'queue-and-plain', 'queue-under-load', 'outage-queue'],
    make: () => saying({ queues: false }),
  },
  {
    name: 'refuses queues',
    breaks: '`supports` says that there are queues, and a queue is refused.',
    caughtBy: ['queue-one-member'],
    make: () =>
      subscriptions(async (broker, topic, handler, options) => {
        if (options.queue !== undefined) throw new MicroError('unsupported', 'there are no queues');
        return broker.subscribe(topic, handler, options);
      }),
  },
  {
    name: 'denies durable queues',
    breaks: '`supports` says that there are no durable queues, and one is not refused.',
    caughtBy: ['durable-waits', 'durable-same-id', 'durable-handed-back', 'durable-abandoned', 'durable-outage'],
    make: () => saying({ durableQueues: false }),
  },
  {
    name: 'denies redelivery',
    breaks: '`supports` says that there is no redelivery, and it is not refused.',
    caughtBy: [
      'redelivery-again',
      'redelivery-pauses',
      'redelivery-dead-letter',
      'redelivery-others',
      'redelivery-unsettled',
    ],
    make: () => saying({ redelivery: false }),
  },
  {
    name: 'denies wildcards',
    breaks: '`supports` says that there are no wildcards, and a wildcard is not refused.',
    caughtBy: ['wildcard-token', 'wildcard-rest'],
    make: () => saying({ wildcards: false }),
  },
  {
    name: 'takes wildcards literally',
    breaks: '`supports` says that there are wildcards, and a wildcard is a topic like others.',
    caughtBy: ['wildcard-token', 'wildcard-rest'],
    make: () =>
      subscriptions(async (broker, topic, handler, options) =>
        altered(await broker.subscribe(topic.replaceAll(/[*>]/g, 'any'), handler, options), { topic }),
      ),
  },
  {
    name: 'boasts of no limit',
    breaks: '`supports` says that bodies have no limit, and they have one.',
    caughtBy: ['largest-body', 'too-large'],
    make: () => saying({ maxBodyBytes: Number.POSITIVE_INFINITY }),
  },
  {
    name: 'boasts of its limit',
    breaks: '`supports` says twice as much as goes through.',
    caughtBy: ['largest-body'],
    make: () => (broker) => saying({ maxBodyBytes: 2 * broker.supports.maxBodyBytes })(broker),
  },
  {
    name: 'leaves a connection',
    breaks: 'A connection is there after the broker that made it was closed.',
    caughtBy: ['every-subscriber'],
    make: (world) => (broker) => {
      world.counts.connections = (world.counts.connections ?? 0) + 1;
      return broker;
    },
  },
  {
    name: 'leaves a rejection',
    breaks: 'Closing a broker rejects a promise that nobody listens to.',
    caughtBy: ['every-subscriber'],
    make: () =>
      brokers((broker) => ({
        close(options) {
          void Promise.reject(new Error('a promise nobody listens to, on purpose'));
          return broker.close(options);
        },
      })),
  },
]);

function saying(features: Partial<BrokerFeatures>): (broker: Broker) => Broker {
  return brokers(({ supports }) => ({ supports: { ...supports, ...features } }));
}
