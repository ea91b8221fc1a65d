import assert from 'node:assert/strict';
import type { BrokerEvent, SubscribeOptions } from '@ts-micro/core';
import { assertError } from '../../assertions.ts';
import { type ContractCase, casesOf } from '../../contract-case.ts';
import { type BrokerContext, fence, heard, listen, publishText } from './topic.ts';

/** How many turns of the event loop pass before a `subscribe` is aborted. */
const turnsUntilAbort = [0, 0, 1, 2, 4];

export const joining: readonly ContractCase<'broker'>[] = casesOf('broker', 'Broker', [
  {
    id: 'broker/comes-as-another-leaves',
    title: 'a subscriber that comes as another one of its topic leaves gets what is published then',
    async run(context) {
      await assertHandover(context, {});
      if (context.supports.queues) await assertHandover(context, { queue: 'workers' });
    },
  },
  {
    id: 'broker/aborted-subscribe',
    title: 'a `subscribe` that was aborted delivers nothing',
    async run(context) {
      const publisher = await context.open();
      for (const turns of turnsUntilAbort) {
        const broker = await context.open();
        const topic = context.unique('topic');
        const events = context.inbox<BrokerEvent>('events of an aborted subscription');
        const control = new AbortController();
        const subscribing = broker.subscribe(topic, events.put, { signal: control.signal });
        const settled = context.within(Promise.allSettled([subscribing]), 'an aborted subscribe');
        for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
        control.abort();
        const [outcome] = await settled;
        const witness = await listen(context, broker, topic);
        await fence(context, publisher, topic, [witness]);
        await fence(context, publisher, topic, [witness]);
        // It may have been faster than its abort, and is a subscriber like others then.
        if (outcome.status === 'fulfilled') continue;
        assertError(outcome.reason, 'an aborted subscribe', 'canceled');
        assert.equal(events.items.length, 0, 'messages to a subscriber that nobody has');
      }
    },
  },
]);

async function assertHandover(context: BrokerContext, options: SubscribeOptions): Promise<void> {
  const [publisher, broker] = [await context.open(), await context.open()];
  const topic = context.unique('topic');
  let last = await listen(context, broker, topic, options);
  for (let round = 0; round < 5; round++) {
    const leaving = context.within(last.subscriber.close(), 'a subscriber leaving');
    last = await listen(context, broker, topic, options);
    await publishText(context, publisher, topic, `round ${round}`);
    await heard(last, `round ${round}`);
    await leaving;
    await publishText(context, publisher, topic, `after ${round}`);
    await heard(last, `after ${round}`);
  }
}
