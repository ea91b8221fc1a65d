import assert from 'node:assert/strict';
import type { Broker } from '@ts-micro/core';
import { assertError, numbers, rejection } from '../../assertions.ts';
import { type ContractCase, casesOf } from '../../contract-case.ts';
import { failure } from '../outage.ts';
import { assertShared, twoBrokers } from './queues.ts';
import {
  type BrokerContext,
  fence,
  heard,
  type Listening,
  listen,
  publishText,
  publishTexts,
  textsOf,
  withoutFences,
} from './topic.ts';

export const wildcards: readonly ContractCase<'broker'>[] = casesOf('broker', 'Broker', [
  {
    id: 'broker/wildcard-token',
    title: 'a `*` matches one token and the event names the actual topic',
    needs: ['wildcards'],
    async run(context) {
      const a = context.unique('a');
      await assertMatches(context, {
        pattern: `${a}.*.created`,
        matching: [`${a}.orders.created`, `${a}.users.created`],
        others: [a, `${a}.created`, `${a}.orders.deleted`, `${a}.eu.orders.created`, `${a}.orders.created.late`],
        last: `${a}.last.created`,
      });
      const b = context.unique('b');
      await assertMatches(context, {
        pattern: `*.${b}`,
        matching: [`x.${b}`, `y.${b}`],
        others: [b, `x.y.${b}`, `x.${b}.z`],
        last: `last.${b}`,
      });
      const c = context.unique('c');
      await assertMatches(context, {
        pattern: `${c}.*`,
        matching: [`${c}.orders`, `${c}.users`],
        others: [c, `${c}.orders.created`, `x.${c}.orders`],
        last: `${c}.last`,
      });
    },
  },
  {
    id: 'broker/wildcard-rest',
    title: 'a `>` matches one or more last tokens',
    needs: ['wildcards'],
    async run(context) {
      const a = context.unique('a');
      await assertMatches(context, {
        pattern: `${a}.>`,
        matching: [`${a}.orders`, `${a}.orders.created`, `${a}.eu.orders.created`],
        others: [a, `${a}x.orders`, `x.${a}.orders`],
        last: `${a}.last`,
      });
      const broker = await context.open();
      const subscribing = context.within(
        broker.subscribe(`${a}.>.created`, () => {}),
        'subscribe',
      );
      await rejection(subscribing, 'a > that is not last', 'invalid');
    },
  },
  {
    id: 'broker/special-signs',
    title: 'signs that mean something elsewhere mean nothing in a topic',
    async run(context) {
      const [publisher, elsewhere] = [await context.open(), await context.open()];
      const base = context.unique('topic');
      const decoys = ['x', 'axb', 'a.b', 'ab', 'a', 'b', ''].map((ending) =>
        ending === '' ? base : `${base}.${ending}`,
      );
      const special = [...signs].flatMap((sign) => [`${base}.${sign}`, `${base}.a${sign}b`, `${base}${sign}.a`]);
      // Kafka takes no topic that differs from another one only in these two signs.
      const apart = special.filter((topic) => !decoys.includes(topic.replaceAll('_', '.')));
      const topics = [...decoys, ...(await whatIsTaken(context, publisher, apart))];
      const listening = await Promise.all(topics.map((topic) => listen(context, elsewhere, topic)));
      for (const topic of topics) await publishText(context, publisher, topic, topic);
      for (const [index, { events }] of listening.entries()) await heard({ events }, topics[index] ?? '');
      // What a pattern let through comes with this at the latest.
      for (const topic of topics) await publishText(context, publisher, topic, `again ${topic}`);
      for (const [index, each] of listening.entries()) {
        const topic = topics[index] ?? '';
        await heard(each, `again ${topic}`);
        assert.deepEqual(textsOf(each), [topic, `again ${topic}`], `what came on ${topic}`);
        assert.deepEqual(
          [...new Set(each.events.items.map((event) => event.topic))],
          [topic],
          'the topic of its events',
        );
      }
      await assertFirstTokens(context);
    },
  },
  {
    id: 'broker/special-queues',
    title: 'signs that mean something elsewhere mean nothing in the name of a queue',
    needs: ['queues'],
    async run(context) {
      const { topic, brokers, witnesses } = await twoBrokers(context);
      const names = ['a/b', 'a+b', 'a#b', 'a$b', 'a:b', 'a%b', 'a?b', 'a,b', 'a_b'];
      const queues = new Map<string, Listening[]>();
      for (const queue of names)
        queues.set(queue, await Promise.all(brokers.map((broker) => listen(context, broker, topic, { queue }))));
      const texts = numbers(20);
      await publishTexts(context, brokers[0], topic, texts);
      for (const members of queues.values()) await assertShared(context, brokers[1], topic, witnesses, members, texts);
    },
  },
]);

/**
 * Topics that begin with a sign that other systems keep for themselves, such as `$SYS`, are topics like others, or are
 * refused with `invalid`.
 */
async function assertFirstTokens(context: BrokerContext): Promise<void> {
  const [publisher, elsewhere] = [await context.open(), await context.open()];
  const base = context.unique('first');
  const pattern = context.supports.wildcards ? await listen(context, elsewhere, `*.${base}`) : undefined;
  const topics = [...signs].map((sign) => `${sign}a.${base}`);
  const taken = await whatIsTaken(context, publisher, topics);
  for (const topic of taken) {
    const listening = await listen(context, elsewhere, topic);
    await fence(context, publisher, topic, [listening]);
  }
  if (!pattern) return;
  await heard(pattern, taken.at(-1) ?? '');
  assert.deepEqual(withoutFences(textsOf(pattern)), taken, `what came on *.${base}`);
}

/** Publishes on each topic, and returns those that the backend takes; it refuses others with `invalid`. */
async function whatIsTaken(context: BrokerContext, publisher: Broker, topics: readonly string[]): Promise<string[]> {
  const taken: string[] = [];
  for (const topic of topics) {
    const refusal = await failure(publishText(context, publisher, topic, topic));
    if (refusal) assertError(refusal, `publishing on ${topic}`, 'invalid');
    else taken.push(topic);
  }
  return taken;
}

/** What other systems read as wildcards, separators, escapes or system topics. */
const signs = '#+/$%&?\\|{}[]()~^=@!\'",;:<-_`';

interface Matching {
  readonly pattern: string;
  readonly matching: readonly string[];
  readonly others: readonly string[];
  /** Matches too, and is published when everything else has been. */
  readonly last: string;
}

async function assertMatches(context: BrokerContext, { pattern, matching, others, last }: Matching): Promise<void> {
  const publisher = await context.open();
  const broker = await context.open();
  const { events, subscriber } = await listen(context, broker, pattern);
  assert.equal(subscriber.topic, pattern);
  const exact = await listen(context, broker, last);
  const topics = [...others, ...matching, ...others];
  for (const topic of [...topics, last]) await publishText(context, publisher, topic, topic);
  await events.when((items) => items.some(({ topic }) => topic === last), last);
  assert.deepEqual(
    events.items.map(({ topic }) => topic),
    [...matching, last],
    `what ${pattern} matches`,
  );
  await heard(exact, last);
}
