import assert from 'node:assert/strict';
import type { BrokerEvent } from '@ts-micro/core';
import { assertMessage, message, numbers, rejection } from '../../assertions.ts';
import { type ContractCase, casesOf } from '../../contract-case.ts';
import { heard, listen, publishText, publishTexts, textOfEvent, textsOf } from '../broker/topic.ts';
import { gate } from '../gate.ts';
import { failure, outage } from '../outage.ts';

const member = { queue: 'workers', durable: true };

export const durableQueues: readonly ContractCase<'broker'>[] = casesOf('broker', 'Broker', [
  {
    id: 'broker/durable-waits',
    title: 'what is published while a durable queue has no member arrives',
    needs: ['durableQueues'],
    async run(context) {
      const publisher = await context.open();
      const topic = context.unique('topic');
      const first = await listen(context, await context.open(), topic, member);
      await publishText(context, publisher, topic, 'before');
      await heard(first, 'before');
      await context.within(first.subscriber.close(), 'the last member leaving');
      await publishTexts(context, publisher, topic, numbers(20));
      await context.within(publisher.publish(topic, message('last', { kept: 'yes' })), 'publish');
      const second = await listen(context, await context.open(), topic, member);
      await heard(second, 'last');
      assert.deepEqual(textsOf(second), [...numbers(20), 'last'], 'what waited, in order');
      assertMessage(second.events.items.at(-1)?.message, message('last', { kept: 'yes' }), 'what waited');
      assert.deepEqual(textsOf(first), ['before'], 'the member that left');
    },
  },
  {
    id: 'broker/durable-same-id',
    title: 'publishing again with the same `id` stores one message',
    needs: ['durableQueues'],
    async run(context) {
      const broker = await context.open();
      const elsewhere = await context.open();
      const topic = context.unique('topic');
      const listening = await listen(context, broker, topic, member);
      const ids = [context.unique('id'), context.unique('id')];
      for (const id of ids) {
        for (const publisher of [broker, elsewhere, broker])
          await context.within(publisher.publish(topic, message(id), { id }), 'publish');
      }
      await publishText(context, broker, topic, 'last');
      await heard(listening, 'last');
      assert.deepEqual(textsOf(listening), [...ids, 'last']);
    },
  },
  {
    id: 'broker/durable-needs-queue',
    title: 'a durable subscription without a queue is refused with `invalid`',
    needs: ['durableQueues'],
    async run(context) {
      const broker = await context.open();
      const subscribing = broker.subscribe(context.unique('topic'), () => {}, { durable: true });
      await rejection(context.within(subscribing, 'subscribe'), 'durable without a queue', 'invalid');
    },
  },
  {
    id: 'broker/durable-handed-back',
    title: 'what a member of a durable queue has not handled when it closes goes to another',
    needs: ['durableQueues'],
    async run(context) {
      const publisher = await context.open();
      const topic = context.unique('topic');
      const held = gate();
      const started = context.inbox<BrokerEvent>('events of the member that leaves');
      const handler = async (event: BrokerEvent): Promise<void> => {
        started.put(event);
        await Promise.race([held.opened, context.ended]);
      };
      const leaving = await context.within((await context.open()).subscribe(topic, handler, member), 'subscribe');
      const texts = numbers(10);
      await publishTexts(context, publisher, topic, texts);
      await started.take();
      const closing = context.within(leaving.close(), 'close');
      const other = await listen(context, await context.open(), topic, member);
      await other.events.atLeast(texts.length - 1);
      held.open();
      await closing;
      await publishText(context, publisher, topic, 'last');
      await heard(other, 'last');
      const handled = [...started.items.map(textOfEvent), ...textsOf(other).filter((text) => text !== 'last')];
      assert.deepEqual(handled.sort(), [...texts].sort(), 'each message, handled once');
    },
  },
  {
    id: 'broker/durable-abandoned',
    title: 'what a member of a durable queue abandons at a close goes to another',
    needs: ['durableQueues'],
    async run(context) {
      const publisher = await context.open();
      const topic = context.unique('topic');
      const started = context.inbox<BrokerEvent>('handlers that never settle');
      const handler = (event: BrokerEvent): Promise<void> => {
        started.put(event);
        return new Promise(() => {});
      };
      const leaving = await context.within((await context.open()).subscribe(topic, handler, member), 'subscribe');
      await publishText(context, publisher, topic, 'work');
      await started.take();
      const other = await listen(context, await context.open(), topic, member);
      await publishText(context, publisher, topic, 'more');
      await heard(other, 'more');
      assert.deepEqual(textsOf(other), ['more'], 'what is in the hands of a member is not given to another');
      await context.within(leaving.close({ signal: context.expiring(100) }), 'close past its deadline');
      await heard(other, 'work');
    },
  },
  {
    id: 'broker/durable-outage',
    title: 'what was stored for a durable queue arrives after an outage',
    needs: ['durableQueues', 'faults'],
    async run(context) {
      const publisher = await context.open();
      const topic = context.unique('topic');
      const first = await listen(context, await context.open(), topic, member);
      await context.within(first.subscriber.close(), 'the last member leaving');
      const texts = numbers(20);
      await publishTexts(context, publisher, topic, texts);
      await outage(context);
      await context.until('a member joins again', async () => {
        const joining = listen(context, publisher, topic, member);
        const error = await failure(joining);
        if (error !== undefined) return false;
        const { events } = await joining;
        await events.atLeast(texts.length);
        assert.deepEqual(events.items.map(textOfEvent), texts);
        return true;
      });
    },
  },
]);
