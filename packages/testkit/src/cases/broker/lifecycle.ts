import assert from 'node:assert/strict';
import { message, rejection } from '../../assertions.ts';
import { type ContractCase, casesOf } from '../../contract-case.ts';
import { gate } from '../gate.ts';
import { fence, heard, listen, publishText, textsOf } from './topic.ts';

export const lifecycle: readonly ContractCase<'broker'>[] = casesOf('broker', 'Broker', [
  {
    id: 'broker/disconnect-waits',
    title: 'disconnecting waits for running handlers and stops delivery',
    async run(context) {
      const broker = await context.open();
      const elsewhere = await context.open();
      const topic = context.unique('topic');
      const witness = await listen(context, elsewhere, topic);
      const held = gate();
      const order: string[] = [];
      const handler = async (): Promise<void> => {
        order.push('running');
        await Promise.race([held.opened, context.ended]);
        order.push('handled');
      };
      const subscriber = await context.within(broker.subscribe(topic, handler), 'subscribe');
      await publishText(context, elsewhere, topic, 'work');
      await context.until('the handler to run', () => order.length === 1);
      const ending = context.within(
        broker.disconnect().then(() => order.push('disconnected')),
        'disconnect',
      );
      await fence(context, elsewhere, topic, [witness]);
      assert.deepEqual(order, ['running'], 'disconnect did not wait');
      held.open();
      await ending;
      await context.within(subscriber.closed, 'the end of the subscriber');
      const handled = order.filter((step) => step === 'handled').length;
      assert.equal(order.at(-1), 'disconnected', `a handler ended after it: ${order.join(', ')}`);
      await publishText(context, elsewhere, topic, 'after');
      await fence(context, elsewhere, topic, [witness]);
      assert.equal(order.filter((step) => step === 'handled').length, handled, 'delivered after disconnect');
    },
  },
  {
    id: 'broker/disconnected-refuses',
    title: 'a disconnected broker refuses with `unavailable`',
    async run(context) {
      const broker = await context.open();
      const topic = context.unique('topic');
      await publishText(context, broker, topic, 'before');
      await context.within(broker.disconnect(), 'disconnect');
      const publishing = context.within(broker.publish(topic, message('after')), 'publish');
      await rejection(publishing, 'a publish when disconnected', 'unavailable');
      const subscribing = context.within(
        broker.subscribe(topic, () => {}),
        'subscribe',
      );
      await rejection(subscribing, 'a subscribe when disconnected', 'unavailable');
    },
  },
  {
    id: 'broker/connect-again',
    title: 'a broker connects again after disconnecting',
    async run(context) {
      const broker = await context.open();
      const elsewhere = await context.open();
      const topic = context.unique('topic');
      await context.within(broker.connect(), 'connect');
      await context.within(broker.connect(), 'connect when connected');
      const before = await listen(context, broker, topic);
      for (let round = 0; round < 2; round++) {
        await context.within(broker.disconnect(), 'disconnect');
        await context.within(broker.disconnect(), 'disconnect when disconnected');
        await context.within(broker.connect(), 'connect again');
        const listening = await listen(context, broker, topic);
        await publishText(context, elsewhere, topic, `to it ${round}`);
        await heard(listening, `to it ${round}`);
        await publishText(context, broker, topic, `from it ${round}`);
        await heard(listening, `from it ${round}`);
      }
      assert.deepEqual(textsOf(before), [], 'a subscriber from before the disconnect is over');
    },
  },
]);
