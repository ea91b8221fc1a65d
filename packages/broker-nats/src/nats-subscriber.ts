import type { AbortOptions, BrokerHandler, Logger, MicroError, SubscribeOptions, Subscriber } from '@ts-micro/core';
import { bounded, HandlerQueue, Lifetime } from '@ts-micro/kit';
import type { NatsConnection, NatsMessage, NatsSubscription } from '@ts-micro/nats';
import { decodeMessage } from './message-format.ts';

export interface NatsSubscriberOptions {
  readonly connection: NatsConnection;
  readonly topic: string;
  readonly handler: BrokerHandler;
  readonly queue: string | undefined;
  readonly concurrency: number;
  readonly onError: SubscribeOptions['onError'];
  readonly maxPendingMessages: number;
  readonly closeTimeoutMs: number;
  readonly logger: Logger;
}

/** One subscription: the read loop only queues, and up to `concurrency` workers call the handler. */
export class NatsSubscriber implements Subscriber {
  readonly topic: string;
  readonly queue: string | undefined;
  readonly #closeTimeoutMs: number;
  readonly #logger: Logger;
  readonly #what: string;
  readonly #events: HandlerQueue<NatsMessage>;
  readonly #lifetime: Lifetime;
  readonly #subscription: NatsSubscription;
  #isConfirmed = false;

  constructor(options: NatsSubscriberOptions) {
    const { connection, topic, handler, queue, concurrency, onError, maxPendingMessages, logger } = options;
    this.topic = topic;
    this.queue = queue;
    this.#closeTimeoutMs = options.closeTimeoutMs;
    this.#logger = logger;
    this.#what = `nats broker: subscriber of "${topic}"`;
    this.#lifetime = new Lifetime(this.#what, (closeOptions) => this.#release(closeOptions));
    this.#events = new HandlerQueue({
      what: this.#what,
      handler,
      eventOf: (message) => ({ topic: message.subject, message: decodeMessage(message) }),
      concurrency,
      onError,
      limit: maxPendingMessages,
      logger,
    });
    this.#subscription = connection.subscribe(topic, {
      queue,
      onMessage: (message) => this.#events.push(message),
      onError: (error) => this.#refused(error as MicroError),
    });
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

  /** Waits until a message published now would arrive. */
  async confirm(options: AbortOptions): Promise<void> {
    await this.#subscription.confirm(options);
    this.#lifetime.assertOpen();
    this.#isConfirmed = true;
  }

  #refused(error: MicroError): void {
    void this.#lifetime.fail(error);
    // Before it is confirmed, `subscribe` rejects with it.
    if (this.#isConfirmed) this.#events.report(error);
  }

  async #release(options: AbortOptions): Promise<void> {
    const deadline = performance.now() + this.#closeTimeoutMs;
    await this.#drain(options);
    await this.#events.finish(options, Math.max(0, deadline - performance.now()));
  }

  /** What the server has already chosen this member of a queue for must not be lost. */
  async #drain(options: AbortOptions): Promise<void> {
    try {
      const what = `${this.#what}: ending the subscription`;
      await bounded(this.#subscription.drain(options), options, this.#closeTimeoutMs, what);
    } catch (error) {
      // It has ended all the same; that handlers still run past the deadline is found next.
      this.#logger.debug('subscription ended without a drain', { topic: this.topic, error });
    }
  }
}
