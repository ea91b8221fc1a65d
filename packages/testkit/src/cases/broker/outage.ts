import type { Broker } from '@ts-micro/core';
import { message, numbers } from '../../assertions.ts';
import { type ContractCase, casesOf } from '../../contract-case.ts';
import { failure, outage, refusedAsUnavailable } from '../outage.ts';
import { assertShared, twoBrokers } from './queues.ts';
import { type BrokerContext, heard, type Listening, listen, publishText, publishTexts } from './topic.ts';

export const outages: readonly ContractCase<'broker'>[] = casesOf('broker', 'Broker', [
  {
    id: 'broker/outage-subscriber',
    title: 'a subscriber gets messages again after an outage',
    needs: ['faults'],
    async run(context) {
      const publisher = await context.open();
      const topic = `${context.unique('topic')}.one`;
      const listening = [await listen(context, publisher, topic), await listen(context, await context.open(), topic)];
      if (context.supports.wildcards) listening.push(await listen(context, publisher, patternOf(topic)));
      await outage(context);
      await restored(context, publisher, topic, listening);
    },
  },
  {
    id: 'broker/outage-queue',
    title: 'a queue is still one queue after an outage',
    needs: ['faults', 'queues'],
    async run(context) {
      const { topic, brokers, witnesses } = await twoBrokers(context, '.one');
      const [first, second] = brokers;
      const join = async (pattern: string, queue: string) => [
        await listen(context, first, pattern, { queue }),
        await listen(context, second, pattern, { queue }),
      ];
      const queues = [await join(topic, 'workers')];
      if (context.supports.wildcards) queues.push(await join(patternOf(topic), 'auditors'));
      await outage(context);
      await restored(context, first, topic, witnesses);
      const texts = numbers(50);
      await publishTexts(context, first, topic, texts);
      for (const members of queues) await assertShared(context, first, topic, witnesses, members, texts);
    },
  },
  {
    id: 'broker/outage-publish',
    title: 'publishing during an outage rejects with `unavailable`',
    needs: ['faults'],
    async run(context) {
      const [broker, cold] = [await context.open(), await context.open()];
      const topic = context.unique('topic');
      await publishText(context, broker, topic, 'before');
      await outage(context, async () => {
        await refusedAsUnavailable(context, 'a publish', () => broker.publish(topic, message('into the dark')));
        // Where a broker connects with its first call, this is the first of this one.
        await refusedAsUnavailable(context, 'a first publish', () => cold.publish(topic, message('into the dark')));
      });
      await context.until('publishing works again', async () => {
        return (await failure(context.within(broker.publish(topic, message('after')), 'a publish'))) === undefined;
      });
    },
  },
  {
    id: 'broker/outage-close',
    title: 'closing a broker during an outage does not hang',
    needs: ['faults'],
    async run(context) {
      const broker = await context.open();
      const { subscriber } = await listen(context, broker, context.unique('topic'));
      await outage(context, async () => {
        await context.within(broker.close({ signal: context.expiring(500) }), 'close during an outage');
        await context.within(subscriber.closed, 'the end of its subscriber');
      });
    },
  },
  {
    id: 'broker/partition',
    title: 'a broker recovers from a cut network',
    needs: ['partition'],
    async run(context) {
      const publisher = await context.open();
      const topic = context.unique('topic');
      const listening = [await listen(context, publisher, topic), await listen(context, await context.open(), topic)];
      await context.within(context.faults.partition?.(context.ms(500)) ?? Promise.resolve(), 'faults.partition()');
      await restored(context, publisher, topic, listening);
    },
  },
]);

function patternOf(topic: string): string {
  return topic.replace(/[^.]+$/, '*');
}

/** Publishes until every subscriber has heard one and the same message: all of them are back. */
export async function restored(
  context: BrokerContext,
  publisher: Broker,
  topic: string,
  listening: readonly Listening[],
  ms?: number,
): Promise<void> {
  const attempt = async (): Promise<void> => {
    const text = context.unique('fence');
    await context.within(publisher.publish(topic, message(text)), 'a publish');
    for (const each of listening) await heard(each, text, context.ms(300));
  };
  await context.eventually('delivery after the outage', attempt, ms);
}
