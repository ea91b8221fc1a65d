import {
  type BrokerEvent,
  checkTopic,
  type Message,
  MicroError,
  type PublishOptions,
  type RedeliveryOptions,
  type SubscribeOptions,
} from '@ts-micro/core';
import { OptionChecks, type OptionNames } from '../lifecycle/options.ts';
import { longestTimerMs } from '../lifecycle/timers.ts';

/** {@link RedeliveryOptions} with defaults filled in. */
export interface RedeliverySettings {
  readonly maxDeliveries: number;
  readonly pauseMs: number;
  readonly maxPauseMs: number;
  readonly deadLetterTopic: string | undefined;
}

const deadLetterPrefix = 'dead-letter.';
const longestReason = 500;

const redeliveryNames: OptionNames<RedeliveryOptions> = {
  maxDeliveries: true,
  pauseMs: true,
  maxPauseMs: true,
  deadLetterTopic: true,
};

/**
 * Refuses with `unsupported` what only brokers with durable queues and redelivery can do: for those that have neither.
 *
 * `who` begins the message: `redis broker`.
 */
export function refuseDurability(
  options: Pick<SubscribeOptions, 'durable' | 'redelivery'> & Pick<PublishOptions, 'id'>,
  who: string,
): void {
  const { durable, redelivery, id } = options;
  if (durable) throw new MicroError('unsupported', `${who}: it has no durable queues, and durable is true`);
  if (redelivery !== undefined) throw new MicroError('unsupported', `${who}: it has no redelivery`);
  if (id !== undefined) throw new MicroError('unsupported', `${who}: it remembers no ids, and id is given`);
}

/**
 * Fills in the defaults. Throws `invalid` for a number or a topic that cannot be one, and where `durable` or
 * `redelivery` is given without a queue.
 */
export function checkRedelivery(
  options: Pick<SubscribeOptions, 'queue' | 'durable' | 'redelivery'>,
  who: string,
): RedeliverySettings {
  const { queue, durable, redelivery } = options;
  if (queue === undefined && (durable || redelivery !== undefined)) {
    throw new MicroError('invalid', `${who}: ${durable ? 'durable' : 'redelivery'} is given without a queue`);
  }
  const checks = new OptionChecks(who);
  if (redelivery !== undefined) checks.named(redelivery, redeliveryNames);
  const { maxDeliveries = 5, pauseMs = 1000, maxPauseMs = 60_000, deadLetterTopic } = redelivery ?? {};
  checks.whole('redelivery.maxDeliveries', maxDeliveries);
  checks.whole('redelivery.pauseMs', pauseMs, 0, longestTimerMs);
  checks.whole('redelivery.maxPauseMs', maxPauseMs, 0, longestTimerMs);
  if (deadLetterTopic !== undefined) checkTopic(deadLetterTopic, `${who}: option redelivery.deadLetterTopic`);
  return { maxDeliveries, pauseMs, maxPauseMs, deadLetterTopic };
}

/** How long a message waits after its delivery of this number has failed. */
export function pauseAfter(delivery: number, { pauseMs, maxPauseMs }: RedeliverySettings): number {
  return Math.min(pauseMs * 2 ** (delivery - 1), maxPauseMs);
}

/** Returns the dead-letter topic of a message of `topic`; `undefined` where `topic` is a dead-letter topic itself. */
export function deadLetterTopicOf(topic: string, { deadLetterTopic }: RedeliverySettings): string | undefined {
  const target = deadLetterTopic ?? deadLetterPrefix + topic;
  return topic === target || (deadLetterTopic === undefined && topic.startsWith(deadLetterPrefix)) ? undefined : target;
}

/**
 * What can be stored of a message that has failed to the last, with what is known of its failure in its headers: all of
 * it; where that is refused for good, as others write what this broker does not, its body; else nothing of it.
 */
export function* deadLettersOf({ topic, message, delivery }: BrokerEvent, reason: unknown): Generator<Message> {
  const { headers, body } = message;
  const text = MicroError.textOf(reason)
    .replaceAll(/[\s\p{Cc}]+/gu, ' ')
    .trim()
    .slice(0, longestReason)
    .trim();
  const told = {
    'Dead-Letter-Topic': topic,
    'Dead-Letter-Reason': text,
    'Dead-Letter-Deliveries': String(delivery ?? 1),
  };
  yield { headers: { ...headers, ...told }, body };
  yield { headers: { ...told, 'Dead-Letter-Without': 'headers' }, body };
  const without = `headers and ${body.length} bytes`;
  yield { headers: { ...told, 'Dead-Letter-Without': without }, body: new Uint8Array(0) };
}
