import { Fifo } from '@ts-micro/kit';

// A server holds ten thousand messages of a stream that it has not stored yet, and drops those beyond without a word.
// A busy one stores a thousand in a second, and each has its time from when it is written.
const mostUnanswered = 1024;

/** Keeps publishes that the server has not answered below what it can hold; those beyond wait, in their order. */
export class PublishWindow {
  readonly #waiting = new Fifo<() => void>();
  #open = 0;

  get isFull(): boolean {
    return this.#open >= mostUnanswered || this.#waiting.size > 0;
  }

  /** Calls `write` at once, or as soon as there is room; resolves and rejects as it does. */
  run<T>(write: () => Promise<T>): Promise<T> {
    if (!this.isFull) return this.#start(write);
    return new Promise((resolve) => this.#waiting.push(() => resolve(this.#start(write))));
  }

  async #start<T>(write: () => Promise<T>): Promise<T> {
    this.#open++;
    try {
      return await write();
    } finally {
      this.#open--;
      this.#waiting.take()?.();
    }
  }
}
