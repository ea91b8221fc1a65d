/** What is read, as its reader sees it. */
export interface ReadableValues<Value> {
  /** The next value, or the end. */
  next(): Promise<IteratorResult<Value, unknown>>;
  /** Nothing is read any more: it has ended or failed. */
  finish(): unknown;
  /** A loop was left before its end. */
  leave(): unknown;
}

type Result<Value> = IteratorResult<Value, void>;

const end: Result<never> = Object.freeze({ value: undefined, done: true });

/**
 * Reads value by value, for a `for await` loop. Whoever leaves while a value is waited for does not wait for it, as an
 * async generator would.
 */
export class LeavableReader<Value> implements AsyncIterableIterator<Value, void, undefined> {
  readonly #values: ReadableValues<Value>;
  #isRead = false;
  #isOver = false;
  #isLeft = false;

  constructor(values: ReadableValues<Value>) {
    this.#values = values;
  }

  async next(): Promise<Result<Value>> {
    if (this.#isOver) return end;
    this.#isRead = true;
    try {
      const next = await this.#values.next();
      if (this.#isLeft) return end;
      if (next.done !== true) return next;
    } catch (error) {
      if (this.#isLeft) return end;
      await this.#finish();
      throw error;
    }
    await this.#finish();
    return end;
  }

  /** Leaves what was read and has not ended. */
  async return(): Promise<Result<Value>> {
    const isReading = this.#isRead && !this.#isOver;
    this.#isOver = true;
    this.#isLeft = true;
    if (isReading) await this.#values.leave();
    return end;
  }

  /** As {@link return}, and rejects with `error`. */
  async throw(error: unknown): Promise<Result<Value>> {
    await this.return();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #finish(): Promise<void> {
    this.#isOver = true;
    await this.#values.finish();
  }
}
