import { type AbortOptions, abortError, type MicroError } from '@ts-micro/core';
import { type Abortable, abortFanOut } from './abort-fan-out.ts';
import { Fifo } from './fifo.ts';

interface Waiter<T> {
  resolve(item: T | undefined): void;
  reject(error: MicroError): void;
}

/**
 * A bounded queue between one that pushes and those that pull, as a socket's `receive` or a watcher needs it.
 *
 * Items pushed before the end can still be pulled after it; then pulls give `undefined`, or reject with the error it
 * ended with. Pulls are served in the order they were made; an aborted one takes nothing with it.
 */
export class Mailbox<T> {
  readonly #what: string;
  readonly #limit: number;
  readonly #items = new Fifo<T>();
  #waiters: Waiter<T>[] = [];
  #hasEnded = false;
  #error: MicroError | undefined;

  /** `what` begins the message of an abort error; `limit` is the most items held. @default Infinity */
  constructor(what: string, limit: number = Number.POSITIVE_INFINITY) {
    this.#what = what;
    this.#limit = limit;
  }

  /** Items pushed and not yet pulled. */
  get size(): number {
    return this.#items.size;
  }

  /** False when full or ended: the item was not taken. */
  push(item: T): boolean {
    if (this.#hasEnded) return false;
    if (this.#waiters.length > 0) {
      this.#waiters.shift()?.resolve(item);
      return true;
    }
    if (this.#items.size >= this.#limit) return false;
    this.#items.push(item);
    return true;
  }

  /** Ends it; the first end counts. `drop` forgets what was not yet pulled. */
  end(error?: MicroError, { drop = false }: { readonly drop?: boolean } = {}): void {
    if (drop) this.#items.clear();
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#error = error;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) {
      if (error) waiter.reject(error);
      else waiter.resolve(undefined);
    }
  }

  /** The next item where one is there already, without a promise. */
  take(): T | undefined {
    return this.#items.take();
  }

  /** The next item; `undefined` after a plain end. Rejects with the error it ended with, or as `signal` aborts. */
  pull(options?: AbortOptions): Promise<T | undefined> {
    const signal = options?.signal;
    if (signal?.aborted) return Promise.reject(abortError(signal, this.#what));
    if (this.#items.size > 0) return Promise.resolve(this.#items.take());
    if (this.#hasEnded) return this.#error ? Promise.reject(this.#error) : Promise.resolve(undefined);
    return new Promise<T | undefined>((resolve, reject) => {
      if (signal === undefined) {
        this.#waiters.push({ resolve, reject });
        return;
      }
      const waiter: Waiter<T> & Abortable = {
        resolve(item) {
          abortFanOut.delete(signal, waiter);
          resolve(item);
        },
        reject(error) {
          abortFanOut.delete(signal, waiter);
          reject(error);
        },
        onAbort: () => {
          this.#waiters = this.#waiters.filter((other) => other !== waiter);
          reject(abortError(signal, this.#what));
        },
      };
      abortFanOut.add(signal, waiter);
      this.#waiters.push(waiter);
    });
  }

  /** Pulls until the end. */
  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (let item = await this.pull(); item !== undefined; item = await this.pull()) yield item;
  }
}
