import {
  type AbortOptions,
  type BrokerEvent,
  type BrokerHandler,
  type Logger,
  MicroError,
  type SubscribeOptions,
} from '@ts-micro/core';
import { Fifo } from '../collections/fifo.ts';
import { bounded } from '../lifecycle/bounded.ts';
import { isTurnOver, nextTurnOfLoop } from '../lifecycle/event-loop.ts';
import { OptionChecks } from '../lifecycle/options.ts';
import { OwnContext } from '../lifecycle/own-context.ts';
import { RateLimitedLogger } from '../lifecycle/rate-limited-logger.ts';
import { safeLogger } from '../lifecycle/safe-logger.ts';

export interface HandlerQueueOptions<Item> extends Pick<SubscribeOptions, 'concurrency' | 'onError'> {
  /** Begins every message: `redis broker: subscriber of "a.b"`. */
  readonly what: string;
  readonly handler: BrokerHandler;
  /**
   * Makes the event when its turn has come, so that what is dropped costs nothing. What it throws is reported like what
   * the handler throws.
   */
  readonly eventOf: (item: Item) => BrokerEvent;
  /** Items that may wait; what comes beyond is dropped, counted and reported as `unavailable`. @default 65536 */
  readonly limit?: number | undefined;
  /** Returns the bytes that an item holds, always the same. Without it only their number is bounded. */
  readonly bytesOf?: ((item: Item) => number) | undefined;
  /** Bytes that may wait, and one item more; what comes beyond is dropped likewise. @default 67108864 (64 MiB) */
  readonly limitBytes?: number | undefined;
  /** Bounds what the queues of one owner hold together. @default no bound */
  readonly total?: WaitingBytes | undefined;
  /**
   * Returns the item without memory that it shares with others, as with a whole read of a socket. Called for those that
   * come while more than 1024 wait.
   */
  readonly detach?: ((item: Item) => Item) | undefined;
  /**
   * Told of what fails where there is no `onError`, and of what is dropped, each at most once a second. @default silent
   */
  readonly logger?: Logger | undefined;
}

/**
 * What the queues of one owner hold together, such as those of a broker. A queue that holds less than a 64th of its own
 * bound has room all the same, so that a few do not take everything from the others.
 */
export interface WaitingBytes {
  readonly limit: number;
  used: number;
}

const dropReportMs = 1000;

/** From so many on, small items are detached from what they came with. */
const manyWait = 1024;
const alwaysShare = 1 / 64;

const settled = Promise.resolve();

/** How many items of quick handlers pass between two looks at the clock. */
const mostBetweenLooks = 16;

/**
 * The working half of a {@link Subscriber}: what the backend receives is pushed, and at most `concurrency` handlers run
 * at once, in the order of arrival.
 *
 * A handler that throws is reported and does not stop the others; `push` never throws, never waits, and calls no
 * handler itself. Each handler runs in an async context of its own, and the event loop turns every few milliseconds
 * however many items wait. Neither the logger nor `onError` can do harm by throwing.
 */
export class HandlerQueue<Item = BrokerEvent> {
  readonly #options: HandlerQueueOptions<Item>;
  readonly #concurrency: number;
  readonly #limit: number;
  readonly #limitBytes: number;
  readonly #bytesOf: ((item: Item) => number) | undefined;
  readonly #total: WaitingBytes;
  readonly #logger: Logger;
  /** For what a peer can cause with every message. */
  readonly #limitedLogger: RateLimitedLogger;
  readonly #waiting = new Fifo<Item>();
  #bytes = 0;
  /** Workers begin in the context in which this was made, not in that of whoever pushes. */
  readonly #context = new OwnContext();
  readonly #work = () => void this.#context.runInAsyncScope(this.#workOff, this);
  #workers = 0;
  #onIdle: (() => void) | undefined;
  #dropped = 0;
  #dropReportedAt = Number.NEGATIVE_INFINITY;
  /** Runs while drops wait for their report. */
  #reporting: NodeJS.Timeout | undefined;

  /** Throws `invalid` for a handler that is no function, and a `concurrency` that is not a whole number from 1. */
  constructor(options: HandlerQueueOptions<Item>) {
    const { what, concurrency = 1, limit = 65_536, limitBytes = 64 * 1024 * 1024 } = options;
    const logger = safeLogger(options.logger);
    const checks = new OptionChecks(what);
    checks.function('handler', options.handler);
    checks.optionalFunction('onError', options.onError);
    checks.whole('concurrency', concurrency);
    this.#options = options;
    this.#concurrency = concurrency;
    this.#limit = limit;
    this.#limitBytes = limitBytes;
    this.#bytesOf = options.bytesOf;
    this.#total = options.total ?? { limit: Number.POSITIVE_INFINITY, used: 0 };
    this.#logger = logger;
    this.#limitedLogger = new RateLimitedLogger(logger);
  }

