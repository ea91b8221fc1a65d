import { type AbortOptions, abortError } from './abort.ts';
import { MicroError } from './error.ts';

/**
 * Whatever you open hands you something to close.
 *
 * Contract, kept by every transport, listener, socket, broker, subscriber, registry and watcher:
 * - methods refuse with `closed` after close
 * - closing twice is one close
 * - `closed` resolves with `undefined` after a plain close
 * - `await using` closes
 * - a method given an aborted signal rejects with `canceled`, the signal's reason as cause
 * - a method given a deadline that has passed rejects with `timeout`
 * - a settled call keeps no listener on its signal
 * - calls made at once from many callers all succeed
 * - closing while calls are under way settles them all
 */
export interface Closable extends AsyncDisposable {
  /** Resolves, and never rejects, once everything is released: with the error that ended it, or `undefined` after a plain close. */
  readonly closed: Promise<MicroError | undefined>;
  /**
   * Stops intake, finishes what is in flight, then releases. Waits for what is in flight until `signal` aborts or the backend's own
   * bound passes; then it releases all the same, and `closed` resolves with the `timeout` or `canceled` that says what was abandoned.
   * Never rejects.
   */
  close(options?: AbortOptions): Promise<void>;
}

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

  /** What ended it, once something other than a plain close did. */
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

  /** Throws {@link closedError} unless open, and the abort error where the caller's signal is already aborted. */
  assertOpen(options?: AbortOptions): void {
    if (this.#ending !== undefined) throw this.closedError();
    if (options?.signal?.aborted) throw abortError(options.signal, this.#what);
  }

  /** Ends it plainly. Every call returns the same promise. */
  close(options: AbortOptions = {}): Promise<void> {
    return this.#end(undefined, options);
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
