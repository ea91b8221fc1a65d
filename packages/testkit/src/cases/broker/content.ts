import assert from 'node:assert/strict';
import type { Broker, Message } from '@ts-micro/core';
import { assertError, assertMessage, message, rejection } from '../../assertions.ts';
import { type ContractCase, casesOf } from '../../contract-case.ts';
import { largestBodyBytes } from '../../needs.ts';
import { badHeaders, emptyMessage, largeMessage, manyHeaders, oddHeaders, prototypeHeaders } from '../odd-messages.ts';
import { failure } from '../outage.ts';
import { type BrokerContext, fence, listen, publishText, textOfEvent, textsOf, withoutFences } from './topic.ts';

export const content: readonly ContractCase<'broker'>[] = casesOf('broker', 'Broker', [
  {
    id: 'broker/empty-message',
    title: 'an empty body and no headers arrive as such',
    async run(context) {
      await assertArrives(context, emptyMessage());
      await assertArrives(context, message('', { only: 'headers' }));
      await assertArrives(context, message('only a body'));
    },
  },
  {
    id: 'broker/odd-headers',
    title: 'header values arrive unchanged when empty or unicode, and names keep their case',
    async run(context) {
      await assertArrives(context, oddHeaders());
    },
  },
  {
    id: 'broker/many-headers',
    title: 'a hundred headers arrive',
    async run(context) {
      await assertArrives(context, manyHeaders());
    },
  },
  {
    id: 'broker/prototype-headers',
    title: 'header names `__proto__` and `constructor` are plain headers',
    async run(context) {
      await assertArrives(context, prototypeHeaders());
    },
  },
  {
    id: 'broker/largest-body',
    title: 'a body of `maxBodyBytes` goes through',
    async run(context) {
      await context.open();
      await assertArrives(context, largeMessage(Math.min(context.supports.maxBodyBytes, largestBodyBytes)));
    },
  },
  {
    id: 'broker/too-large',
    title: 'a body too large is refused with `too_large` and the broker stays usable',
    needs: ['bodyLimit'],
    async run(context) {
      const broker = await context.open();
      const topic = context.unique('topic');
      const listening = await listen(context, broker, topic);
      const tooLarge = largeMessage(2 * context.supports.maxBodyBytes + 65_536);
      await rejection(context.within(broker.publish(topic, tooLarge), 'publish'), 'a body too large', 'too_large');
      await publishText(context, broker, topic, 'after');
      await fence(context, broker, topic, [listening]);
      assert.deepEqual(withoutFences(textsOf(listening)), ['after']);
    },
  },
  {
    id: 'broker/large-headers',
    title: 'headers of more than 64 KiB arrive or are refused with `too_large`, and the broker stays usable',
    async run(context) {
      const broker = await context.open();
      const topic = context.unique('topic');
      const listening = await listen(context, broker, topic);
      const many = Array.from({ length: 40 }, (_, index) => [`Large-${index}`, 'x'.repeat(2048)] as const);
      for (const headers of [{ long: 'x'.repeat(70_000) }, Object.fromEntries(many)]) {
        const sent = message('with large headers', headers);
        const outcome = await failure(context.within(broker.publish(topic, sent), 'publish'));
        if (outcome) assertError(outcome, 'headers too large', 'too_large');
        await fence(context, broker, topic, [listening]);
        const arrived = listening.events.items.filter((event) => textOfEvent(event) === 'with large headers');
        assert.equal(arrived.length, outcome ? 0 : 1, 'how often the message arrived');
        if (!outcome) assertMessage(arrived[0]?.message, sent, 'at a subscriber');
        listening.events.items.length = 0;
      }
    },
  },
  {
    id: 'broker/bad-headers',
    title: 'a header that breaks the rules is refused with `invalid`',
    async run(context) {
      const broker = await context.open();
      const topic = context.unique('topic');
      const listening = await listen(context, broker, topic);
      for (const [what, headers] of badHeaders) {
        const publishing = broker.publish(topic, message('bad', { ...headers }));
        await rejection(context.within(publishing, 'publish'), what, 'invalid');
      }
      await fence(context, broker, topic, [listening]);
      assert.deepEqual(withoutFences(textsOf(listening)), []);
    },
  },
  {
    id: 'broker/invalid-topic',
    title: 'a topic that cannot be one is refused with `invalid`',
    async run(context) {
      const broker = await context.open();
      for (const topic of ['', 'a b', 'a\tb', 'a\r\nb', 'a..b', '.a', 'a.']) {
        const what = JSON.stringify(topic);
        const publishing = context.within(broker.publish(topic, message('nowhere')), 'publish');
        await rejection(publishing, `publishing on ${what}`, 'invalid');
        const subscribing = context.within(
          broker.subscribe(topic, () => {}),
          'subscribe',
        );
        await rejection(subscribing, `subscribing to ${what}`, 'invalid');
      }
    },
  },
  {
    id: 'broker/invalid-subscription',
    title: 'a queue or `concurrency` that cannot be one is refused with `invalid`',
    needs: ['queues'],
    async run(context) {
      const broker = await context.open();
      const topic = context.unique('topic');
      for (const options of [
        { queue: '' },
        { queue: 'a b' },
        { queue: 'a\r\nb' },
        { concurrency: 0 },
        { concurrency: -1 },
        { concurrency: 1.5 },
        { concurrency: Number.NaN },
      ]) {
        const subscribing = context.within(
          broker.subscribe(topic, () => {}, options),
          'subscribe',
        );
        await rejection(subscribing, `subscribing with ${JSON.stringify(options)}`, 'invalid');
      }
    },
  },
  {
    id: 'broker/publish-on-wildcard',
    title: 'publishing on a wildcard is refused with `invalid`',
    async run(context) {
      const broker = await context.open();
      const topic = context.unique('topic');
      for (const pattern of ['*', '>', `${topic}.*`, `*.${topic}`, `${topic}.>`]) {
        const publishing = context.within(broker.publish(pattern, message('everywhere')), 'publish');
        await rejection(publishing, `publishing on ${pattern}`, 'invalid');
      }
    },
  },
]);

/** Publishes `sent` and compares what a subscriber of the same broker and one of another get. */
export async function assertArrives(context: BrokerContext, sent: Message): Promise<void> {
  const topic = context.unique('topic');
  const publisher: Broker = await context.open();
  const subscribers = [await listen(context, publisher, topic), await listen(context, await context.open(), topic)];
  await context.within(publisher.publish(topic, sent), 'publish');
  for (const { events } of subscribers) assertMessage((await events.take()).message, sent, 'at a subscriber');
}
