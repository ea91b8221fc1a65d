import {
  type AbortOptions,
  type BrokerEvent,
  type BrokerHandler,
  checkName,
  HandlerQueue,
  Lifetime,
  type Logger,
  type MicroError,
  type SubscribeOptions,
  type Subscriber,
  topicMatcher,
} from '@ts-micro/core';
import type { Network } from '../network.ts';

interface SubscriberInit {
  readonly network: Network;
  readonly topic: string;
  readonly handler: BrokerHandler;
  readonly options: SubscribeOptions;
  readonly maxQueuedMessages: number;
  readonly closeTimeoutMs: number;
  readonly logger: Logger;
}

const who = 'memory broker';

export class MemorySubscriber implements Subscriber {
  readonly topic: string;
  readonly queue: string | undefined;
  readonly matches: (topic: string) => boolean;
  readonly #events: HandlerQueue;
  readonly #lifetime: Lifetime;

  /** Subscribes on the network until it is closed. Throws `invalid` for the topic, the queue or the concurrency. */
  constructor({ network, topic, handler, options, maxQueuedMessages, closeTimeoutMs, logger }: SubscriberInit) {
    const { queue, concurrency, onError } = options;
    if (queue !== undefined) checkName(queue, `${who}: queue`);
    this.matches = topicMatcher(topic, who);
    this.topic = topic;
    this.queue = queue;
    const what = `${who}: subscriber of ${topic}`;
    const eventOf = (event: BrokerEvent) => event;
    this.#events = new HandlerQueue({ what, handler, eventOf, concurrency, onError, limit: maxQueuedMessages, logger });
    this.#lifetime = new Lifetime(what, (closeOptions) => {
      network.topics.delete(this);
      return this.#events.finish(closeOptions, closeTimeoutMs);
    });
    network.topics.add(this);
  }

  /** Queues one event for the handler. */
  deliver(event: BrokerEvent): void {
    this.#events.push(event);
  }

  get closed(): Promise<MicroError | undefined> {
    return this.#lifetime.closed;
  }

  close(options?: AbortOptions): Promise<void> {
    return this.#lifetime.close(options);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
