import { MicroError, type Subscriber } from '@ts-micro/core';
import { type Mutant, mutantsOf } from '../mutant.ts';
import { brokers } from './seams.ts';

export const lifecycle: readonly Mutant<'broker'>[] = mutantsOf('broker', [
  {
    name: 'disconnects without waiting',
    breaks: '`disconnect` resolves while handlers run.',
    caughtBy: ['disconnect-waits'],
    make: () =>
      brokers((broker) => ({
        async disconnect(options) {
          void broker.disconnect(options);
        },
      })),
  },
  {
    name: 'does not disconnect',
    breaks: 'Subscribers get messages after `disconnect`.',
    caughtBy: ['disconnect-waits', 'connect-again'],
    make: () => brokers(() => ({ disconnect: async () => {} })),
  },
  {
    name: 'connects to publish',
    breaks: 'Publishing connects a broker that was disconnected.',
    caughtBy: ['disconnected-refuses'],
    make: () =>
      brokers((broker) => ({
        async publish(topic, message, options) {
          await broker.connect(options);
          await broker.publish(topic, message, options);
        },
      })),
  },
  {
    name: 'connects to subscribe',
    breaks: 'Subscribing connects a broker that was disconnected.',
    caughtBy: ['disconnected-refuses'],
    make: () =>
      brokers((broker) => ({
        async subscribe(topic, handler, options) {
          await broker.connect(options);
          return broker.subscribe(topic, handler, options);
        },
      })),
  },
  {
    name: 'disconnects for ever',
    breaks: '`connect` after `disconnect` rejects with `closed`.',
    caughtBy: ['connect-again'],
    make: () =>
      brokers((broker) => {
        let isOver = false;
        return {
          async connect(options) {
            if (isOver) throw new MicroError('closed', 'the broker is disconnected');
            await broker.connect(options);
          },
          disconnect(options) {
            isOver = true;
            return broker.disconnect(options);
          },
        };
      }),
  },
  {
    name: 'connects once',
    breaks: '`connect` when connected rejects with `conflict`.',
    caughtBy: ['connect-again'],
    make: () =>
      brokers((broker) => {
        let isConnected = false;
        return {
          async connect(options) {
            if (isConnected) throw new MicroError('conflict', 'the broker is connected');
            await broker.connect(options);
            isConnected = true;
          },
          disconnect(options) {
            isConnected = false;
            return broker.disconnect(options);
          },
        };
      }),
  },
  {
    name: 'disconnects once',
    breaks: '`disconnect` when disconnected rejects with `unavailable`.',
    caughtBy: ['connect-again'],
    make: () =>
      brokers((broker) => {
        let isConnected = true;
        return {
          async connect(options) {
            await broker.connect(options);
            isConnected = true;
          },
          async disconnect(options) {
            if (!isConnected) throw new MicroError('unavailable', 'the broker is disconnected');
            isConnected = false;
            await broker.disconnect(options);
          },
        };
      }),
  },
  {
    name: 'connects without subscribing',
    breaks: 'A broker that connects again gets no messages.',
    caughtBy: ['connect-again'],
    make: () =>
      brokers((broker) => {
        let isAgain = false;
        return {
          disconnect(options) {
            isAgain = true;
            return broker.disconnect(options);
          },
          subscribe: (topic, handler, options) => broker.subscribe(topic, isAgain ? () => {} : handler, options),
        };
      }),
  },
  {
    name: 'brings back subscribers',
    breaks: 'A broker that connects again also has the subscribers of before.',
    caughtBy: ['connect-again'],
    make: () =>
      brokers((broker) => {
        const again: (() => Promise<Subscriber>)[] = [];
        let isAgain = false;
        return {
          async connect(options) {
            await broker.connect(options);
            if (isAgain) for (const subscribe of again) await subscribe();
            isAgain = false;
          },
          disconnect(options) {
            isAgain = true;
            return broker.disconnect(options);
          },
          subscribe(topic, handler, options) {
            again.push(() => broker.subscribe(topic, handler, options));
            return broker.subscribe(topic, handler, options);
          },
        };
      }),
  },
]);