  /** Takes one item in. */
  push(item: Item): void {
    const waiting = this.#waiting.size;
    if (waiting >= this.#limit || this.#isFullOfBytes) {
      this.#dropped++;
      // Not for each message: there may be very many, and there is no time as it is.
      if (this.#reporting === undefined) this.#reportDroppedInTime();
      return;
    }
    this.#waiting.push(waiting < manyWait ? item : this.#detach(item));
    if (this.#bytesOf !== undefined) this.#count(this.#bytesOf(item));
    if (this.#workers === this.#concurrency) return;
    this.#workers++;
    // Not now: who pushes is a read loop, which first takes in all that came together. By a promise, as
    // `queueMicrotask` makes an async resource for each.
    void settled.then(this.#work);
  }

  /** Takes back what waits for a handler: none of it is handled. */
  takeBack(): Item[] {
    const items: Item[] = [];
    for (let item = this.#take(); item !== undefined; item = this.#take()) items.push(item);
    return items;
  }

  /** Tells `onError`, or the log where there is none. Never throws. */
  report(error: MicroError, event?: BrokerEvent): void {
    void this.#report(error, event);
  }

  /**
   * Waits until everything pushed has been handled, or `signal` aborts or `boundMs` have passed: what still waits is
   * then forgotten, and it rejects with `canceled` or `timeout`.
   */
  async finish(options: AbortOptions, boundMs: number): Promise<void> {
    try {
      if (this.#workers === 0) return;
      const idle = new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
      await bounded(idle, options, boundMs, `${this.#options.what}: closing with handlers running`);
    } finally {
      this.#waiting.clear();
      this.#count(-this.#bytes);
      this.#onIdle = undefined;
      if (this.#dropped > 0) this.#reportDropped();
      this.#limitedLogger.end();
    }
  }

  /** Bytes that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  get #isFullOfBytes(): boolean {
    if (this.#bytes >= this.#limitBytes) return true;
    return this.#total.used >= this.#total.limit && this.#bytes >= this.#limitBytes * alwaysShare;
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    this.#total.used += bytes;
  }

  #detach(item: Item): Item {
    return this.#options.detach?.(item) ?? item;
  }

  #take(): Item | undefined {
    const item = this.#waiting.take();
    if (item !== undefined && this.#bytesOf !== undefined) this.#count(-this.#bytesOf(item));
    return item;
  }

  async #workOff(): Promise<void> {
    const { what, handler, eventOf } = this.#options;
    let untilLook = 1;
    let betweenLooks = 1;
    for (let item = this.#take(); item !== undefined; item = this.#take()) {
      let event: BrokerEvent | undefined;
      try {
        event = eventOf(item);
        // Seen by no other event, whatever the handler enters.
        const handling = new OwnContext().runInAsyncScope(handler, undefined, event);
        // Most handlers of events return nothing, and then there is nothing to wait for.
        if (handling !== undefined) await handling;
      } catch (cause) {
        // Without an event it was not the handler that threw.
        const error =
          event === undefined
            ? MicroError.from(cause, 'malformed', what)
            : new MicroError('internal', `${what}: the handler failed`, { cause });
        void this.#report(error, event);
      }
      if (--untilLook > 0) continue;
      if (isTurnOver()) {
        await nextTurnOfLoop();
        betweenLooks = 1;
      } else if (betweenLooks < mostBetweenLooks) betweenLooks *= 2;
      untilLook = betweenLooks;
    }
    this.#workers--;
    if (this.#workers === 0) this.#onIdle?.();
  }

  async #report(error: MicroError, event?: BrokerEvent): Promise<void> {
    const { what, onError } = this.#options;
    if (onError === undefined) {
      this.#limitedLogger.error('message was not handled', { subscriber: what, topic: event?.topic, error });
      return;
    }
    try {
      await onError(error, event);
    } catch (thrown) {
      this.#limitedLogger.error('onError failed', { subscriber: what, error: thrown });
    }
  }

  /** At once, or once the second after the last report is over. */
  #reportDroppedInTime(): void {
    const restMs = this.#dropReportedAt + dropReportMs - performance.now();
    if (restMs <= 0) this.#reportDropped();
    else this.#reporting = setTimeout(() => this.#reportDropped(), restMs).unref();
  }

  #reportDropped(): void {
    clearTimeout(this.#reporting);
    this.#reporting = undefined;
    const { what, onError } = this.#options;
    const dropped = this.#dropped;
    this.#dropReportedAt = performance.now();
    this.#dropped = 0;
    this.#logger.warn('messages dropped', { subscriber: what, dropped });
    const most = this.#isFullOfBytes ? `${this.#bytes} bytes` : this.#limit;
    const text = `${what}: ${dropped} messages dropped, as ${most} were waiting already`;
    if (onError) void this.#report(new MicroError('unavailable', text));
  }
}
