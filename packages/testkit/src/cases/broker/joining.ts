import assert from 'node:assert/strict';
import type { Broker, BrokerEvent, SubscribeOptions } from '@ts-micro/core';
import { assertError, numbers } from '../../assertions.ts';
import { type ContractCase, casesOf } from '../../contract-case.ts';
import { assertShared } from './queues.ts';
import { type BrokerContext, heard, listen, publishText, publishTexts } from './topic.ts';

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
        await assertNothingComes(context, publisher, turns, {});
        if (context.supports.queues) await assertNothingComes(context, publisher, turns, { queue: 'workers' });
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

/** Aborts a `subscribe` after some turns; neither it nor what it left behind takes a message then. */
async function assertNothingComes(
  context: BrokerContext,
  publisher: Broker,
  turns: number,
  options: SubscribeOptions,
): Promise<void> {
  const broker = await context.open();
  const topic = context.unique('topic');
  const events = context.inbox<BrokerEvent>('events of an aborted subscription');
  const control = new AbortController();
  const subscribing = broker.subscribe(topic, events.put, { ...options, signal: control.signal });
  const settled = context.within(Promise.allSettled([subscribing]), 'an aborted subscribe');
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
  control.abort();
  const [outcome] = await settled;
  // It may have been faster than its abort, and is a subscriber like others then.
  if (outcome.status === 'fulfilled') return;
  assertError(outcome.reason, 'an aborted subscribe', 'canceled');
  const witness = await listen(context, broker, topic);
  // In its queue it would take some of what this one is to get.
  const member = await listen(context, await context.open(), topic, options);
  const texts = numbers(10);
  await publishTexts(context, publisher, topic, texts);
  await assertShared(context, publisher, topic, [witness], [member], texts);
  assert.equal(events.items.length, 0, 'messages to a subscriber that nobody has');
}
