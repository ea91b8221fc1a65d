import { type BrokerEvent, type Message, MicroError } from '@ts-micro/core';
import { OptionChecks } from '../lifecycle/options.ts';
import { pause } from '../lifecycle/timers.ts';
import { deadLettersOf, deadLetterTopicOf, pauseAfter, type RedeliverySettings } from './durability.ts';
import { HandlerSubscriber, type HandlerSubscriberOptions } from './handler-subscriber.ts';

/** One message that a durable queue has lent to a member, until it is settled: `done` or `again`. Neither may throw. */
export interface Delivery {
  /** Tells the message from every other; the same at each delivery. */
  readonly id?: string | undefined;
  /** What it is held under; of two with the same only the newer one is settled. @default the delivery itself */
  readonly key?: unknown;
  /** Makes the event, with the number of the delivery. What it throws is reported as `malformed`, and it is done. */
  event(): BrokerEvent;
  /** The queue has done with it. */
  done(): void;
  /** It comes again, to whatever member: after `pauseMs`, or at once where that is 0. */
  again(pauseMs: number): void;
  /**
   * Notes for all members that the last handler begins, until `done`; false where that was noted before. Without it
   * a delivery beyond the last is never handled.
   */
  last?: (() => Promise<boolean>) | undefined;
}

/** `stop` ends the flow of deliveries: what is pushed until it resolves goes back to the queue. */
export interface SettlingSubscriberOptions<D extends Delivery>
  extends Omit<HandlerSubscriberOptions<D>, 'queue' | 'eventOf' | 'limit' | 'onFinished'> {
  /** Undefined for one that gets everything. */
  readonly queue: string | undefined;
  readonly redelivery: RedeliverySettings;
  /** Stores a message that has failed to the last. Where it rejects, the message comes again. */
  readonly publishDeadLetter: (topic: string, message: Message, delivery: D) => Promise<void>;
  /** Called after a delivery was settled: there is room for another. */
  readonly onSettled?: ((delivery: D) => void) | undefined;
}

// How long a last handler runs before the next one begins: what kills its process mostly does so at once.
const aloneMs = 200;
const mostFailures = 10_000;

/**
 * A member of a durable queue. A delivery is settled only after its handler: done, or to come again after a pause that
 * grows, and to the dead-letter topic after the last. What is not handled at a close goes back to the queue at once.
 *
 * A message may kill its process, and what is in hand with it comes again as often as it does. So a last delivery that
 * did not follow a failure here is noted and handled alone among its like; one that was noted before goes to the
 * dead-letter topic unhandled.
 */
export class SettlingSubscriber<D extends Delivery = Delivery> extends HandlerSubscriber<D> {
  readonly #options: SettlingSubscriberOptions<D>;
  readonly #held = new Map<unknown, D>();
  /** That of the event which was made last: its handler is called next. */
  #current: D | undefined;
  /** Messages whose last delivery has failed here, and killed nobody. */
  readonly #failures = new Set<string>();
  /** Resolves once another last handler may begin. */
  #turn: Promise<unknown> = Promise.resolve();

