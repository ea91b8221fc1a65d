import assert from 'node:assert/strict';
import type { Broker } from '@ts-micro/core';
import { assertMessage, assertSequence, message, numbers, rejection } from '../../assertions.ts';
import { type ContractCase, casesOf } from '../../contract-case.ts';
import { rawMessage } from '../odd-messages.ts';
import { fence, heard, listen, publishText, textOfEvent, textsOf, withoutFences } from './topic.ts';

/** Where a round takes long, fewer do. */
const enoughMs = 3000;

export const delivery: readonly ContractCase<'broker'>[] = casesOf('broker', 'Broker', [
  {
    id: 'broker/every-subscriber',
    title: 'every subscriber of a topic gets every message, with headers and bytes unchanged',
    async run(context) {
      const topic = context.unique('topic');
      const publisher = await context.open();
      const elsewhere = await context.open();
      const subscribers = [
        await listen(context, publisher, topic),
        await listen(context, elsewhere, topic),
        await listen(context, elsewhere, topic),
      ];
      const sent = rawMessage();
      for (let count = 0; count < 3; count++) await context.within(publisher.publish(topic, sent), 'publish');
      await fence(context, publisher, topic, subscribers);
      for (const [index, { events }] of subscribers.entries()) {
        assert.equal(events.items.length, 4, `subscriber ${index} has 3 messages and the fence`);
        for (const event of events.items.slice(0, 3)) {
          assert.equal(event.topic, topic);
          assertMessage(event.message, rawMessage(), `subscriber ${index}`);
        }
      }
      assertMessage(sent, rawMessage(), 'the message in the hands of its publisher');
    },
  },
  {
    id: 'broker/subscribe-is-ready',
    title: 'a message published as soon as `subscribe` has resolved arrives',
    async run(context) {
      const publisher = await context.open();
      const elsewhere = await context.open();
      const twoAtOnce = async (broker: Broker): Promise<void> => {
        const both = context.unique('topic');
        // What is published when one of them is ready reaches that one.
        const reached = ['first', 'second'].map(async (which) => {
          const listening = await listen(context, broker, both);
          await publishText(context, publisher, both, which);
          await heard(listening, which);
        });
        await Promise.all(reached);
      };
      await publishText(context, publisher, context.unique('topic'), 'connected');
      // Its first two calls: a client that connects now is not ready for the second one either.
      await twoAtOnce(await context.open());
      const enoughAt = performance.now() + enoughMs;
      for (let round = 0; round < 20 && (round < 8 || performance.now() < enoughAt); round++) {
        const topic = context.unique('topic');
        const { events } = await listen(context, elsewhere, topic);
        await publishText(context, publisher, topic, `round ${round}`);
        assert.equal(textOfEvent(await events.take()), `round ${round}`);
        await twoAtOnce(elsewhere);
      }
    },
  },
  {
    id: 'broker/burst-in-order',
    title: "one publisher's thousand messages in a burst arrive in order",
    async run(context) {
      const topic = context.unique('topic');
      const publisher = await context.open();
      const subscribers = [await listen(context, publisher, topic), await listen(context, await context.open(), topic)];
      const texts = numbers(1000);
      // Some with a signal, as callers have deadlines: none overtakes another.
      const { signal } = new AbortController();
      const publish = (text: string, index: number) =>
        publisher.publish(topic, message(text), index % 3 === 1 ? { signal } : {});
      await context.within(Promise.all(texts.map(publish)), 'publishing 1000 messages');
      await fence(context, publisher, topic, subscribers);
      for (const [index, listening] of subscribers.entries())
        assertSequence(withoutFences(textsOf(listening)), texts, `subscriber ${index}`);
    },
  },
  {
    id: 'broker/other-topics',
    title: 'other topics are not delivered',
    async run(context) {
      const broker = await context.open();
      const topic = context.unique('topic');
      const listening = await listen(context, await context.open(), topic);
      const others = [`${topic}.more`, `${topic}x`, topic.slice(0, -1), topic.toUpperCase(), `more.${topic}`];
      for (const other of others) await publishText(context, broker, other, other);
      await fence(context, broker, topic, [listening]);
      assert.deepEqual(withoutFences(textsOf(listening)), []);
    },
  },
  {
    id: 'broker/nobody-subscribes',
    title: 'publishing where nobody subscribes succeeds',
    async run(context) {
      const broker = await context.open();
      const topic = context.unique('topic');
      for (let round = 0; round < 10; round++) await publishText(context, broker, topic, 'unheard');
      const listening = await listen(context, broker, topic);
      await publishText(context, broker, topic, 'heard');
      await heard(listening, 'heard');
    },
  },
  {
    id: 'broker/aborted-publish',
    title: 'a signal aborted before `publish` sends nothing',
    async run(context) {
      const broker = await context.open();
      const topic = context.unique('topic');
      const listening = await listen(context, broker, topic);
      const publishing = broker.publish(topic, message('aborted'), { signal: AbortSignal.abort() });
      await rejection(context.within(publishing, 'publish'), 'a publish aborted before', 'canceled');
      await fence(context, broker, topic, [listening]);
      assert.deepEqual(withoutFences(textsOf(listening)), []);
    },
  },
  {
    id: 'broker/publisher-changes-later',
    title: 'what the publisher changes after `publish` does not change what arrives',
    async run(context) {
      const broker = await context.open();
      const topic = context.unique('topic');
      const listening = [await listen(context, broker, topic), await listen(context, await context.open(), topic)];
      const headers: Record<string, string> = { state: 'as published' };
      const body = new TextEncoder().encode('as published');
      await context.within(broker.publish(topic, { headers, body }), 'publish');
      body.fill(0x58);
      headers.state = 'changed';
      headers.added = 'later';
      for (const { events } of listening) {
        const event = await events.take();
        assertMessage(event.message, message('as published', { state: 'as published' }), 'at a subscriber');
      }
    },
  },
  {
    id: 'broker/subscribers-apart',
    title: 'subscribers cannot change what other subscribers get',
    async run(context) {
      const broker = await context.open();
      const topic = context.unique('topic');
      const seen = context.inbox<ReturnType<typeof message>>('copies that subscribers took');
      for (let count = 0; count < 3; count++) {
        const subscribing = broker.subscribe(topic, ({ message: got }) => {
          seen.put({ headers: { ...got.headers }, body: got.body.slice() });
          got.body.fill(0x58);
          Reflect.set(got.headers, 'state', 'changed');
        });
        await context.within(subscribing, 'subscribe');
      }
      const headers = { state: 'as published' };
      const body = new TextEncoder().encode('as published');
      await context.within(broker.publish(topic, { headers, body }), 'publish');
      const expected = message('as published', { state: 'as published' });
      for (const copy of await seen.atLeast(3)) assertMessage(copy, expected, 'at a subscriber');
      assertMessage({ headers, body }, expected, 'in the hands of the publisher');
    },
  },
]);
