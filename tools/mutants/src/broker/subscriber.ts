import { MicroError } from '@ts-micro/core';
import { type Mutant, mutantsOf } from '../mutant.ts';
import { never } from '../never.ts';
import { recoded } from '../recoded.ts';
import { brokers, handling, subscribers, subscriptions } from './seams.ts';

export const subscriber: readonly Mutant<'broker'>[] = mutantsOf('broker', [
  {
    name: 'stops at a throw',
    breaks: 'A handler that throws gets no more messages.',
    caughtBy: ['handler-throws', 'report-throws'],
    make: () =>
      handling((handler) => {
        let hasThrown = false;
        return async (event) => {
          if (hasThrown) return;
          try {
            await handler(event);
          } catch (error) {
            hasThrown = true;
            throw error;
          }
        };
      }),
  },
  {
    name: 'reports no throw',
    breaks: '`onError` is not told of a handler that threw.',
    caughtBy: ['handler-throws'],
    make: () =>
      subscriptions((broker, topic, handler, options) =>
        broker.subscribe(topic, handler, { ...options, onError: undefined }),
      ),
  },
  {
    name: 'blames the peer',
    breaks: 'A handler that threw is reported as `remote`.',
    caughtBy: ['handler-throws'],
    make: () =>
      subscriptions((broker, topic, handler, options) =>
        broker.subscribe(topic, handler, {
          ...options,
          onError: (error, event) => options.onError?.(recoded(error, 'remote'), event),
        }),
      ),
  },
  {
    name: 'reports no event',
    breaks: '`onError` is not told which event it was.',
    caughtBy: ['handler-throws'],
    make: () =>
      subscriptions((broker, topic, handler, options) =>
        broker.subscribe(topic, handler, { ...options, onError: (error) => options.onError?.(error) }),
      ),
  },
  {
    name: 'reports everything',
    breaks: '`onError` is told of handlers that did not throw.',
    caughtBy: ['handler-throws'],
    make: () =>
      subscriptions((broker, topic, handler, options) =>
        broker.subscribe(
          topic,
          async (event) => {
            await handler(event);
            options.onError?.(new MicroError('internal', 'handled'), event);
          },
          options,
        ),
      ),
  },
  {
    name: 'delivers again after a throw',
    breaks: 'A message whose handler threw comes a second time.',
    caughtBy: ['handler-throws'],
    make: () => handling((handler) => (event) => handler(event).catch(() => handler(event))),
  },
  {
    name: 'stops at a report that throws',
    breaks: 'After an `onError` that threw, nothing is delivered.',
    caughtBy: ['report-throws'],
    make: () =>
      subscriptions((broker, topic, handler, options) => {
        let isBroken = false;
        return broker.subscribe(topic, (event) => (isBroken ? undefined : handler(event)), {
          ...options,
          onError(error, event) {
            try {
              options.onError?.(error, event);
            } catch {
              isBroken = true;
            }
          },
        });
      }),
  },
  {
    name: 'ignores concurrency',
    breaks: 'Handlers of one subscription run at once without limit.',
    caughtBy: ['concurrency'],
    make: () =>
      subscriptions((broker, topic, handler, options) =>
        broker.subscribe(topic, handler, { ...options, concurrency: 100 }),
      ),
  },
  {
    name: 'knows no concurrency',
    breaks: 'Handlers of one subscription run one after the other whatever was asked for.',
    caughtBy: ['concurrency'],
    make: () =>
      subscriptions((broker, topic, handler, options) =>
        broker.subscribe(topic, handler, { ...options, concurrency: 1 }),
      ),
  },
  {
    name: 'closes subscribers without waiting',
    breaks: 'Closing a subscriber resolves while its handler runs.',
    caughtBy: ['subscriber-close-waits'],
    make: () =>
      subscribers((sound) => ({
        async close(options) {
          void sound.close(options);
        },
      })),
  },
  {
    name: 'does not unsubscribe',
    breaks: 'A subscriber that was closed gets messages.',
    caughtBy: ['subscriber-closed'],
    make: () => subscribers(() => ({ close: async () => {} })),
  },
  {
    name: 'unsubscribes others',
    breaks: 'Closing a subscriber ends another one of the same topic.',
    caughtBy: ['subscriber-closed'],
    make: () => {
      const closed = new Set<string>();
      return subscriptions((broker, topic, handler, options) =>
        subscribers((sound) => ({
          close(closeOptions) {
            closed.add(topic);
            return sound.close(closeOptions);
          },
        }))(broker).subscribe(topic, (event) => (closed.has(topic) ? undefined : handler(event)), options),
      );
    },
  },
  {
    name: 'handles one at a time',
    breaks: 'A handler waits for those of all other subscriptions.',
    caughtBy: ['slow-subscriber'],
    make: () => {
      let before = Promise.resolve();
      return handling((handler) => (event) => {
        const after = before.then(() => handler(event));
        before = after.catch(() => {});
        return after;
      });
    },
  },
  {
    name: 'closes subscribers deaf',
    breaks: 'Closing a subscriber waits for handlers beyond the deadline it was given.',
    caughtBy: ['handler-never-settles'],
    make: () => subscribers((sound) => ({ close: () => sound.close() })),
  },
  {
    name: 'closes deaf',
    breaks: 'Closing a broker waits for handlers beyond the deadline it was given.',
    caughtBy: ['handler-never-settles'],
    make: () => brokers((broker) => ({ close: () => broker.close() })),
  },
  {
    name: 'disconnects deaf',
    breaks: 'Disconnecting waits for handlers beyond the deadline it was given.',
    caughtBy: ['handler-never-settles'],
    make: () => brokers((broker) => ({ disconnect: () => broker.disconnect() })),
  },
  {
    name: 'abandons in silence',
    breaks: '`closed` of a subscriber says nothing of the handlers that were abandoned.',
    caughtBy: ['handler-never-settles'],
    make: () =>
      subscribers((sound) => ({
        get closed() {
          return sound.closed.then(() => undefined);
        },
      })),
  },
  {
    name: 'closes in silence',
    breaks: '`closed` of a broker says nothing of the handlers that were abandoned.',
    caughtBy: ['handler-never-settles'],
    make: () =>
      brokers((broker) => ({
        get closed() {
          return broker.closed.then(() => undefined);
        },
      })),
  },
  {
    name: 'leaves subscribers open',
    breaks: 'Closing a broker leaves its subscribers subscribed.',
    caughtBy: ['close-closes-subscribers'],
    make: (world) =>
      brokers((broker) => {
        const other = world.broker();
        world.leak(() => other.close({ signal: AbortSignal.abort() }));
        let isClosed = false;
        return {
          subscribe: (...values) => (isClosed ? broker : other).subscribe(...values),
          close(options) {
            isClosed = true;
            return broker.close(options);
          },
        };
      }),
  },
  {
    name: 'forgets to end subscribers',
    breaks: 'Closing a broker unsubscribes its subscribers, whose `closed` does not resolve.',
    caughtBy: ['close-closes-subscribers', 'subscriber-closed-resolves'],
    make: () => subscribers(() => ({ closed: never() })),
  },
]);
