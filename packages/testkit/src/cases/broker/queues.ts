import assert from 'node:assert/strict';
import type { Broker } from '@ts-micro/core';
import { numbers } from '../../assertions.ts';
import { type ContractCase, casesOf } from '../../contract-case.ts';
import {
  type BrokerContext,
  fence,
  type Listening,
  listen,
  publishText,
  publishTexts,
  textsOf,
  withoutFences,
} from './topic.ts';

export const queues: readonly ContractCase<'broker'>[] = casesOf('broker', 'Broker', [
  {
    id: 'broker/queue-one-member',
    title: 'one member of a queue gets each message',
    needs: ['queues'],
    async run(context) {
      const { topic, brokers, witnesses } = await twoBrokers(context);
      const [first, second] = brokers;
      const members = [
        await listen(context, first, topic, { queue: 'workers' }),
        await listen(context, second, topic, { queue: 'workers' }),
        await listen(context, second, topic, { queue: 'workers' }),
      ];
      // A queue is one of its topic: its name may be that of another.
      const namesake = await listen(context, second, context.unique('topic'), { queue: 'workers' });
      const texts = numbers(100);
      await publishTexts(context, first, topic, texts);
      await assertShared(context, first, topic, witnesses, members, texts);
      for (const { subscriber } of members) assert.equal(subscriber.queue, 'workers');
      assert.deepEqual(textsOf(namesake), [], 'the queue of another topic');
      if (context.supports.wildcards) await assertSharedWildcard(context);
    },
  },
  {
    id: 'broker/two-queues',
    title: 'two queues on one topic get each message once each',
    needs: ['queues'],
    async run(context) {
      const { topic, brokers, witnesses } = await twoBrokers(context);
      const [first, second] = brokers;
      const join = (broker: Broker, queue: string) => listen(context, broker, topic, { queue });
      const workers = [await join(first, 'workers'), await join(second, 'workers')];
      const auditors = [await join(first, 'auditors'), await join(second, 'auditors')];
      const texts = numbers(100);
      await publishTexts(context, second, topic, texts);
      await assertShared(context, second, topic, witnesses, workers, texts);
      await assertShared(context, second, topic, witnesses, auditors, texts);
    },
  },
  {
    id: 'broker/queue-and-plain',
    title: 'a queue and a plain subscriber each get the message',
    needs: ['queues'],
    async run(context) {
      const { topic, brokers, witnesses } = await twoBrokers(context);
      const [first, second] = brokers;
      const members = [
        await listen(context, first, topic, { queue: 'workers' }),
        await listen(context, second, topic, { queue: 'workers' }),
      ];
      const texts = numbers(20);
      await publishTexts(context, first, topic, texts);
      await assertShared(context, first, topic, witnesses, members, texts);
      for (const witness of witnesses) assert.deepEqual(withoutFences(textsOf(witness)), texts);
    },
  },
  {
    id: 'broker/queue-under-load',
    title: 'queue members joining and leaving under load lose nothing',
    needs: ['queues'],
    async run(context) {
      const { topic, brokers, witnesses } = await twoBrokers(context);
      const [first, second] = brokers;
      const publisher = await context.open();
      const join = (round: number) => listen(context, round % 2 === 0 ? first : second, topic, { queue: 'workers' });
      const members = [await join(0), await join(1)];
      const texts: string[] = [];
      let isChanging = true;
      const publishAll = async (): Promise<void> => {
        while (isChanging) {
          const batch = Array.from({ length: 10 }, (_, index) => String(texts.length + index));
          texts.push(...batch);
          await publishTexts(context, publisher, topic, batch);
          // Lets the event loop turn, so that the load and the changes run side by side.
          await new Promise((resolve) => setImmediate(resolve));
        }
      };
      const load = context.later(publishAll());
      try {
        for (let round = 0; round < 10; round++) {
          members.push(await join(round));
          await context.within(members[round]?.subscriber.close() ?? Promise.resolve(), 'a member leaving');
          await witnesses[0]?.events.atLeast(texts.length);
        }
      } finally {
        isChanging = false;
        await load;
      }
      await assertShared(context, publisher, topic, witnesses, members, texts);
    },
  },
]);

/** The same for a queue on a pattern. */
async function assertSharedWildcard(context: BrokerContext): Promise<void> {
  const { topic, brokers, witnesses } = await twoBrokers(context, '.one');
  const pattern = topic.replace(/one$/, '*');
  const members: Listening[] = [];
  for (const broker of brokers) members.push(await listen(context, broker, pattern, { queue: 'workers' }));
  const texts = numbers(20);
  await publishTexts(context, brokers[0], topic, texts);
  await assertShared(context, brokers[0], topic, witnesses, members, texts);
}

/** Two brokers with a plain subscriber each, through which the case learns that everything has come. */
export async function twoBrokers(
  context: BrokerContext,
  ending = '',
): Promise<{ topic: string; brokers: readonly [Broker, Broker]; witnesses: readonly Listening[] }> {
  const topic = context.unique('topic') + ending;
  const brokers = [await context.open(), await context.open()] as const;
  const witnesses = [await listen(context, brokers[0], topic), await listen(context, brokers[1], topic)];
  return { topic, brokers, witnesses };
}

/** Waits until the members have every text between them, then checks that none of them came twice. */
export async function assertShared(
  context: BrokerContext,
  publisher: Broker,
  topic: string,
  witnesses: readonly Listening[],
  members: readonly Listening[],
  texts: readonly string[],
  ms?: number,
): Promise<void> {
  const shared = () => members.flatMap((member) => withoutFences(textsOf(member)));
  await fence(context, publisher, topic, witnesses);
  const isWhole = (): void => {
    const missing = new Set(texts);
    for (const text of shared()) missing.delete(text);
    assert.equal(missing.size, 0, `lost ${missing.size} of ${texts.length}: ${[...missing].slice(0, 5).join(', ')}`);
  };
  await whileTheyCome(
    () => shared().length,
    () => context.eventually('every message at one member', isWhole, ms),
  );
  await publishText(context, publisher, topic, context.unique('fence'));
  await fence(context, publisher, topic, witnesses);
  const seen = new Set<string>();
  for (const text of shared()) {
    assert.ok(!seen.has(text), `"${text}" came to two members`);
    seen.add(text);
  }
}

/** Waits again as long as more has come meanwhile: what comes slowly is not lost. */
async function whileTheyCome(count: () => number, wait: () => Promise<void>): Promise<void> {
  for (;;) {
    const before = count();
    try {
      return await wait();
    } catch (error) {
      if (count() === before) throw error;
    }
  }
}
