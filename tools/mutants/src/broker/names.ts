import { altered } from '../altered.ts';
import { type Mutant, mutantsOf } from '../mutant.ts';
import { brokers, subscriptions } from './seams.ts';

export const names: readonly Mutant<'broker'>[] = mutantsOf('broker', [
  {
    name: 'reads a question mark as a pattern',
    breaks: 'A token `?` of a topic matches any token.',
    caughtBy: ['special-signs'],
    make: () => matching((topic) => topic.replace(/\.\?$/, '.*')),
  },
  {
    name: 'reads a plus as a pattern',
    breaks: 'A token `+` of a topic matches any token.',
    caughtBy: ['special-signs'],
    make: () => matching((topic) => topic.replace(/\.\+$/, '.*')),
  },
  {
    name: 'reads a hash as a pattern',
    breaks: 'A last token `#` of a topic matches everything below.',
    caughtBy: ['special-signs'],
    make: () => matching((topic) => topic.replace(/\.#$/, '.>')),
  },
  {
    name: 'takes a slash for a dot',
    breaks: 'Topics that differ in a slash and a dot are one.',
    caughtBy: ['special-signs'],
    make: () => translating((topic) => topic.replace(/(?<=\w)\/(?=\w)/, '.')),
  },
  {
    name: 'takes out backslashes',
    breaks: 'A backslash in a topic is taken for an escape.',
    caughtBy: ['special-signs'],
    make: () => translating((topic) => topic.replace(/\\(?=\w)/, '')),
  },
  {
    name: 'decodes topics',
    breaks: 'Nothing comes on a topic with a percent sign.',
    caughtBy: ['special-signs'],
    make: () =>
      subscriptions((broker, topic, handler, options) =>
        broker.subscribe(topic, (event) => (event.topic.includes('%') ? undefined : handler(event)), options),
      ),
  },
  {
    name: 'names its events in its own signs',
    breaks: 'An event on a topic with a colon names another topic.',
    caughtBy: ['special-signs'],
    make: () =>
      subscriptions((broker, topic, handler, options) =>
        broker.subscribe(topic, (event) => handler({ ...event, topic: event.topic.replaceAll(':', '.') }), options),
      ),
  },
  {
    name: 'cuts queues at a slash',
    breaks: 'Queues whose names differ behind a slash or a plus are one.',
    caughtBy: ['special-queues'],
    make: () => renaming((queue) => queue.split(/[/+]/)[0] ?? queue),
  },
  {
    name: 'cleans the names of queues',
    breaks: 'Queues whose names differ in a sign are one.',
    caughtBy: ['special-queues'],
    make: () => renaming((queue) => queue.replace(/\W/g, '_')),
  },
]);

/** Subscribes to more than it was asked for. */
function matching(pattern: (topic: string) => string): ReturnType<typeof subscriptions> {
  return subscriptions((broker, topic, handler, options) => broker.subscribe(pattern(topic), handler, options));
}

/** Writes topics otherwise, on both sides. */
function translating(change: (topic: string) => string): ReturnType<typeof brokers> {
  return brokers((broker) => ({
    publish: (topic, message, options) => broker.publish(change(topic), message, options),
    subscribe: (topic, handler, options) => broker.subscribe(change(topic), handler, options),
  }));
}

function renaming(change: (queue: string) => string): ReturnType<typeof subscriptions> {
  return subscriptions(async (broker, topic, handler, options) => {
    const queue = options.queue && change(options.queue);
    return altered(await broker.subscribe(topic, handler, { ...options, queue }), { queue: options.queue });
  });
}
