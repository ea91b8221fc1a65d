import { within } from './within.ts';

/** Collects what arrives, for a case to wait on. */
export class Inbox<T> {
  readonly items: T[] = [];
  readonly #what: string;
  readonly #boundMs: number;
  #wake: (() => void)[] = [];
  #taken = 0;

  constructor(what: string, boundMs: number) {
    this.#what = what;
    this.#boundMs = boundMs;
  }

  /** Bound, so that it can be handed over as a handler. */
  readonly put = (item: T): void => {
    this.items.push(item);
    const waiting = this.#wake;
    this.#wake = [];
    for (const wake of waiting) wake();
  };

  /** The next item not taken yet. */
  async take(): Promise<T> {
    const index = this.#taken++;
    await this.atLeast(index + 1);
    return this.items[index] as T;
  }

  /** Waits until `count` items have arrived in all. */
  async atLeast(count: number): Promise<readonly T[]> {
    await this.when((items) => items.length >= count, `${count} of ${this.#what}`);
    return this.items;
  }

  /**
   * Waits until what has arrived satisfies `check`, at most `ms`; without it, as long as something arrives within the
   * usual bound, for what comes slowly is not lost.
   */
  async when(check: (items: readonly T[]) => boolean, what: string, ms?: number): Promise<void> {
    let isOver = false;
    const arriving = (async (): Promise<void> => {
      while (!isOver && !check(this.items)) await new Promise<void>((resolve) => this.#wake.push(resolve));
    })();
    try {
      for (;;) {
        const count = this.items.length;
        try {
          await within(arriving, what, ms ?? this.#boundMs);
          return;
        } catch (error) {
          if (ms === undefined && this.items.length > count) continue;
          throw new Error(`${(error as Error).message} (${this.items.length} arrived)`, { cause: error });
        }
      }
    } finally {
      isOver = true;
    }
  }
}
