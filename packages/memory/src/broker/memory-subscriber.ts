import {
  type AbortOptions,
  type BrokerEvent,
  type BrokerHandler,
  Lifetime,
  type Logger,
  Mailbox,
  MicroError,
  type SubscribeOptions,
  type Subscriber,
} from '@ts-micro/core';
import { bounded } from '../bounded.ts';
import { checkCount } from '../check-count.ts';
import { checkName } from '../check-name.ts';
import type { Network } from '../network.ts';
import { topicMatcher } from './topic.ts';

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
  readonly #handler: BrokerHandler;
  readonly #onError: SubscribeOptions['onError'];
  readonly #closeTimeoutMs: number;
  readonly #logger: Logger;
  readonly #what: string;
  readonly #mailbox: Mailbox<BrokerEvent>;
  readonly #concurrency: number;
  readonly #workers: Promise<void>[] = [];
  readonly #lifetime: Lifetime;
  /** Events delivered whose handler has not settled. */
  #unhandled = 0;

  /** Subscribes on the network until it is closed. Throws `invalid` for the topic, the queue or the concurrency. */
  constructor({ network, topic, handler, options, maxQueuedMessages, closeTimeoutMs, logger }: SubscriberInit) {
    const { queue, concurrency = 1, onError } = options;
    if (queue !== undefined) checkName(queue, `${who}: queue`);
    checkCount(concurrency, `${who}: concurrency`);
    this.matches = topicMatcher(topic, who);
    this.topic = topic;
    this.queue = queue;
    this.#handler = handler;
    this.#onError = onError;
    this.#closeTimeoutMs = closeTimeoutMs;
    this.#logger = logger;
    this.#what = `${who}: subscriber of ${topic}`;
    this.#mailbox = new Mailbox(this.#what, maxQueuedMessages);
    this.#concurrency = concurrency;
    this.#lifetime = new Lifetime(this.#what, (closeOptions) => {
      network.topics.delete(this);
      return this.#release(closeOptions);
    });
    network.topics.add(this);
  }

  /** Queues one event for the handler; where too many wait already it is dropped and reported. */
  deliver(event: BrokerEvent): void {
    if (!this.#mailbox.push(event)) {
      const text = `${this.#what}: dropped a message, as ${this.#mailbox.size} wait already`;
      void this.#report(new MicroError('unavailable', text), event);
      return;
    }
    this.#unhandled++;
    if (this.#workers.length < this.#concurrency) this.#workers.push(this.#work());
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

  // Takes one event after the other, until the mailbox has ended and is empty.
  async #work(): Promise<void> {
    for await (const event of this.#mailbox) {
      try {
        await this.#handler(event);
      } catch (error) {
        void this.#report(new MicroError('internal', `${this.#what}: the handler failed`, { cause: error }), event);
      }
      this.#unhandled--;
    }
  }

  async #report(error: MicroError, event: BrokerEvent): Promise<void> {
    if (!this.#onError) {
      this.#logger.error('message was not handled', { topic: event.topic, error });
      return;
    }
    try {
      await this.#onError(error, event);
    } catch (thrown) {
      this.#logger.error('onError failed', { topic: event.topic, error: thrown });
    }
  }

  async #release(options: AbortOptions): Promise<void> {
    this.#mailbox.end();
    if (this.#unhandled === 0) return;
    const what = `${this.#what}: closing with ${this.#unhandled} messages to handle`;
    try {
      await bounded(Promise.all(this.#workers), options, this.#closeTimeoutMs, what);
    } catch (error) {
      this.#mailbox.end(undefined, { drop: true });
      throw error;
    }
  }
}
