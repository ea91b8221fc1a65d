import assert from 'node:assert/strict';
import type { Broker, BrokerEvent } from '@ts-micro/core';
import { assertSequence, message, numbers } from '../../assertions.ts';
import { type ContractCase, casesOf } from '../../contract-case.ts';
import { type Gate, gate } from '../gate.ts';
import { assertShared, twoBrokers } from './queues.ts';
import {
  type BrokerContext,
  fence,
  heard,
  type Listening,
  listen,
  publishText,
  publishTexts,
  textsOf,
  withoutFences,
} from './topic.ts';

const longestBurstMs = 50_000;

export const leaving: readonly ContractCase<'broker'>[] = casesOf('broker', 'Broker', [
  {
    id: 'broker/only-member-leaves',
    title: 'the only member of a queue on its broker leaves under load and nothing is lost',
    needs: ['queues'],
    async run(context) {
      const { topic, brokers, witnesses } = await twoBrokers(context);
      const publisher = await context.open();
      // A broker stays open with the witness on it, and has no other member: what it is given late is nobody's.
      const join = async (broker: Broker): Promise<HeldUp> => {
        const joining = await listenHeldUp(context, broker, topic);
        members.push(joining);
        return joining;
      };
      const members: HeldUp[] = [];
      const pair = [await join(brokers[0]), await join(brokers[1])];
      const texts: string[] = [];
      const publishSome = async (): Promise<void> => {
        const batch = Array.from({ length: 20 }, (_, index) => String(texts.length + index));
        texts.push(...batch);
        await publishTexts(context, publisher, topic, batch);
      };
      for (let round = 0; round < 5; round++) {
        // The next message holds a member up, so that others wait for it when it leaves.
        for (const member of pair) member.holdUp();
        const isAtWork = async (): Promise<boolean> => {
          await publishSome();
          return pair.some((member) => member.isAtWork());
        };
        await context.until('a member to be at work', isAtWork, context.ms(longestBurstMs));
        // A backend may give all to one member for as long as that one stays, as with the only partition of a topic.
        const index = pair.findIndex((member) => member.isAtWork());
        const leaving = pair[index] as HeldUp;
        pair[1 - index]?.letGo();
        for (let batch = 0; batch < 3; batch++) await publishSome();
        const closing = context.within(leaving.subscriber.close(), 'the only member leaving');
        const publishing = context.later(publishSome());
        leaving.letGo();
        await closing;
        await publishing;
        await witnesses[0]?.events.atLeast(texts.length);
        pair[index] = await join(brokers[index] as Broker);
      }
      for (const member of pair) member.letGo();
      // A backend that stores may deliver again what a member took with it, in its own time.
      const bound = context.supports.durableQueues === true ? context.ms(longestBurstMs) : undefined;
      await assertShared(context, publisher, topic, witnesses, members, texts, bound);
    },
  },
  {
    id: 'broker/nothing-from-before',
    title: 'a subscriber gets nothing that was published before it subscribed',
    async run(context) {
      const [publisher, elsewhere] = [await context.open(), await context.open()];
      const topic = context.unique('topic');
      const witness = await listen(context, publisher, topic);
      await fence(context, publisher, topic, [witness]);
      if (context.hasInject) await context.hooks.inject(new TextEncoder().encode('left there'), topic);
      await publishText(context, publisher, topic, 'the last before');
      await heard(witness, 'the last before');
      const late = [await listen(context, publisher, topic), await listen(context, elsewhere, topic)];
      await publishText(context, publisher, topic, 'after');
      await fence(context, publisher, topic, [witness, ...late]);
      for (const each of late) assert.deepEqual(withoutFences(textsOf(each)), ['after'], 'what a late subscriber got');
    },
  },
  {
    id: 'broker/large-burst',
    title: 'a burst of many thousand messages arrives in order',
    async run(context) {
      const topic = context.unique('topic');
      const [publisher, elsewhere] = [await context.open(), await context.open()];
      const listening = await listen(context, elsewhere, topic);
      const texts = numbers(burstOf(context));
      const whole = ({ length }: { readonly length: number }) => length >= texts.length;
      await context.within(publishBurst(publisher, topic, texts), 'publishing the burst', longestBurstMs);
      // However long it takes: it is late once nothing more comes.
      await listening.events.when(whole, `a burst of ${texts.length}`);
      await fence(context, publisher, topic, [listening]);
      assertSequence(withoutFences(textsOf(listening)), texts, 'the burst');
    },
  },
]);

/** More than the ten thousand at which queues like to end, and fewer where each is stored, which takes longer. */
function burstOf({ supports }: BrokerContext): number {
  return supports.durableQueues === true ? 10_500 : 20_000;
}

/** Publishes without waiting for what became of it, and lets the event loop turn now and then, as clients need it. */
async function publishBurst(publisher: Broker, topic: string, texts: readonly string[]): Promise<void> {
  const publishing: Promise<void>[] = [];
  for (const [index, text] of texts.entries()) {
    publishing.push(publisher.publish(topic, message(text)));
    if (index % 500 === 499) await new Promise((resolve) => setImmediate(resolve));
  }
  await Promise.all(publishing);
}

/** A member of a queue whose messages wait, once it is held up, until it is let go. */
interface HeldUp extends Listening {
  holdUp(): void;
  letGo(): void;
  /** Whether it has had a message since it was held up. */
  isAtWork(): boolean;
}

async function listenHeldUp(context: BrokerContext, broker: Broker, topic: string): Promise<HeldUp> {
  const events = context.inbox<BrokerEvent>(`events of ${topic}`);
  let held: Gate = gate();
  let isAtWork = false;
  const handler = async (event: BrokerEvent): Promise<void> => {
    isAtWork = true;
    await Promise.race([held.opened, context.ended]);
    events.put(event);
  };
  const subscribing = broker.subscribe(topic, handler, { queue: 'workers' });
  const subscriber = await context.within(subscribing, `subscribing to ${topic}`);
  return {
    subscriber,
    events,
    holdUp() {
      held.open();
      held = gate();
      isAtWork = false;
    },
    letGo: () => held.open(),
    isAtWork: () => isAtWork,
  };
}
