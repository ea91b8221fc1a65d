import type { BrokerHandler } from '@ts-micro/core';
import { altered } from '../altered.ts';
import { type Mutant, mutantsOf } from '../mutant.ts';
import { subscriptions } from './seams.ts';

export const wildcards: readonly Mutant<'broker'>[] = mutantsOf('broker', [
  {
    name: 'names the pattern',
    breaks: 'An event bears the pattern that was subscribed instead of its topic.',
    caughtBy: ['wildcard-token', 'wildcard-rest'],
    make: () =>
      subscriptions((broker, topic, handler, options) =>
        broker.subscribe(topic, ({ message }) => handler({ topic, message }), options),
      ),
  },
  {
    name: 'matches many with a star',
    breaks: 'A `*` matches any number of tokens.',
    caughtBy: ['wildcard-token'],
    make: () => filtering((pattern) => new RegExp(`^${escaped(pattern).replaceAll('\\*', '.+').replace('>', '.+')}$`)),
  },
  {
    name: 'matches the beginning',
    breaks: 'A pattern with a `*` matches topics that go on after it.',
    caughtBy: ['wildcard-token'],
    make: () =>
      filtering((pattern) => new RegExp(`^${escaped(pattern).replaceAll('\\*', '[^.]+').replace('>', '.+')}`)),
  },
  {
    name: 'delivers to one pattern',
    breaks: 'Of two subscriptions of one broker that match a topic the first alone gets the message.',
    caughtBy: ['wildcard-token'],
    make: () => (sound) => {
      const patterns = new Map<string, string>();
      return subscriptions((broker, topic, handler, options) =>
        broker.subscribe(
          topic,
          (event) => {
            if (!patterns.has(event.topic)) patterns.set(event.topic, topic);
            return patterns.get(event.topic) === topic ? handler(event) : undefined;
          },
          options,
        ),
      )(sound);
    },
  },
  {
    name: 'matches nothing with a rest',
    breaks: 'A `>` matches no token as well.',
    caughtBy: ['wildcard-rest'],
    make: () =>
      subscriptions(async (broker, topic, handler, options) => {
        if (topic.endsWith('.>')) await broker.subscribe(topic.slice(0, -2), handler, options);
        return broker.subscribe(topic, handler, options);
      }),
  },
  {
    name: 'matches one with a rest',
    breaks: 'A `>` matches exactly one token.',
    caughtBy: ['wildcard-rest'],
    make: () =>
      subscriptions(async (broker, topic, handler, options) =>
        altered(await broker.subscribe(topic.replace(/\.>$/, '.*'), handler, options), { topic }),
      ),
  },
  {
    name: 'matches a rest anywhere',
    breaks: 'A `>` that is not last is not refused.',
    caughtBy: ['wildcard-rest'],
    make: () =>
      subscriptions((broker, topic, handler, options) =>
        broker.subscribe(topic.replace(/>(?=.)/, '*'), handler, options),
      ),
  },
]);

/** Matches topics by regular expression. */
function filtering(expression: (pattern: string) => RegExp): ReturnType<typeof subscriptions> {
  return subscriptions(async (broker, topic, handler, options) => {
    if (!/[*>]/.test(topic)) return broker.subscribe(topic, handler, options);
    const matching = expression(topic);
    const filter: BrokerHandler = (event) => (matching.test(event.topic) ? handler(event) : undefined);
    return altered(await broker.subscribe('>', filter, options), { topic });
  });
}

function escaped(pattern: string): string {
  return pattern.replaceAll(/[.*]/g, '\\$&');
}
