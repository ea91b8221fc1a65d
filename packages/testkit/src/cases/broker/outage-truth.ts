import assert from 'node:assert/strict';
import { message, numbers } from '../../assertions.ts';
import { type ContractCase, casesOf } from '../../contract-case.ts';
import { beginToConnect, endByDeadline, outage, refusedAsUnavailable, tellsTheTruth } from '../outage.ts';
import { restored } from './outage.ts';
import { assertShared, twoBrokers } from './queues.ts';
import { fence, type Listening, listen, publishText, publishTexts, textsOf, withoutFences } from './topic.ts';

export const outageTruths: readonly ContractCase<'broker'>[] = casesOf('broker', 'Broker', [
  {
    id: 'broker/outage-once',
    title: 'what is published after an outage arrives once',
    needs: ['faults'],
    async run(context) {
      const publisher = await context.open();
      const topic = context.unique('topic');
      const listening = [await listen(context, publisher, topic), await listen(context, await context.open(), topic)];
      for (let round = 0; round < 2; round++) {
        await outage(context);
        await restored(context, publisher, topic, listening);
        await publishTexts(
          context,
          publisher,
          topic,
          numbers(10).map((text) => `${round}-${text}`),
        );
      }
      await fence(context, publisher, topic, listening);
      // What a second subscription of the same subscriber would hand over comes after this.
      await fence(context, publisher, topic, listening);
      const last = numbers(10).map((text) => `1-${text}`);
      for (const each of listening) {
        const texts = withoutFences(textsOf(each)).filter((text) => text.startsWith('1-'));
        assert.deepEqual(texts, last, 'what was published after the outage');
      }
    },
  },
  {
    id: 'broker/outage-subscribe',
    title: 'subscribing during an outage rejects with `unavailable`, and works after it',
    needs: ['faults'],
    async run(context) {
      const broker = await context.open();
      const topic = context.unique('topic');
      await publishText(context, broker, topic, 'before');
      await outage(context, () =>
        refusedAsUnavailable(context, 'a subscribe', () => broker.subscribe(topic, () => {})),
      );
      const subscribed = async () => [await listen(context, broker, topic), await listen(context, broker, topic)];
      let listening: Listening[] = [];
      await context.eventually('subscribing after the outage', async () => {
        listening = await subscribed();
      });
      await fence(context, broker, topic, listening);
    },
  },
  {
    id: 'broker/outage-closed-member',
    title: 'a member that closed during an outage takes nothing from its queue after it',
    needs: ['faults', 'queues'],
    async run(context) {
      const { topic, brokers, witnesses } = await twoBrokers(context);
      const [first, second] = brokers;
      const before = await listen(context, first, topic, { queue: 'workers' });
      const closed = await listen(context, first, topic, { queue: 'workers' });
      const members = [await listen(context, second, topic, { queue: 'workers' })];
      await context.within(before.subscriber.close(), 'a member closing before an outage');
      await outage(context, () =>
        context.within(closed.subscriber.close(), 'a member closing during an outage', 20_000),
      );
      await restored(context, first, topic, witnesses);
      const texts = numbers(50);
      await publishTexts(context, first, topic, texts);
      await assertShared(context, first, topic, witnesses, members, texts);
      const late = [before, closed].flatMap(textsOf).filter((text) => texts.includes(text));
      assert.deepEqual(late, [], 'what came to the closed members');
    },
  },
  {
    id: 'broker/outage-is-connected',
    title: '`isConnected`, where it is known, is false during an outage and true after it',
    needs: ['faults'],
    async run(context) {
      const broker = await context.open();
      const topic = context.unique('topic');
      await tellsTheTruth(context, broker, () => publishText(context, broker, topic, 'here'));
    },
  },
  {
    id: 'broker/half-open-deadline',
    title: 'a call ends at its deadline though nobody answers',
    needs: ['halfOpen'],
    async run(context) {
      const broker = await context.open();
      const topic = context.unique('topic');
      await listen(context, broker, topic);
      await context.hooks.halfOpen();
      await endByDeadline(
        context,
        {
          publish: (options) => broker.publish(topic, message('into the void'), options),
          subscribe: (options) => broker.subscribe(context.unique('topic'), () => {}, options),
          connect: (options) => broker.connect(options),
        },
        (options) => broker.close(options),
      );
    },
  },
  {
    id: 'broker/half-open',
    title: 'a connection that is lost without a word is found out',
    needs: ['halfOpen'],
    async run(context) {
      const publisher = await context.open();
      const topic = context.unique('topic');
      const listening = [await listen(context, publisher, topic), await listen(context, await context.open(), topic)];
      await publishText(context, publisher, topic, 'before');
      const beginning = await beginToConnect(context, (broker) => broker.publish(topic, message('first')));
      await context.hooks.halfOpen();
      for (const each of [publisher, ...beginning]) await restored(context, each, topic, listening, context.ms(50_000));
    },
  },
]);
