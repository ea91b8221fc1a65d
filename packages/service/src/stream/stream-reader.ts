/** What there is where a value has to be waited for. */
export const nothingWaits: unique symbol = Symbol('nothing waits');

/** The stream that is read, as its reader sees it. */
export interface ReadableSide<Value> {
  /** Whether a loop goes on. */
  readonly isReadable: boolean;
  /** The next value where it is there already, `undefined` at the end. Throws as `receive` rejects. */
  receiveNow(): Value | undefined | typeof nothingWaits;
  receive(): Promise<Value | undefined>;
  /** A loop was left before its end. */
  leave(): Promise<void>;
}

type Result<Value> = IteratorResult<Value, void>;

const end: Result<never> = Object.freeze({ value: undefined, done: true });

/**
 * Reads a stream value by value, for a `for await` loop: as an async generator would, which takes three times as long
 * for a value that is there already. Whoever leaves while a value is waited for does not wait for it.
 */
export class StreamReader<Value> implements AsyncIterableIterator<Value, void, undefined> {
  readonly #side: ReadableSide<Value>;
  #isOver = false;
  /** A value was asked for, and it is not known that none comes. */
  #isReading = false;

  constructor(side: ReadableSide<Value>) {
    this.#side = side;
  }

  next(): Promise<Result<Value>> {
    if (this.#isOver || !this.#side.isReadable) return Promise.resolve(this.#end());
    this.#isReading = true;
    try {
      const value = this.#side.receiveNow();
      if (value === nothingWaits) return this.#wait();
      return Promise.resolve(value === undefined ? this.#end() : { value, done: false });
    } catch (error) {
      this.#end();
      return Promise.reject(error);
    }
  }

  /** Leaves the stream where it was read and has not ended. */
  async return(): Promise<Result<Value>> {
    const isReading = this.#isReading;
    this.#end();
    if (isReading) await this.#side.leave();
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

  async #wait(): Promise<Result<Value>> {
    try {
      const value = await this.#side.receive();
      return value === undefined ? this.#end() : { value, done: false };
    } catch (error) {
      this.#end();
      throw error;
    }
  }

  #end(): Result<Value> {
    this.#isOver = true;
    this.#isReading = false;
    return end;
  }
}
