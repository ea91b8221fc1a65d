import { type BrokerEvent, type Message, MicroError } from '@ts-micro/core';
import { deadLetterOf, deadLetterTopicOf, pauseAfter, type RedeliverySettings } from './durability.ts';
import { HandlerSubscriber, type HandlerSubscriberOptions } from './handler-subscriber.ts';

/** One message that a durable queue has lent to a member, until it is settled: `done` or `again`. Neither may throw. */
export interface Delivery {
  /** Makes the event, with the number of the delivery. What it throws is reported as `malformed`, and it is done. */
  event(): BrokerEvent;
  /** The queue has done with it. */
  done(): void;
  /** It comes again, to whatever member: after `pauseMs`, or at once where that is 0. */
  again(pauseMs: number): void;
}

/** `stop` ends the flow of deliveries: what is pushed until it resolves goes back to the queue. */
export interface SettlingSubscriberOptions<D extends Delivery>
  extends Omit<HandlerSubscriberOptions<D>, 'queue' | 'eventOf' | 'limit' | 'onFinished'> {
  readonly queue: string;
  readonly redelivery: RedeliverySettings;
  /** Stores a message that has failed to the last. Where it rejects, the message comes again. */
  readonly publishDeadLetter: (topic: string, message: Message, delivery: D) => Promise<void>;
  /** Called after a delivery was settled: there is room for another. */
  readonly onSettled?: ((delivery: D) => void) | undefined;
}

/**
 * A member of a durable queue. A delivery is settled only after its handler: done, or to come again after a pause that
 * grows, and to the dead-letter topic after the last. What is not handled at a close goes back to the queue at once.
 *
 * A delivery beyond the last goes to the dead-letter topic unhandled: it may be what its members died of.
 */
export class SettlingSubscriber<D extends Delivery = Delivery> extends HandlerSubscriber<D> {
  readonly #options: SettlingSubscriberOptions<D>;
  readonly #held = new Set<D>();
  readonly #deliveries = new WeakMap<BrokerEvent, D>();

  /** Throws `invalid` for a `concurrency` that is not a whole number from 1. */
  constructor(options: SettlingSubscriberOptions<D>) {
    super({
      ...options,
      // The backend lends no more than there is room for.
      limit: Number.POSITIVE_INFINITY,
      eventOf: (delivery) => this.#eventOf(delivery),
      handler: (event) => this.#handle(event),
      stop: (closeOptions) => {
        // The flow ends first: what is given back before would come straight back.
        try {
          return options.stop(closeOptions);
        } finally {
          for (const delivery of this.takeBack()) this.#settle(delivery, () => delivery.again(0));
        }
      },
      onFinished: () => {
        for (const delivery of this.#held) this.#settle(delivery, () => delivery.again(0));
      },
    });
    this.#options = options;
  }

  /** The deliveries that are not settled yet. The backend keeps them from running out while a handler takes long. */
  get held(): ReadonlySet<D> {
    return this.#held;
  }

  /** Takes one delivery in; one that comes after the beginning of the end goes back. Never throws. */
  override push(delivery: D): void {
    if (this.isOpen) {
      this.#held.add(delivery);
      super.push(delivery);
    } else {
      delivery.again(0);
    }
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
    const { handler, redelivery } = this.#options;
    const number = event.delivery ?? 1;
    if (number > redelivery.maxDeliveries) return this.#refuse(delivery, event, number - 1);
    try {
      await handler(event);
    } catch (error) {
      if (number === redelivery.maxDeliveries) await this.#bury(delivery, event, error);
      else this.#settle(delivery, () => delivery.again(pauseAfter(number, redelivery)));
      throw error;
    }
    this.#settle(delivery, () => delivery.done());
  }

  /** Its members died, or gave it back; a handler that runs once more may be the end of this one too. */
  async #refuse(delivery: D, event: BrokerEvent, deliveries: number): Promise<void> {
    const text = `${this.#options.what}: delivered ${deliveries} times, and no member has settled it`;
    const reason = new MicroError('internal', text);
    this.report(reason, event);
    await this.#bury(delivery, { ...event, delivery: deliveries }, reason);
  }

  async #bury(delivery: D, event: BrokerEvent, reason: unknown): Promise<void> {
    const { what, redelivery, publishDeadLetter } = this.#options;
    const target = deadLetterTopicOf(event.topic, redelivery);
    try {
      if (target !== undefined) await publishDeadLetter(target, deadLetterOf(event, reason), delivery);
    } catch (cause) {
      this.report(MicroError.from(cause, 'unavailable', `${what}: publishing on "${target}"`));
      return this.#settle(delivery, () => delivery.again(redelivery.maxPauseMs));
    }
    this.#settle(delivery, () => delivery.done());
  }

  #settle(delivery: D, settle: () => void): void {
    // It was given back at a close that no longer waited.
    if (!this.#held.delete(delivery)) return;
    settle();
    this.#options.onSettled?.(delivery);
  }
}
