import type { Broker, BrokerEvent, SubscribeOptions, Subscriber } from '@ts-micro/core';
import { message } from '../../assertions.ts';
import type { CaseContext } from '../../case-context.ts';
import type { Inbox } from '../../inbox.ts';

export type BrokerContext = CaseContext<'broker'>;

/** One subscription whose events the case can wait for. */
export interface Listening {
  readonly subscriber: Subscriber;
  readonly events: Inbox<BrokerEvent>;
}

export async function listen(
  context: BrokerContext,
  broker: Broker,
  topic: string,
  options?: SubscribeOptions,
): Promise<Listening> {
  const events = context.inbox<BrokerEvent>(`events of ${topic}`);
  const subscriber = await context.within(broker.subscribe(topic, events.put, options), `subscribing to ${topic}`);
  return { subscriber, events };
}

export function publishText(context: BrokerContext, broker: Broker, topic: string, text: string): Promise<void> {
  return context.within(broker.publish(topic, message(text)), `publishing ${text}`);
}

/** Publishes without waiting in between; resolves once all are handed over. */
export async function publishTexts(
  context: BrokerContext,
  broker: Broker,
  topic: string,
  texts: readonly string[],
): Promise<void> {
  const publishing = Promise.all(texts.map((text) => broker.publish(topic, message(text))));
  await context.within(publishing, `publishing ${texts.length} messages`);
}

export function textOfEvent({ message: { body } }: BrokerEvent): string {
  return new TextDecoder().decode(body);
}

export function textsOf({ events }: Pick<Listening, 'events'>): string[] {
  return events.items.map(textOfEvent);
}

/** Waits until a text has come, at most `ms` or the usual bound. */
export function heard({ events }: Pick<Listening, 'events'>, text: string, ms?: number): Promise<void> {
  return events.when((items) => items.some((event) => textOfEvent(event) === text), `"${text}"`, ms);
}

/**
 * Publishes a last message and waits until each plain subscriber has it: what was on its way before it has come, so
 * that what has not come by now will not.
 */
export async function fence(
  context: BrokerContext,
  broker: Broker,
  topic: string,
  witnesses: readonly Pick<Listening, 'events'>[],
): Promise<void> {
  const text = context.unique('fence');
  await publishText(context, broker, topic, text);
  await Promise.all(witnesses.map((witness) => heard(witness, text)));
}

/** The texts that came, without the fences. */
export function withoutFences(texts: readonly string[]): string[] {
  return texts.filter((text) => !text.startsWith('fence-'));
}
