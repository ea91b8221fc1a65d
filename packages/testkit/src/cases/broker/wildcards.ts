import assert from 'node:assert/strict';
import { rejection } from '../../assertions.ts';
import { type ContractCase, casesOf } from '../../contract-case.ts';
import { type BrokerContext, heard, listen, publishText } from './topic.ts';

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
]);

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
