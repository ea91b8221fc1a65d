import { type Broker, MicroError } from '@ts-micro/core';
import { type Mutant, mutantsOf } from '../mutant.ts';
import { recoded } from '../recoded.ts';
import { assertFits, spoilt } from '../spoilt-message.ts';
import { brokers, publishes, subscriptions } from './seams.ts';

export const content: readonly Mutant<'broker'>[] = mutantsOf('broker', [
  {
    name: 'takes empty for a ping',
    breaks: 'A message with an empty body is not delivered.',
    caughtBy: ['empty-message'],
    make: () => publishes((message) => (message.body.length === 0 ? undefined : message)),
  },
  {
    name: 'adds a header',
    breaks: 'A message arrives with a header that nobody sent.',
    caughtBy: ['empty-message', 'every-subscriber'],
    make: () =>
      publishes(({ headers, body }) => ({ headers: { ...headers, 'Content-Length': String(body.length) }, body })),
  },
  {
    name: 'lower-cases names',
    breaks: 'Header names arrive in lower case.',
    caughtBy: ['odd-headers', 'every-subscriber'],
    make: () => publishes(spoilt.lowerCaseNames),
  },
  {
    name: 'drops empty values',
    breaks: 'A header with an empty value does not arrive.',
    caughtBy: ['odd-headers'],
    make: () => publishes(spoilt.withoutEmptyValues),
  },
  {
    name: 'speaks ASCII',
    breaks: 'Header values arrive with question marks for what is no ASCII.',
    caughtBy: ['odd-headers'],
    make: () => publishes(spoilt.asciiValues),
  },
  {
    name: 'assigns headers',
    breaks: 'Headers are copied into a plain object one by one, where `__proto__` is lost.',
    caughtBy: ['prototype-headers'],
    make: () => publishes(spoilt.assignedHeaders),
  },
  {
    name: 'counts headers as body',
    breaks: 'A body of `maxBodyBytes` is refused because of its headers.',
    caughtBy: ['largest-body'],
    make: () =>
      publishes((message, { supports }) => {
        assertFits(message, supports.maxBodyBytes);
        return message;
      }),
  },
  {
    name: 'has a smaller buffer',
    breaks: 'A body arrives without what is beyond 64 KiB.',
    caughtBy: ['largest-body'],
    make: () => publishes((message) => spoilt.cut(message, 65_536)),
  },
  {
    name: 'cuts off',
    breaks: 'A body too large arrives without what is beyond `maxBodyBytes`.',
    caughtBy: ['too-large'],
    make: () => publishes((message, { supports }) => spoilt.cut(message, supports.maxBodyBytes)),
  },
  {
    name: 'calls too large invalid',
    breaks: 'A body too large is refused with `invalid`.',
    caughtBy: ['too-large'],
    make: () => refusing('too_large', (error) => Promise.reject(recoded(error, 'invalid'))),
  },
  {
    name: 'hangs up on too large',
    breaks: 'A body too large disconnects the broker.',
    caughtBy: ['too-large'],
    make: () => refusing('too_large', (error, broker) => broker.disconnect().then(() => Promise.reject(error))),
  },
  {
    name: 'drops bad headers',
    breaks: 'A header that breaks the rules is left out, and the rest published.',
    caughtBy: ['bad-headers'],
    make: () => publishes(spoilt.withoutBadHeaders),
  },
  {
    name: 'trims values',
    breaks: 'A value with outer white space is trimmed and published.',
    caughtBy: ['bad-headers'],
    make: () => publishes(spoilt.trimmedValues),
  },
  {
    name: 'makes values text',
    breaks: 'A value that is no text is made one and published.',
    caughtBy: ['bad-headers'],
    make: () => publishes(spoilt.withTextValues),
  },
  {
    name: 'escapes names',
    breaks: 'A name that is no token is escaped and published.',
    caughtBy: ['bad-headers'],
    make: () => publishes(spoilt.escapedNames),
  },
  {
    name: 'publishes what it refuses',
    breaks: 'A header that breaks the rules is refused, and the rest published all the same.',
    caughtBy: ['bad-headers'],
    make: () =>
      brokers((broker) => ({
        publish: (topic, message, options) =>
          broker.publish(topic, message, options).catch(async (error: unknown) => {
            if (MicroError.is(error, 'invalid'))
              await broker.publish(topic, spoilt.withoutBadHeaders(message)).catch(() => {});
            throw error;
          }),
      })),
  },
  {
    name: 'publishes on anything',
    breaks: 'Publishing on a topic that cannot be one is not refused.',
    caughtBy: ['invalid-topic'],
    make: () =>
      brokers((broker) => ({
        publish: (topic, message, options) => broker.publish(escaped(topic), message, options),
      })),
  },
  {
    name: 'subscribes to anything',
    breaks: 'Subscribing to a topic that cannot be one is not refused.',
    caughtBy: ['invalid-topic'],
    make: () => subscriptions((broker, topic, handler, options) => broker.subscribe(escaped(topic), handler, options)),
  },
  {
    name: 'joins empty tokens',
    breaks: 'A topic with an empty token is taken for one without it.',
    caughtBy: ['invalid-topic'],
    make: () => {
      const joined = (topic: string) => topic.split('.').filter(Boolean).join('.');
      return brokers((broker) => ({
        publish: (topic, message, options) => broker.publish(joined(topic), message, options),
        subscribe: (topic, handler, options) => broker.subscribe(joined(topic), handler, options),
      }));
    },
  },
  {
    name: 'publishes on wildcards',
    breaks: 'Publishing on a wildcard is not refused.',
    caughtBy: ['publish-on-wildcard'],
    make: () =>
      brokers((broker) => ({
        publish: (topic, message, options) => broker.publish(topic.replaceAll(/[*>]/g, 'any'), message, options),
      })),
  },
  {
    name: 'takes any concurrency',
    breaks: 'A `concurrency` that cannot be one is taken for 1.',
    caughtBy: ['invalid-subscription'],
    make: () =>
      subscriptions((broker, topic, handler, options) => {
        const { concurrency = 1 } = options;
        return broker.subscribe(topic, handler, {
          ...options,
          concurrency: concurrency >= 1 ? Math.floor(concurrency) : 1,
        });
      }),
  },
  {
    name: 'takes any queue',
    breaks: 'A queue that cannot be one is escaped.',
    caughtBy: ['invalid-subscription'],
    make: () =>
      subscriptions((broker, topic, handler, options) => {
        const { queue } = options;
        return broker.subscribe(topic, handler, queue === undefined ? options : { ...options, queue: escaped(queue) });
      }),
  },
  {
    name: 'takes an empty queue for none',
    breaks: 'A queue with an empty name is taken for a plain subscription.',
    caughtBy: ['invalid-subscription'],
    make: () =>
      subscriptions((broker, topic, handler, options) =>
        broker.subscribe(topic, handler, { ...options, queue: options.queue || undefined }),
      ),
  },
]);

function escaped(name: string): string {
  return name.replaceAll(/\s/g, '_') || 'empty';
}

/** Breaks how `publish` refuses with one code. */
function refusing(
  code: MicroError['code'],
  refuse: (error: MicroError, broker: Broker) => Promise<never>,
): ReturnType<typeof brokers> {
  return brokers((broker) => ({
    publish: (topic, message, options) =>
      broker.publish(topic, message, options).catch((error: unknown) => {
        if (MicroError.is(error, code)) return refuse(error, broker);
        throw error;
      }),
  }));
}
