import { type BrokerEvent, type Message, MicroError } from '@ts-micro/core';
import { throwIfAborted } from '@ts-micro/kit';
import { copyMessage } from '../copy-message.ts';
import { type Mutant, mutantsOf } from '../mutant.ts';
import { SameObject, spoilt } from '../spoilt-message.ts';
import { brokers, handling, publishes, subscriptions } from './seams.ts';

export const delivery: readonly Mutant<'broker'>[] = mutantsOf('broker', [
  {
    name: 'delivers once',
    breaks: 'One subscriber of a topic gets each message, as if all were one queue.',
    caughtBy: ['every-subscriber'],
    make: () =>
      subscriptions((broker, topic, handler, options) =>
        broker.subscribe(topic, handler, { ...options, queue: options.queue ?? 'all' }),
      ),
  },
  {
    name: 'reads bodies as text',
    breaks: 'A body goes through UTF-8.',
    caughtBy: ['every-subscriber'],
    make: () => publishes(spoilt.asText),
  },
  {
    name: 'publishes the whole buffer',
    breaks: 'A body that is a part of a larger buffer arrives as all of that.',
    caughtBy: ['every-subscriber'],
    make: () => publishes(spoilt.wholeBuffer),
  },
  {
    name: "works in the publisher's bytes",
    breaks: 'A body is encoded where it lies, in the hands of its publisher.',
    caughtBy: ['every-subscriber'],
    make: () => {
      const decoding = handling(
        (handler) =>
          ({ topic, message }) =>
            handler({ topic, message: spoilt.inPlace(message) }),
      );
      return (sound) => publishes(spoilt.inPlace)(decoding(sound));
    },
  },
  {
    name: 'starts too late',
    breaks: 'The first message after `subscribe` has resolved is lost.',
    caughtBy: ['subscribe-is-ready'],
    make: () =>
      handling((handler) => {
        let isReady = false;
        return async (event) => {
          if (isReady) await handler(event);
          isReady = true;
        };
      }),
  },
  {
    name: 'loses messages',
    breaks: 'One message in fifty never arrives.',
    caughtBy: ['burst-in-order', 'queue-one-member', 'two-queues'],
    make: () => {
      let count = 0;
      return publishes((message) => (++count % 50 === 0 ? undefined : message));
    },
  },
  {
    name: 'delivers twice',
    breaks: 'One message in fifty arrives twice.',
    caughtBy: ['burst-in-order', 'queue-one-member', 'two-queues'],
    make: () => {
      let count = 0;
      return brokers((broker) => ({
        async publish(topic, message, options) {
          await broker.publish(topic, message, options);
          if (++count % 50 === 0) await broker.publish(topic, message, options);
        },
      }));
    },
  },
  {
    name: 'reorders',
    breaks: 'One message in seven arrives after the next.',
    caughtBy: ['burst-in-order'],
    make: () =>
      handling((handler) => {
        let count = 0;
        let held: BrokerEvent | undefined;
        return async (event) => {
          if (++count % 7 === 0) {
            held = event;
            return;
          }
          const late = held;
          held = undefined;
          await handler(event);
          if (late) await handler(late);
        };
      }),
  },
  {
    name: 'overflows',
    breaks: 'What comes within one turn of the event loop beyond a hundred messages is lost.',
    caughtBy: ['burst-in-order'],
    make: () =>
      handling((handler) => {
        let count = 0;
        return async (event) => {
          if (++count === 1) setImmediate(() => (count = 0));
          if (count <= 100) await handler(event);
        };
      }),
  },
  {
    name: 'delivers what lies below',
    breaks: 'A subscriber of `a` gets what is published on `a.b`.',
    caughtBy: ['other-topics'],
    make: () =>
      subscriptions(async (broker, topic, handler, options) => {
        if (!topic.includes('>')) await broker.subscribe(`${topic}.>`, handler, options);
        return broker.subscribe(topic, handler, options);
      }),
  },
  {
    name: 'compares the beginning',
    breaks: 'A subscriber of `ab` gets what is published on `a`.',
    caughtBy: ['other-topics'],
    make: () =>
      subscriptions(async (broker, topic, handler, options) => {
        const shorter = topic.slice(0, -1);
        if (/[^.*>]$/.test(shorter)) await broker.subscribe(shorter, handler, options);
        return broker.subscribe(topic, handler, options);
      }),
  },
  {
    name: 'ignores case',
    breaks: 'Topics that differ by case only are one.',
    caughtBy: ['other-topics'],
    make: () =>
      brokers((broker) => ({
        publish: (topic, message, options) => broker.publish(topic.toLowerCase(), message, options),
        subscribe: (topic, handler, options) => broker.subscribe(topic.toLowerCase(), handler, options),
      })),
  },
  {
    name: 'wants to be heard',
    breaks: 'Publishing where nobody subscribes rejects with `unavailable`.',
    caughtBy: ['nobody-subscribes'],
    make: () => {
      const heard = new Set<string>();
      return brokers((broker) => ({
        async publish(topic, message, options) {
          if (!heard.has(topic)) throw new MicroError('unavailable', `nobody subscribes to ${topic}`);
          await broker.publish(topic, message, options);
        },
        subscribe(topic, handler, options) {
          heard.add(topic);
          return broker.subscribe(topic, handler, options);
        },
      }));
    },
  },
  {
    name: 'keeps what nobody heard',
    breaks: 'A topic on which nobody subscribed stays without subscribers.',
    caughtBy: ['nobody-subscribes'],
    make: () => {
      const heard = new Set<string>();
      const deserted = new Set<string>();
      return brokers((broker) => ({
        async publish(topic, message, options) {
          if (!heard.has(topic)) deserted.add(topic);
          if (!deserted.has(topic)) await broker.publish(topic, message, options);
        },
        subscribe(topic, handler, options) {
          heard.add(topic);
          return broker.subscribe(topic, handler, options);
        },
      }));
    },
  },
  {
    name: 'publishes what was aborted',
    breaks: 'A signal aborted before `publish` rejects it, and the message is published.',
    caughtBy: ['aborted-publish'],
    make: () =>
      brokers((broker) => ({
        async publish(topic, message, options) {
          await broker.publish(topic, message);
          throwIfAborted(options?.signal, 'a publish');
        },
      })),
  },
  {
    name: 'publishes later',
    breaks: '`publish` keeps the message, and reads it when the event loop has turned.',
    caughtBy: ['publisher-changes-later'],
    make: () =>
      brokers((broker) => ({
        async publish(topic, message, options) {
          setImmediate(() => void broker.publish(topic, message, options).catch(() => {}));
        },
      })),
  },
  {
    name: 'shares a message',
    breaks: 'All subscribers get one and the same object.',
    caughtBy: ['subscribers-apart'],
    make: () => shared(copyMessage),
  },
  {
    name: 'hands over the very message',
    breaks: "Subscribers get the publisher's own object.",
    caughtBy: ['subscribers-apart', 'publisher-changes-later'],
    make: () => shared((message) => message),
  },
]);

/** Gives all subscribers what `keep` made of a published message. */
function shared(keep: (message: Message) => Message): ReturnType<typeof publishes> {
  const same = new SameObject();
  const giving = publishes((message) => same.give(keep(message)));
  const taking = handling(
    (handler) =>
      ({ topic, message }) =>
        handler({ topic, message: same.take(message) }),
  );
  return (sound) => giving(taking(sound));
}
