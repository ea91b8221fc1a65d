import assert from 'node:assert/strict';
import type { BrokerEvent, SubscribeOptions } from '@ts-micro/core';
import { assertMessage, message, numbers, rejection } from '../../assertions.ts';
import { type ContractCase, casesOf } from '../../contract-case.ts';
import { type BrokerContext, listen, publishText, publishTexts, textOfEvent } from '../broker/topic.ts';

const pauseMs = 50;

export const redelivery: readonly ContractCase<'broker'>[] = casesOf('broker', 'Broker', [
  {
    id: 'broker/redelivery-again',
    title: 'a message whose handler throws comes again, and its event tells the number of the delivery',
    needs: ['redelivery'],
    async run(context) {
      const failing = await failingMember(context, { maxDeliveries: 4, pauseMs: 0 }, 2);
      await publishText(context, await context.open(), failing.topic, 'work');
      await failing.events.atLeast(3);
      await publishText(context, await context.open(), failing.topic, 'more');
      await failing.events.atLeast(6);
      const seen = failing.events.items.map((event) => `${textOfEvent(event)} ${event.delivery}`);
      const expected = ['work 1', 'work 2', 'work 3', 'more 1', 'more 2', 'more 3'];
      assert.deepEqual(seen, expected, 'each until its handler returns, and not again');
      assert.equal(failing.reports.length, 4, 'how many failures were reported');
    },
  },
  {
    id: 'broker/redelivery-pauses',
    title: 'the pauses before a message comes again grow',
    needs: ['redelivery'],
    async run(context) {
      const failing = await failingMember(context, { maxDeliveries: 4, pauseMs, maxPauseMs: 10 * pauseMs }, 3);
      await publishText(context, await context.open(), failing.topic, 'work');
      await failing.events.atLeast(4);
      for (const [index, least] of [pauseMs, 2 * pauseMs, 4 * pauseMs].entries()) {
        const pause = Number(failing.times[index + 1]) - Number(failing.times[index]);
        // A timer may be early by a fraction of a millisecond.
        assert.ok(pause >= least - 2, `pause ${index + 1} was ${pause} ms, and ${least} is the least`);
      }
    },
  },
  {
    id: 'broker/redelivery-dead-letter',
    title: 'a message that fails to the last goes to the dead-letter topic with its reason',
    needs: ['redelivery'],
    async run(context) {
      const publisher = await context.open();
      const deadLetterTopic = context.unique('dead');
      const dead = await listen(context, await context.open(), deadLetterTopic);
      const failing = await failingMember(context, { maxDeliveries: 2, pauseMs: 0, deadLetterTopic }, 9);
      const byDefault = await listen(context, publisher, `dead-letter.${failing.topic}`);
      await context.within(publisher.publish(failing.topic, message('work', { kept: 'yes' })), 'publish');
      const expected = message('work', {
        kept: 'yes',
        'Dead-Letter-Topic': failing.topic,
        'Dead-Letter-Reason': 'failed on purpose: work',
        'Dead-Letter-Deliveries': '2',
      });
      assertMessage((await dead.events.take()).message, expected, 'on the dead-letter topic');
      const other = await failingMember(context, { maxDeliveries: 1 }, 9, failing.topic, 'others');
      await publishText(context, publisher, failing.topic, 'more');
      const letter = await byDefault.events.take();
      assert.equal(textOfEvent(letter), 'more');
      assert.equal(letter.message.headers['Dead-Letter-Reason'], 'failed on purpose: more');
      assert.equal(other.events.items.length, 1, 'deliveries with `maxDeliveries` 1');
      await dead.events.atLeast(2);
      assert.equal(failing.events.items.length, 4, 'deliveries with `maxDeliveries` 2');
    },
  },
  {
    id: 'broker/redelivery-others',
    title: 'a message that fails does not stop those behind it',
    needs: ['redelivery'],
    async run(context) {
      const broker = await context.open();
      const topic = context.unique('topic');
      const handled = context.inbox<string>('messages that were handled');
      const handler = (event: BrokerEvent): void => {
        if (textOfEvent(event) === 'bad') throw new Error('failed on purpose');
        handled.put(textOfEvent(event));
      };
      const options = { queue: 'workers', redelivery: { pauseMs: 60_000 }, onError: () => {} };
      await context.within(broker.subscribe(topic, handler, options), 'subscribe');
      const texts = numbers(20);
      await publishTexts(context, broker, topic, ['bad', ...texts.slice(0, 10), 'bad', ...texts.slice(10)]);
      assert.deepEqual(await handled.atLeast(texts.length), texts);
    },
  },
  {
    id: 'broker/redelivery-unsettled',
    title: 'a message that no member settles goes to the dead-letter topic after its last delivery',
    needs: ['redelivery'],
    async run(context) {
      const publisher = await context.open();
      const topic = context.unique('topic');
      const dead = await listen(context, await context.open(), `dead-letter.${topic}`);
      const started = context.inbox<BrokerEvent>('deliveries');
      const handler = (event: BrokerEvent): Promise<void> => {
        started.put(event);
        return textOfEvent(event) === 'stuck' ? context.ended : Promise.resolve();
      };
      const options = { queue: 'workers', redelivery: { maxDeliveries: 2, pauseMs: 0 }, onError: () => {} };
      const join = async () => context.within((await context.open()).subscribe(topic, handler, options), 'subscribe');
      let member = await join();
      await publishText(context, publisher, topic, 'stuck');
      for (const delivery of [1, 2]) {
        assert.equal((await started.take()).delivery, delivery);
        await context.within(member.close({ signal: context.expiring(100) }), 'close past its deadline');
        member = await join();
      }
      assert.equal(textOfEvent(await dead.events.take()), 'stuck');
      await publishText(context, publisher, topic, 'last');
      assert.equal(textOfEvent(await started.take()), 'last', 'the third delivery');
    },
  },
  {
    id: 'broker/redelivery-invalid',
    title: 'redelivery that cannot be is refused with `invalid`',
    needs: ['redelivery'],
    async run(context) {
      const broker = await context.open();
      const topic = context.unique('topic');
      const wrong: readonly SubscribeOptions[] = [
        { redelivery: {} },
        { queue: 'workers', redelivery: { maxDeliveries: 0 } },
        { queue: 'workers', redelivery: { maxDeliveries: 1.5 } },
        { queue: 'workers', redelivery: { pauseMs: -1 } },
        { queue: 'workers', redelivery: { maxPauseMs: Number.NaN } },
        { queue: 'workers', redelivery: { deadLetterTopic: 'a b' } },
        { queue: 'workers', redelivery: { deadLetterTopic: 'a.*' } },
      ];
      for (const options of wrong) {
        const subscribing = context.within(
          broker.subscribe(topic, () => {}, options),
          'subscribe',
        );
        await rejection(subscribing, `subscribing with ${JSON.stringify(options)}`, 'invalid');
      }
    },
  },
]);

/** A member whose handler throws at the first `failures` deliveries of each message. */
async function failingMember(
  context: BrokerContext,
  options: NonNullable<SubscribeOptions['redelivery']>,
  failures: number,
  topic: string = context.unique('topic'),
  queue = 'workers',
) {
  const events = context.inbox<BrokerEvent>('deliveries');
  const times: number[] = [];
  const reports: unknown[] = [];
  const handler = (event: BrokerEvent): void => {
    times.push(performance.now());
    events.put(event);
    if (Number(event.delivery) <= failures) throw new Error(`failed on purpose: ${textOfEvent(event)}`);
  };
  const onError = (error: unknown) => void reports.push(error);
  const broker = await context.open();
  await context.within(broker.subscribe(topic, handler, { queue, redelivery: options, onError }), 'subscribe');
  return { topic, events, times, reports };
}
