import type { AbortOptions, BrokerEvent, MicroError, Subscriber } from '@ts-micro/core';
import { bounded } from '../lifecycle/bounded.ts';
import { ClosableBase } from '../lifecycle/closable-base.ts';
import { HandlerQueue, type HandlerQueueOptions } from './handler-queue.ts';

export interface HandlerSubscriberOptions<Item> extends HandlerQueueOptions<Item> {
  readonly topic: string;
  readonly queue?: string | undefined;
  /**
   * Ends the subscription at the backend. What comes in until it resolves is still handled; that it fails is not an
   * error, as nothing is listened to any more.
   */
  readonly stop: (options: AbortOptions) => unknown;
  /** Called at the end of a close: whatever handlers still run are not waited for any more. */
  readonly onFinished?: (() => void) | undefined;
  /** How long closing waits for `stop` and for handlers, in milliseconds. @default 10000 */
  readonly closeTimeoutMs?: number | undefined;
}

/** A whole {@link Subscriber} over a {@link HandlerQueue}: the backend pushes what it receives. */
export class HandlerSubscriber<Item = BrokerEvent> extends ClosableBase implements Subscriber {
  readonly topic: string;
  readonly queue: string | undefined;
  readonly #what: string;
  readonly #stop: (options: AbortOptions) => unknown;
  readonly #onFinished: (() => void) | undefined;
  readonly #closeTimeoutMs: number;
  readonly #items: HandlerQueue<Item>;
  #isStopped = false;

  /** Throws `invalid` for a `concurrency` that is not a whole number from 1. */
  constructor(options: HandlerSubscriberOptions<Item>) {
    const { what, topic, queue, stop, onFinished, closeTimeoutMs = 10_000 } = options;
    super(what);
    this.topic = topic;
    this.queue = queue;
    this.#what = what;
    this.#stop = stop;
    this.#onFinished = onFinished;
    this.#closeTimeoutMs = closeTimeoutMs;
    this.#items = new HandlerQueue(options);
  }

  /** Takes one item in; never throws, and ignores what comes after the end. */
  push(item: Item): void {
    if (!this.#isStopped) this.#items.push(item);
  }

  /** Takes back what waits for a handler: none of it is handled. */
  takeBack(): Item[] {
    return this.#items.takeBack();
  }

  /** Tells `onError`, or the log where there is none. Never throws. */
  report(error: MicroError, event?: BrokerEvent): void {
    this.#items.report(error, event);
  }

  /** Ends it because of `cause`, as when the backend takes the subscription away. */
  fail(cause: MicroError): Promise<void> {
    return this.lifetime.fail(cause);
  }

  /** False from the first `close()` or `fail()` on. */
  get isOpen(): boolean {
    return this.lifetime.isOpen;
  }

  protected async release(options: AbortOptions): Promise<void> {
    const deadline = performance.now() + this.#closeTimeoutMs;
    try {
      const stopping = this.#stop(options);
      if (stopping instanceof Promise) {
        await bounded(stopping, options, this.#closeTimeoutMs, `${this.#what}: ending the subscription`);
      }
    } catch {
      // It has ended all the same; that handlers still run past the deadline is found next.
    }
    this.#isStopped = true;
    try {
      await this.#items.finish(options, Math.max(0, deadline - performance.now()));
    } finally {
      this.#onFinished?.();
    }
  }
}
