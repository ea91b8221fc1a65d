import { MicroError } from '@ts-micro/core';
import { connectednessMutants } from '../connectedness.ts';
import { handshake } from '../handshake.ts';
import { type Mutant, mutantsOf } from '../mutant.ts';
import { never } from '../never.ts';
import { recoded } from '../recoded.ts';
import { brokers, subscriptions } from './seams.ts';

export const hostile: readonly Mutant<'broker'>[] = [
  ...connectednessMutants('broker'),
  ...mutantsOf('broker', [
    {
      name: 'subscribes twice after an outage',
      breaks: 'A subscriber from before an outage gets each message after it twice.',
      caughtBy: ['outage-once'],
      make: (world) =>
        subscriptions((broker, topic, handler, options) => {
          const { kills } = world;
          return broker.subscribe(
            topic,
            async (event) => {
              await handler(event);
              if (world.kills > kills) await handler(event);
            },
            options,
          );
        }),
    },
    {
      name: 'keeps a subscription for each outage',
      breaks: 'From the second outage on each message is handled once more.',
      caughtBy: ['outage-once'],
      make: (world) =>
        subscriptions((broker, topic, handler, options) =>
          broker.subscribe(
            topic,
            async (event) => {
              for (let round = 0; round < Math.max(1, world.kills); round++) await handler(event);
            },
            options,
          ),
        ),
    },
    {
      name: 'publishes twice after an outage',
      breaks: 'A message published after an outage is sent twice.',
      caughtBy: ['outage-once'],
      make: (world) =>
        brokers((broker) => ({
          async publish(topic, message, options) {
            await broker.publish(topic, message, options);
            if (world.kills > 0) await broker.publish(topic, message, options);
          },
        })),
    },
    {
      name: 'is deaf on a silent link',
      breaks: 'A subscriber whose link was lost without a word hears of nothing any more.',
      caughtBy: ['half-open'],
      make: (world) =>
        subscriptions((broker, topic, handler, options) => {
          const { halfOpens } = world;
          return broker.subscribe(
            topic,
            (event) => (world.halfOpens > halfOpens ? undefined : handler(event)),
            options,
          );
        }),
    },
    {
      name: 'waits for a handshake on a silent link',
      breaks: 'A broker whose link was lost without a word while it connected is of no use any more.',
      caughtBy: ['half-open'],
      make: (world) =>
        brokers((broker) => {
          const connected = handshake(world);
          return {
            async publish(topic, message, options) {
              await connected();
              await broker.publish(topic, message, options);
            },
          };
        }),
    },
    {
      name: 'publishes into a silent link',
      breaks: 'What is published over a link that was lost without a word is lost for good.',
      caughtBy: ['half-open'],
      make: (world) =>
        brokers((broker) => ({
          async publish(topic, message, options) {
            if (world.halfOpens === 0) await broker.publish(topic, message, options);
          },
        })),
    },
    {
      name: 'stops at foreign bytes',
      breaks: 'Nothing comes on a topic on which another program has published.',
      caughtBy: ['foreign-bytes'],
      make: (world) =>
        subscriptions((broker, topic, handler, options) =>
          broker.subscribe(topic, (event) => (world.injected.has(topic) ? undefined : handler(event)), options),
        ),
    },
    {
      name: 'loses what follows foreign bytes',
      breaks: 'The message behind what another program published is lost.',
      caughtBy: ['foreign-bytes'],
      make: (world) =>
        subscriptions((broker, topic, handler, options) => {
          let isNext = false;
          return broker.subscribe(
            topic,
            async (event) => {
              const isForeign = event.message.body[0] !== 97 && world.injected.has(topic);
              const isLost = isNext;
              isNext = isForeign;
              if (!isLost) await handler(event);
            },
            options,
          );
        }),
    },
    {
      name: 'calls foreign bytes its own fault',
      breaks: 'Bytes of another program are reported as `internal`.',
      caughtBy: ['foreign-bytes'],
      make: (world) =>
        subscriptions((broker, topic, handler, options) =>
          broker.subscribe(
            topic,
            async (event) => {
              await handler(event);
              if (world.injected.has(topic)) options.onError?.(new MicroError('internal', 'it broke'), event);
            },
            options,
          ),
        ),
    },
    {
      name: 'warns of foreign bytes by the process',
      breaks: 'Bytes of another program make a warning of the process.',
      caughtBy: ['foreign-bytes'],
      make: (world) => {
        let isWarned = false;
        return subscriptions((broker, topic, handler, options) =>
          broker.subscribe(
            topic,
            async (event) => {
              await handler(event);
              if (!isWarned && world.injected.has(topic)) process.emitWarning('bytes that nobody asked for');
              isWarned ||= world.injected.has(topic);
            },
            options,
          ),
        );
      },
    },
    {
      name: 'calls bad credentials an outage',
      breaks: 'Credentials that the server refuses are `unavailable`.',
      caughtBy: ['bad-credentials'],
      make: () => refusedWith((error) => Promise.reject(recoded(error, 'unavailable'))),
    },
    {
      name: 'says nothing of bad credentials',
      breaks: 'With credentials that the server refuses calls resolve, and do nothing.',
      caughtBy: ['bad-credentials'],
      make: () => refusedWith(async () => {}),
    },
    {
      name: 'tries bad credentials for ever',
      breaks: 'With credentials that the server refuses calls never settle.',
      caughtBy: ['bad-credentials'],
      make: () => refusedWith(never),
    },
  ]),
];

/** Breaks how calls say that the server refuses the credentials. */
function refusedWith(answer: (error: MicroError) => Promise<void>): ReturnType<typeof brokers> {
  const orAnswer = (error: unknown) => {
    if (MicroError.is(error, 'unauthorized')) return answer(error);
    throw error;
  };
  return brokers((broker) => ({
    connect: (options) => broker.connect(options).catch(orAnswer),
    publish: (topic, message, options) => broker.publish(topic, message, options).catch(orAnswer),
  }));
}
