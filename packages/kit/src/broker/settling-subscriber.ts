import {
  type AbortOptions,
  type BrokerEvent,
  type Logger,
  type Message,
  MicroError,
  type SubscribeOptions,
  type Subscriber,
} from '@ts-micro/core';
import { bounded } from '../lifecycle/bounded.ts';
import { Lifetime } from '../lifecycle/lifetime.ts';
import { deadLetterOf, deadLetterTopicOf, pauseAfter, type RedeliverySettings } from './durability.ts';
import { HandlerQueue } from './handler-queue.ts';

/** One message that a durable queue has lent to a member, until it is settled: `done` or `again`. Neither may throw. */
export interface Delivery {
  /** Makes the event, with the number of the delivery. What it throws is reported as `malformed`, and it is done. */
  event(): BrokerEvent;
  /** The queue has done with it. */
  done(): void;
  /** It comes again, to whatever member: after `pauseMs`, or at once where that is 0. */
  again(pauseMs: number): void;
}

export interface SettlingSubscriberOptions<D extends Delivery>
  extends Pick<SubscribeOptions, 'concurrency' | 'onError'> {
  /** Begins every message: `redis broker: subscriber of "a.b"`. */
  readonly what: string;
  readonly topic: string;
  readonly queue: string;
  readonly handler: (event: BrokerEvent) => void | Promise<void>;
  readonly redelivery: RedeliverySettings;
  /** Stores a message that has failed to the last. Where it rejects, the message comes again. */
  readonly publishDeadLetter: (topic: string, message: Message, delivery: D) => Promise<void>;
  /** Ends the flow of deliveries. What is pushed until it resolves goes back to the queue. */
  readonly stop: (options: AbortOptions) => unknown;
  /** Called after a delivery was settled: there is room for another. */
  readonly onSettled?: (() => void) | undefined;
  readonly logger?: Logger | undefined;
  /** How long closing waits for `stop` and for running handlers, in milliseconds. @default 10000 */
  readonly closeTimeoutMs?: number | undefined;
}

/**
 * A member of a durable queue. A delivery is settled only after its handler: done, or to come again after a pause that
 * grows, and to the dead-letter topic after the last. What is not handled at a close goes back to the queue at once.
 */
export class SettlingSubscriber<D extends Delivery = Delivery> implements Subscriber {
  readonly topic: string;
  readonly queue: string;
  readonly #options: SettlingSubscriberOptions<D>;
  readonly #items: HandlerQueue<D>;
  readonly #held = new Set<D>();
  readonly #deliveries = new WeakMap<BrokerEvent, D>();
  readonly #lifetime: Lifetime;

  /** Throws `invalid` for a `concurrency` that is not a whole number from 1. */
  constructor(options: SettlingSubscriberOptions<D>) {
    const { what, topic, queue, concurrency, onError, logger } = options;
    this.topic = topic;
    this.queue = queue;
    this.#options = options;
    this.#items = new HandlerQueue<D>({
      what,
      concurrency,
      onError,
      logger,
      // The backend lends no more than there is room for.
      limit: Number.POSITIVE_INFINITY,
      eventOf: (delivery) => this.#eventOf(delivery),
      handler: (event) => this.#handle(event),
    });
    this.#lifetime = new Lifetime(what, (closeOptions) => this.#release(closeOptions));
  }

  /** What was pushed and is not settled: while a handler runs long, the backend must not take it for lost. */
  get held(): ReadonlySet<D> {
    return this.#held;
  }

  /** Takes one delivery in; one that comes after the beginning of the end goes back. Never throws. */
  push(delivery: D): void {
    if (this.#lifetime.isOpen) {
      this.#held.add(delivery);
      this.#items.push(delivery);
    } else {
      delivery.again(0);
    }
  }

  /** Tells `onError`, or the log where there is none. Never throws. */
  report(error: MicroError): void {
    this.#items.report(error);
  }

  /** Ends it because of `cause`, as when the backend takes the subscription away. */
  fail(cause: MicroError): Promise<void> {
    return this.#lifetime.fail(cause);
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

  #eventOf(delivery: D): BrokerEvent {
    try {
      const event = delivery.event();
      this.#deliveries.set(event, delivery);
      return event;
    } catch (error) {
      this.#settle(delivery, () => delivery.done());
      throw error;
    }
  }

  async #handle(event: BrokerEvent): Promise<void> {
    const delivery = this.#deliveries.get(event) as D;
    try {
      await this.#options.handler(event);
    } catch (error) {
      await this.#onFailure(delivery, event, error);
      throw error;
    }
    this.#settle(delivery, () => delivery.done());
  }

  async #onFailure(delivery: D, event: BrokerEvent, error: unknown): Promise<void> {
    const { redelivery, publishDeadLetter } = this.#options;
    const number = event.delivery ?? 1;
    if (number < redelivery.maxDeliveries) {
      return this.#settle(delivery, () => delivery.again(pauseAfter(number, redelivery)));
    }
    const target = deadLetterTopicOf(event.topic, redelivery);
    try {
      if (target !== undefined) await publishDeadLetter(target, deadLetterOf(event, error), delivery);
    } catch (cause) {
      this.report(MicroError.from(cause, 'unavailable', `${this.#options.what}: publishing on "${target}"`));
      return this.#settle(delivery, () => delivery.again(redelivery.maxPauseMs));
    }
    this.#settle(delivery, () => delivery.done());
  }

  #settle(delivery: D, settle: () => void): void {
    // It was given back at a close that no longer waited.
    if (!this.#held.delete(delivery)) return;
    settle();
    this.#options.onSettled?.();
  }

  async #release(options: AbortOptions): Promise<void> {
    const { what, stop, closeTimeoutMs = 10_000 } = this.#options;
    const deadline = performance.now() + closeTimeoutMs;
    for (const delivery of this.#items.takeBack()) this.#settle(delivery, () => delivery.again(0));
    try {
      await bounded(Promise.resolve(stop(options)), options, closeTimeoutMs, `${what}: ending the subscription`);
    } catch {
      // It has ended all the same; that handlers still run past the deadline is found next.
    }
    try {
      await this.#items.finish(options, Math.max(0, deadline - performance.now()));
    } finally {
      for (const delivery of this.#held) this.#settle(delivery, () => delivery.again(0));
    }
  }
}
