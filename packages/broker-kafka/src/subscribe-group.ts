import type { Message as Delivery } from '@platformatic/kafka';
import type { AbortOptions, BrokerHandler, Logger, Message, SubscribeOptions, Subscriber } from '@ts-micro/core';
import { type RedeliverySettings, SettlingSubscriber } from '@ts-micro/kit';
import { decode } from './envelope.ts';
import { GroupReader } from './group-reader.ts';
import { type KafkaSettings, who } from './kafka-broker-options.ts';

export interface GroupSubscription extends Pick<SubscribeOptions, 'queue' | 'concurrency' | 'onError'> {
  readonly settings: KafkaSettings;
  readonly topic: string;
  readonly group: string;
  readonly handler: BrokerHandler;
  readonly redelivery: RedeliverySettings;
  /** Whether events tell the number of their delivery. */
  readonly isCounted: boolean;
  /** Publishes what has failed to the last. */
  readonly bury: (topic: string, message: Message) => Promise<void>;
  readonly logger: Logger;
}

export type StartedSubscriber = Subscriber & { start(options: AbortOptions): Promise<void> };

/** A subscriber in a consumer group: what its handler has done with is committed. */
export function subscribeGroup(options: GroupSubscription): StartedSubscriber {
  const { settings, topic, group, queue, redelivery, logger } = options;
  const timers = new Set<ReturnType<typeof setTimeout>>();
  let isEnding = false;
  const hand = (delivery: Delivery, number: number): void => {
    subscriber.push({
      event: () => ({
        topic,
        message: decode(delivery),
        ...(options.isCounted && { delivery: number }),
      }),
      done: () => reader.done(delivery),
      again: (pauseMs) => {
        // Stays uncommitted, and goes to another member.
        if (isEnding) return;
        const timer = setTimeout(() => {
          timers.delete(timer);
          hand(delivery, number + 1);
        }, pauseMs);
        timers.add(timer);
      },
    });
  };
  const reader = new GroupReader({
    settings,
    topic,
    group,
    isShared: queue !== undefined,
    hasRoom: () => subscriber.held.size < (options.concurrency ?? 1),
    onMessage: (delivery) => hand(delivery, 1),
  });
  const subscriber: SettlingSubscriber = new SettlingSubscriber({
    what: `${who}: subscriber of "${topic}"`,
    topic,
    // A plain subscriber has none.
    queue: queue as string,
    handler: options.handler,
    concurrency: options.concurrency,
    onError: options.onError,
    redelivery,
    publishDeadLetter: (target, message) => options.bury(target, message),
    stop: () => reader.stop(),
    onSettled: () => reader.handOut(),
    logger,
    closeTimeoutMs: settings.closeTimeoutMs,
  });
  const closeHandlers = subscriber.close.bind(subscriber);
  const close = async (closeOptions?: AbortOptions): Promise<void> => {
    isEnding = true;
    await closeHandlers(closeOptions);
    for (const timer of timers) clearTimeout(timer);
    // The others hear of it now, or once the session has run out.
    await reader.end(closeOptions ?? {}).catch(() => {});
  };
  return Object.assign(subscriber, {
    start: (startOptions: AbortOptions) => reader.start(startOptions),
    close,
    [Symbol.asyncDispose]: () => close(),
  });
}
