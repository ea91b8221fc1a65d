import { type AbortOptions, type Closable, MicroError } from '@ts-micro/core';
import { closeOptions, throwIfAborted } from './abort.ts';

/**
 * The life of one {@link Closable}: open, closing, closed. A backend holds one and forwards to it.
 *
 * `release` runs once, whoever ends it first; the promise it returns is what `close()` waits for.
 */
export class Lifetime {
  readonly #what: string;
  readonly #release: (options: AbortOptions) => unknown;
  #ending: Promise<void> | undefined;
  #cause: MicroError | undefined;
  #closed: Promise<MicroError | undefined> | undefined;
  #resolveClosed: ((cause: MicroError | undefined) => void) | undefined;
  #isReleased = false;

  /** `what` begins the message of every error: `nats broker`. */
  constructor(what: string, release: (options: AbortOptions) => unknown) {
    this.#what = what;
    this.#release = release;
  }

  /** False from the first `close()` or `fail()` on. */
  get isOpen(): boolean {
    return this.#ending === undefined;
  }

  /** The cause of the end, where it was not a plain close. */
  get cause(): MicroError | undefined {
    return this.#cause;
  }

  get closed(): Promise<MicroError | undefined> {
    this.#closed ??= this.#isReleased
      ? Promise.resolve(this.#cause)
      : new Promise((resolve) => {
          this.#resolveClosed = resolve;
        });
    return this.#closed;
  }

  /** The `closed` error a method rejects with now, its `cause` what ended this. */
  closedError(): MicroError {
    return new MicroError('closed', `${this.#what} is closed`, this.#cause ? { cause: this.#cause } : {});
  }

  /**
   * Throws {@link closedError} unless open, the abort error where the caller's signal is already aborted, and `invalid`
   * where that is none, or the options are no object.
   */
  assertOpen(options?: AbortOptions): void {
    if (this.#ending !== undefined) throw this.closedError();
    if (options === undefined) return;
    if (typeof options !== 'object' || options === null)
      throw new MicroError('invalid', `${this.#what}: the options are ${MicroError.textOf(options)}, and no object`);
    throwIfAborted(options.signal, this.#what);
  }

  /** Ends it plainly. Every call returns the same promise. A signal that is none is left out. */
  close(options?: AbortOptions): Promise<void> {
    return this.#end(undefined, closeOptions(options));
  }

  /** Ends it because of `cause`, which `closed` resolves with. */
  fail(cause: MicroError): Promise<void> {
    return this.#end(cause, {});
  }

  #end(cause: MicroError | undefined, options: AbortOptions): Promise<void> {
    if (this.#ending === undefined) {
      this.#cause = cause;
      // Assigned before release runs, so that a release that calls close() again joins instead of starting over.
      let done: () => void = () => {};
      this.#ending = new Promise((resolve) => {
        done = resolve;
      });
      void this.#run(options).then(done);
    }
    return this.#ending;
  }

  async #run(options: AbortOptions): Promise<void> {
    try {
      await this.#release(options);
    } catch (error) {
      this.#cause ??= MicroError.from(error, 'internal', `${this.#what}: closing failed`);
    }
    this.#isReleased = true;
    this.#resolveClosed?.(this.#cause);
  }
}
