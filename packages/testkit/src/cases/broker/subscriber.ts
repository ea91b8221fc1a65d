import assert from 'node:assert/strict';
import { type BrokerEvent, MicroError } from '@ts-micro/core';
import { assertMessage, message } from '../../assertions.ts';
import { type ContractCase, casesOf } from '../../contract-case.ts';
import { gate } from '../gate.ts';
import { fence, heard, listen, publishText, publishTexts, textOfEvent, textsOf, withoutFences } from './topic.ts';

export const subscriber: readonly ContractCase<'broker'>[] = casesOf('broker', 'Subscriber', [
  {
    id: 'broker/handler-throws',
    title: 'a handler that throws does not stop delivery and is reported',
    async run(context) {
      const broker = await context.open();
      const topic = context.unique('topic');
      const reports = context.inbox<{ error: MicroError; event: BrokerEvent | undefined }>('reports');
      const events = context.inbox<BrokerEvent>('events');
      const thrown = new Error('a handler that throws, on purpose');
      const handler = (event: BrokerEvent): void | Promise<void> => {
        events.put(event);
        if (textOfEvent(event) === 'throw') throw thrown;
        if (textOfEvent(event) === 'reject') return Promise.reject(thrown);
      };
      const onError = (error: MicroError, event?: BrokerEvent) => reports.put({ error, event });
      await context.within(broker.subscribe(topic, handler, { onError }), 'subscribe');
      await publishTexts(context, broker, topic, ['throw', 'fine', 'reject', 'fine again']);
      await events.atLeast(4);
      assert.deepEqual(events.items.map(textOfEvent), ['throw', 'fine', 'reject', 'fine again']);
      for (const [index, { error, event }] of (await reports.atLeast(2)).entries()) {
        assert.ok(MicroError.is(error, 'internal'), `reported as ${error}`);
        assert.equal(error.cause, thrown, 'the cause is what was thrown');
        assert.equal(event?.topic, topic);
        assertMessage(event?.message, message(index === 0 ? 'throw' : 'reject'), 'the reported event');
      }
      assert.equal(reports.items.length, 2, 'what did not throw was reported');
    },
  },
  {
    id: 'broker/report-throws',
    title: 'an `onError` that throws does not stop delivery',
    async run(context) {
      const broker = await context.open();
      const topic = context.unique('topic');
      const events = context.inbox<BrokerEvent>('events');
      const handler = (event: BrokerEvent): void => {
        events.put(event);
        if (textOfEvent(event) === 'throw') throw new Error('a handler that throws, on purpose');
      };
      const onError = () => {
        throw new Error('a report that throws, on purpose');
      };
      await context.within(broker.subscribe(topic, handler, { onError }), 'subscribe');
      await publishTexts(context, broker, topic, ['throw', 'fine']);
      await events.atLeast(2);
    },
  },
  {
    id: 'broker/concurrency',
    title: 'at most `concurrency` handlers run at once',
    async run(context) {
      const broker = await context.open();
      for (const concurrency of [undefined, 1, 3]) {
        const topic = context.unique('topic');
        const witness = await listen(context, broker, topic);
        const held = gate();
        let running = 0;
        let most = 0;
        let done = 0;
        const handler = async (): Promise<void> => {
          running++;
          most = Math.max(most, running);
          await Promise.race([held.opened, context.ended]);
          running--;
          done++;
        };
        const limit = concurrency ?? 1;
        await context.within(broker.subscribe(topic, handler, concurrency ? { concurrency } : {}), 'subscribe');
        await publishTexts(context, broker, topic, ['1', '2', '3', '4', '5', '6', '7']);
        await context.until(`${limit} handlers at once`, () => running >= limit);
        await fence(context, broker, topic, [witness]);
        assert.equal(running, limit, `handlers at once with concurrency ${concurrency}`);
        held.open();
        await context.until('all handlers to run', () => done === 8);
        assert.equal(most, limit, `most handlers at once with concurrency ${concurrency}`);
      }
    },
  },
  {
    id: 'broker/subscriber-close-waits',
    title: 'closing a subscriber waits for running handlers',
    async run(context) {
      const broker = await context.open();
      const topic = context.unique('topic');
      const witness = await listen(context, broker, topic);
      const held = gate();
      const order: string[] = [];
      const handler = async (): Promise<void> => {
        order.push('running');
        await Promise.race([held.opened, context.ended]);
        order.push('handled');
      };
      const closable = await context.within(broker.subscribe(topic, handler), 'subscribe');
      await publishText(context, broker, topic, 'work');
      await context.until('the handler to run', () => order.length === 1);
      const closing = context.within(
        closable.close().then(() => order.push('closed')),
        'close',
      );
      await fence(context, broker, topic, [witness]);
      assert.deepEqual(order, ['running'], 'close did not wait');
      held.open();
      await closing;
      assert.equal(order.at(-1), 'closed', `close resolved before a handler ended: ${order.join(', ')}`);
    },
  },
  {
    id: 'broker/subscriber-closed',
    title: 'nothing is delivered after a subscriber is closed',
    async run(context) {
      const broker = await context.open();
      const topic = context.unique('topic');
      const witnesses = [await listen(context, broker, topic), await listen(context, await context.open(), topic)];
      const closed = await listen(context, broker, topic);
      await publishText(context, broker, topic, 'before');
      await heard(closed, 'before');
      await context.within(closed.subscriber.close(), 'close');
      await publishTexts(context, broker, topic, ['after', 'and after']);
      await fence(context, broker, topic, witnesses);
      assert.deepEqual(textsOf(closed), ['before']);
      for (const witness of witnesses)
        assert.deepEqual(withoutFences(textsOf(witness)), ['before', 'after', 'and after'], 'another subscriber');
    },
  },
  {
    id: 'broker/slow-subscriber',
    title: 'a slow subscriber does not delay another',
    async run(context) {
      const broker = await context.open();
      const topic = context.unique('topic');
      const held = gate();
      const slow = await context.within(
        broker.subscribe(topic, () => Promise.race([held.opened, context.ended])),
        'subscribe',
      );
      const fast = await listen(context, broker, topic);
      const texts = Array.from({ length: 20 }, (_, index) => String(index));
      await publishTexts(context, broker, topic, texts);
      await fence(context, broker, topic, [fast]);
      assert.deepEqual(withoutFences(textsOf(fast)), texts);
      held.open();
      await context.within(slow.close(), 'close of the slow one');
    },
  },
  {
    id: 'broker/handler-never-settles',
    title: 'a handler that never settles does not hold a close beyond its bound',
    async run(context) {
      const topic = context.unique('topic');
      for (const end of ['subscriber', 'connection', 'broker'] as const) {
        const broker = await context.open();
        const started = context.inbox<BrokerEvent>('handlers that never settle');
        const handler = (event: BrokerEvent): Promise<void> => {
          started.put(event);
          return new Promise(() => {});
        };
        const closable = await context.within(broker.subscribe(topic, handler), 'subscribe');
        await publishText(context, broker, topic, 'hold');
        await started.take();
        const options = { signal: context.expiring(200) };
        if (end === 'connection') await context.within(broker.disconnect(options), 'disconnect past its deadline');
        else await context.within((end === 'broker' ? broker : closable).close(options), 'close past its deadline');
        const ended = end === 'broker' ? broker : closable;
        const cause = await context.within(ended.closed, 'closed');
        assert.equal(cause?.code, 'timeout', `closed says ${cause} of what was abandoned with the ${end}`);
        await context.within(closable.closed, 'the end of the subscriber');
      }
    },
  },
  {
    id: 'broker/close-closes-subscribers',
    title: 'closing a broker closes its subscribers',
    async run(context) {
      const broker = await context.open();
      const elsewhere = await context.open();
      const topic = context.unique('topic');
      const witness = await listen(context, elsewhere, topic);
      const closed = [await listen(context, broker, topic), await listen(context, broker, topic)];
      await context.within(broker.close(), 'close');
      for (const { subscriber: ended } of closed)
        assert.equal(await context.within(ended.closed, 'the end of a subscriber'), undefined);
      await publishText(context, elsewhere, topic, 'after');
      await fence(context, elsewhere, topic, [witness]);
      for (const listening of closed) assert.deepEqual(textsOf(listening), [], 'a closed subscriber');
    },
  },
]);
