import {
  type AbortOptions,
  abortable,
  type BrokerEvent,
  type BrokerHandler,
  Lifetime,
  type Logger,
  MicroError,
  type SubscribeOptions,
  type Subscriber,
} from '@ts-micro/core';
import type { NatsConnection, NatsMessage, NatsSubscription } from '@ts-micro/nats';
import { decodeMessage } from './message-format.ts';
import { PendingMessages } from './pending-messages.ts';

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

const dropReportMs = 1000;

/** One subscription: the read loop only queues, and up to `concurrency` workers call the handler. */
export class NatsSubscriber implements Subscriber {
  readonly topic: string;
  readonly queue: string | undefined;
  readonly #options: NatsSubscriberOptions;
  readonly #what: string;
  readonly #lifetime: Lifetime;
  readonly #subscription: NatsSubscription;
  readonly #pending = new PendingMessages();
  readonly #work = () => void this.#workOff();
  #workers = 0;
  #onIdle: (() => void) | undefined;
  #isConfirmed = false;
  #dropped = 0;
  #dropReportedAt = Number.NEGATIVE_INFINITY;

  constructor(options: NatsSubscriberOptions) {
    this.#options = options;
    this.topic = options.topic;
    this.queue = options.queue;
    this.#what = `nats broker: subscriber of "${options.topic}"`;
    this.#lifetime = new Lifetime(this.#what, (closeOptions) => this.#release(closeOptions));
    this.#subscription = options.connection.subscribe(options.topic, {
      queue: options.queue,
      onMessage: (message) => this.#take(message),
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

  #take(message: NatsMessage): void {
    if (this.#pending.size >= this.#options.maxPendingMessages) {
      this.#dropped++;
      this.#reportDropped();
      return;
    }
    this.#pending.push(message);
    if (this.#workers === this.#options.concurrency) return;
    this.#workers++;
    // Not now: the read loop first queues all that came with this message.
    queueMicrotask(this.#work);
  }

  async #workOff(): Promise<void> {
    const { handler } = this.#options;
    for (let message = this.#pending.take(); message !== undefined; message = this.#pending.take()) {
      let event: BrokerEvent | undefined;
      try {
        event = { topic: message.subject, message: decodeMessage(message) };
        const handling = handler(event);
        // Most handlers of events return nothing, and then there is nothing to wait for.
        if (handling !== undefined) await handling;
      } catch (cause) {
        void this.#report(new MicroError('internal', `${this.#what}: the handler failed`, { cause }), event);
      }
    }
    this.#workers--;
    if (this.#workers > 0) return;
    this.#onIdle?.();
    if (this.#dropped > 0) this.#reportDropped();
  }

  async #report(error: MicroError, event?: BrokerEvent): Promise<void> {
    const { logger, onError } = this.#options;
    if (onError === undefined) {
      logger.error('message was not handled', { topic: event?.topic ?? this.topic, error });
      return;
    }
    try {
      await onError(error, event);
    } catch (thrown) {
      logger.error('onError failed', { topic: this.topic, error: thrown });
    }
  }

  /** Not for each message: there may be very many, and there is no time as it is. */
  #reportDropped(): void {
    const now = performance.now();
    if (now - this.#dropReportedAt < dropReportMs) return;
    const what = `${this.#dropped} messages dropped, as ${this.#options.maxPendingMessages} were waiting already`;
    this.#options.logger.warn('messages dropped', { topic: this.topic, queue: this.queue, dropped: this.#dropped });
    this.#dropReportedAt = now;
    this.#dropped = 0;
    if (this.#options.onError) void this.#report(new MicroError('unavailable', `${this.#what}: ${what}`));
  }

  #refused(error: MicroError): void {
    void this.#lifetime.fail(error);
    // Before it is confirmed, `subscribe` rejects with it.
    if (this.#isConfirmed) void this.#report(error);
  }

  async #release({ signal }: AbortOptions): Promise<void> {
    const bound = AbortSignal.timeout(this.#options.closeTimeoutMs);
    const deadline = signal ? AbortSignal.any([signal, bound]) : bound;
    try {
      await this.#drain(deadline);
      await abortable(this.#idle(), deadline, `${this.#what}: closing with handlers running`);
    } finally {
      this.#pending.clear();
      this.#onIdle = undefined;
    }
  }

  /** What the server has already chosen this member of a queue for must not be lost. */
  async #drain(signal: AbortSignal): Promise<void> {
    try {
      await this.#subscription.drain({ signal });
    } catch (error) {
      // It has ended all the same; that handlers still run past the deadline is found next.
      this.#options.logger.debug('subscription ended without a drain', { topic: this.topic, error });
    }
  }

  #idle(): Promise<void> {
    if (this.#workers === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onIdle = resolve;
    });
  }
}
