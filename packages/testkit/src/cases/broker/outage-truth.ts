import assert from 'node:assert/strict';
import { numbers } from '../../assertions.ts';
import { type ContractCase, casesOf } from '../../contract-case.ts';
import { outage, tellsTheTruth } from '../outage.ts';
import { restored } from './outage.ts';
import { fence, listen, publishText, publishTexts, textsOf, withoutFences } from './topic.ts';

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
    id: 'broker/half-open',
    title: 'a connection that is lost without a word is found out',
    needs: ['halfOpen'],
    async run(context) {
      const publisher = await context.open();
      const topic = context.unique('topic');
      const listening = [await listen(context, publisher, topic), await listen(context, await context.open(), topic)];
      await publishText(context, publisher, topic, 'before');
      await context.hooks.halfOpen();
      await restored(context, publisher, topic, listening, context.ms(50_000));
    },
  },
]);