  /** Throws `invalid` for a handler that is no function, and a `concurrency` that is not a whole number from 1. */
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
          for (const delivery of this.takeBack()) this.#again(delivery, 0);
        }
      },
      onFinished: () => {
        for (const delivery of this.#held.values()) this.#again(delivery, 0);
      },
    });
    new OptionChecks(options.what).function('handler', options.handler);
    this.#options = options;
  }

  /**
   * The deliveries that are not settled yet, by their keys. The backend keeps them from running out while a handler
   * takes long.
   */
  get held(): ReadonlyMap<unknown, D> {
    return this.#held;
  }

  /** Takes one delivery in; one that comes after the beginning of the end goes back. Never throws. */
  override push(delivery: D): void {
    if (this.isOpen) {
      this.#held.set(delivery.key ?? delivery, delivery);
      super.push(delivery);
    } else {
      delivery.again(0);
    }
  }

  /** Takes back the deliveries whose handlers have not begun: they are nobody's then. */
  protected takeUnbegun(): D[] {
    const all = this.takeBack();
    for (const delivery of all) this.#letGo(delivery);
    return all;
  }

  #eventOf(delivery: D): BrokerEvent {
    try {
      const event = delivery.event();
      this.#current = delivery;
      return event;
    } catch (error) {
      this.#done(delivery);
      throw error;
    }
  }

  #handle(event: BrokerEvent): void | Promise<void> {
    const delivery = this.#current as D;
    this.#current = undefined;
    const { maxDeliveries } = this.#options.redelivery;
    const number = event.delivery ?? 1;
    if (number < maxDeliveries || number === 1 || (number === maxDeliveries && this.#hasFailedHere(delivery))) {
      return this.#run(delivery, event);
    }
    if (maxDeliveries === 1 || delivery.last === undefined) {
      return number > maxDeliveries ? this.#refuse(delivery, event, number - 1) : this.#run(delivery, event);
    }
    return this.#runLast(delivery, event, delivery.last.bind(delivery));
  }

  async #runLast(delivery: D, event: BrokerEvent, note: () => Promise<boolean>): Promise<void> {
    const number = event.delivery ?? 1;
    const { maxDeliveries } = this.#options.redelivery;
    const before = this.#turn;
    let next: () => void = () => {};
    this.#turn = new Promise<void>((resolve) => {
      next = resolve;
    });
    await before;
    try {
      // Where it cannot be noted, the number alone decides.
      const isFirst = await note().catch(() => number === maxDeliveries);
      if (!isFirst) return await this.#refuse(delivery, event, number - 1);
      const running = this.#run(delivery, event);
      if (running !== undefined) await Promise.race([running.catch(() => {}), pause(aloneMs)]);
      next();
      await running;
    } finally {
      next();
    }
  }

  /** Settles at once where the handler returns nothing: most do, and there are many. */
  #run(delivery: D, event: BrokerEvent): void | Promise<void> {
    let handling: void | Promise<void>;
    try {
      handling = this.#options.handler(event);
    } catch (error) {
      return this.#onFailure(delivery, event, error);
    }
    if (handling === undefined) return this.#done(delivery);
    return this.#settleAfter(handling, delivery, event);
  }

  async #settleAfter(handling: Promise<void>, delivery: D, event: BrokerEvent): Promise<void> {
    try {
      await handling;
    } catch (error) {
      return this.#onFailure(delivery, event, error);
    }
    this.#done(delivery);
  }

  async #onFailure(delivery: D, event: BrokerEvent, error: unknown): Promise<never> {
    const { redelivery } = this.#options;
    const number = event.delivery ?? 1;
    if (number >= redelivery.maxDeliveries) await this.#bury(delivery, event, error);
    else {
      this.#noteFailure(delivery);
      this.#again(delivery, pauseAfter(number, redelivery));
    }
    throw error;
  }

  #hasFailedHere({ id }: D): boolean {
    return id !== undefined && this.#failures.delete(id);
  }

  #noteFailure({ id }: D): void {
    if (id === undefined) return;
    this.#failures.delete(id);
    this.#failures.add(id);
    if (this.#failures.size <= mostFailures) return;
    for (const oldest of this.#failures) {
      this.#failures.delete(oldest);
      break;
    }
  }

  /** Its members died, or gave it back; a handler that runs once more may be the end of this one too. */
  async #refuse(delivery: D, event: BrokerEvent, deliveries: number): Promise<void> {
    const text = `${this.#options.what}: delivered ${deliveries} times, and no member has settled it`;
    const reason = new MicroError('internal', text);
    this.report(reason, event);
    await this.#bury(delivery, { ...event, delivery: deliveries }, reason);
  }

  async #bury(delivery: D, event: BrokerEvent, reason: unknown): Promise<void> {
    const { redelivery } = this.#options;
    const target = deadLetterTopicOf(event.topic, redelivery);
    try {
      if (target !== undefined) await this.#store(target, delivery, event, reason);
    } catch (cause) {
      this.report(this.#undeliverable(target, cause), event);
      return this.#again(delivery, redelivery.maxPauseMs);
    }
    this.#done(delivery);
  }

  /**
   * Stores what can be stored of it: what is refused for good would come again without end, and in the end there would
   * be nothing else in hand.
   */
  async #store(target: string, delivery: D, event: BrokerEvent, reason: unknown): Promise<void> {
    let refused: unknown;
    for (const letter of deadLettersOf(event, reason)) {
      try {
        await this.#options.publishDeadLetter(target, letter, delivery);
        if (refused !== undefined) this.report(this.#undeliverable(target, refused), event);
        return;
      } catch (cause) {
        if (!MicroError.is(cause, 'invalid') && !MicroError.is(cause, 'too_large')) throw cause;
        refused ??= cause;
      }
    }
    throw refused;
  }

  #undeliverable(target: string | undefined, cause: unknown): MicroError {
    return MicroError.from(cause, 'unavailable', `${this.#options.what}: publishing on "${target}"`);
  }

  #done(delivery: D): void {
    if (!this.#letGo(delivery)) return;
    delivery.done();
    this.#options.onSettled?.(delivery);
  }

  #again(delivery: D, pauseMs: number): void {
    if (!this.#letGo(delivery)) return;
    delivery.again(pauseMs);
    this.#options.onSettled?.(delivery);
  }

  /** False where it was given back before, at a close that no longer waited. */
  #letGo(delivery: D): boolean {
    const key = delivery.key ?? delivery;
    return this.#held.get(key) === delivery && this.#held.delete(key);
  }
}
