import { type AbortOptions, abortError, type MicroError } from '@ts-micro/core';
import type { HeldBytes } from '../budget/byte-budget.ts';
import { Fifo } from '../collections/fifo.ts';
import { type Abortable, abortFanOut } from './abort-fan-out.ts';

interface Waiter<T> {
  resolve(item: T | undefined): void;
  reject(error: MicroError): void;
}

/** How a {@link Mailbox} counts the bytes of what waits in it. */
export interface MailboxBytes<T> {
  /** Returns the bytes that an item holds, always the same. */
  of(item: T): number;
  /** The mailbox is full once so many wait: one item may go beyond. @default no bound */
  readonly limit?: number | undefined;
  /** Where what waits is counted with that of others. */
  readonly held?: HeldBytes | undefined;
  /**
   * Returns an item without memory that it shares with others: what waits beyond 32 items, or where `memoryOf` is given
   * beyond 8 of what that returns, is kept as it returns it.
   */
  readonly detach?: ((item: T) => T) | undefined;
  /** Returns the memory that an item shares with those next to it, as of one read. @default each has its own */
  readonly memoryOf?: ((item: T) => object) | undefined;
}

/** So many do not keep much memory of others. */
const fewItems = 32;
/** A read of a socket has up to 64 KiB. */
const fewMemories = 8;

/**
 * A bounded queue between one that pushes and those that pull, as a socket's `receive` or a watcher needs it.
 *
 * Items pushed before the end can still be pulled after it; then pulls give `undefined`, or reject with the error it
 * ended with. Pulls are served in the order they were made; an aborted one takes nothing with it.
 */
export class Mailbox<T> {
  readonly #what: string;
  readonly #limit: number;
  readonly #counting: MailboxBytes<T> | undefined;
  readonly #limitBytes: number;
  readonly #items = new Fifo<T>();
  #bytes = 0;
  /** The memory of the newest item, and how many items with other memory came since nothing waited. */
  #memory: object | undefined;
  #memories = 0;
  #waiters: Waiter<T>[] = [];
  #hasEnded = false;
  #error: MicroError | undefined;

  /** `what` begins the message of an abort error; `limit` is the most items held. @default Infinity */
  constructor(what: string, limit: number = Number.POSITIVE_INFINITY, counting?: MailboxBytes<T>) {
    this.#what = what;
    this.#limit = limit;
    this.#counting = counting;
    this.#limitBytes = counting?.limit ?? Number.POSITIVE_INFINITY;
  }

  /** Items pushed and not yet pulled. */
  get size(): number {
    return this.#items.size;
  }

  /** Bytes of the items that wait, where they are counted. */
  get bytes(): number {
    return this.#bytes;
  }

  /** False when full or ended: the item was not taken. */
  push(item: T): boolean {
    if (this.#hasEnded) return false;
    if (this.#waiters.length > 0) {
      this.#waiters.shift()?.resolve(item);
      return true;
    }
    if (this.#items.size >= this.#limit || this.#bytes >= this.#limitBytes) return false;
    if (this.#counting === undefined) this.#items.push(item);
    else this.#keep(item, this.#counting);
    return true;
  }

  /** Ends it; the first end counts. `drop` forgets what was not yet pulled. */
  end(error?: MicroError, { drop = false }: { readonly drop?: boolean } = {}): void {
    if (drop) this.#drop();
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
    const item = this.#items.take();
    if (item !== undefined && this.#counting !== undefined) this.#letGo(this.#counting.of(item));
    return item;
  }

  /** The next item; `undefined` after a plain end. Rejects with the error it ended with, or as `signal` aborts. */
  pull(options?: AbortOptions): Promise<T | undefined> {
    const signal = options?.signal;
    if (signal?.aborted) return Promise.reject(abortError(signal, this.#what));
    if (this.#items.size > 0) return Promise.resolve(this.take());
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

  #keep(item: T, { of, held, detach, memoryOf }: MailboxBytes<T>): void {
    const bytes = of(item);
    if (detach === undefined) this.#items.push(item);
    else if (memoryOf === undefined) this.#items.push(this.#items.size < fewItems ? item : detach(item));
    else this.#items.push(this.#mayShare(memoryOf(item)) ? item : detach(item));
    this.#bytes += bytes;
    // Others may have to go for it, and are told at once.
    held?.take(bytes);
  }

  /** Whether what waits may keep this memory. Each is counted until nothing waits, so that it is never too few. */
  #mayShare(memory: object): boolean {
    if (this.#items.size === 0) this.#memories = 0;
    else if (memory === this.#memory) return this.#memories <= fewMemories;
    this.#memory = memory;
    return ++this.#memories <= fewMemories;
  }

  #letGo(bytes: number): void {
    if (this.#items.size === 0) this.#memory = undefined;
    this.#bytes -= bytes;
    this.#counting?.held?.give(bytes);
  }

  #drop(): void {
    this.#items.clear();
    this.#letGo(this.#bytes);
  }

  /** Pulls until the end. */
  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (let item = await this.pull(); item !== undefined; item = await this.pull()) yield item;
  }
}
