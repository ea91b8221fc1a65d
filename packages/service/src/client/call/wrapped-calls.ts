import { abortError, MicroError } from '@ts-micro/core';
import { type Abortable, abortFanOut, Roster, type RosterMember } from '@ts-micro/kit';
import { Deadline, type DeadlineClock } from './deadline-clock.ts';

/** What ends a wrapped call early, and what becomes of a value that comes after its end. */
export interface WrapOptions {
  readonly what: string;
  readonly timeoutMs: number;
  readonly signals: readonly (AbortSignal | undefined)[];
  readonly onLate?: ((value: unknown) => void) | undefined;
}

/** Makes what a `next` of middleware leads to. */
export type Next = (call: () => Promise<unknown>) => Promise<unknown>;

/**
 * The calls of a client that middleware is wrapped around. What middleware calls by `next` ends by itself; here is the
 * end of the middleware, which may never settle: it has the time of one call for each stretch without a `next` under
 * way.
 */
export class WrappedCalls {
  readonly #clock: DeadlineClock;
  readonly #running = new Roster<WrappedCall>();
  #onIdle: (() => void) | undefined;

  constructor(clock: DeadlineClock) {
    this.#clock = clock;
  }

  get running(): number {
    return this.#running.size;
  }

  /** Resolves once none runs. */
  idle(): Promise<void> {
    if (this.running === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onIdle = resolve;
    });
  }

  /** Ends those that still run. */
  close(): void {
    for (const call of this.#running.all) call.onClientClose();
  }

  /** Runs the middleware, which makes each call by the function that it is given. */
  run(options: WrapOptions, middleware: (next: Next) => Promise<unknown>): Promise<unknown> {
    const call = new WrappedCall(this.#clock, options);
    this.#running.add(call);
    void call.ended.then(() => {
      this.#running.delete(call);
      if (this.running === 0) this.#onIdle?.();
    });
    call.settleWith(middleware((next) => call.during(next)));
    return call.result;
  }
}

class WrappedCall extends Deadline implements Abortable, RosterMember {
  place = -1;
  readonly result: Promise<unknown>;
  /** Resolves with the result, whatever that is. */
  readonly ended: Promise<void>;
  readonly #clock: DeadlineClock;
  readonly #options: WrapOptions;
  #resolve: (value: unknown) => void = () => {};
  #reject: (error: unknown) => void = () => {};
  #ended: () => void = () => {};
  #end: MicroError | 'settled' | undefined;
  /** How many calls of `next` are under way. */
  #passing = 0;

  constructor(clock: DeadlineClock, options: WrapOptions) {
    super();
    this.#clock = clock;
    this.#options = options;
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.ended = new Promise((resolve) => {
      this.#ended = resolve;
    });
    for (const signal of options.signals) if (signal !== undefined) abortFanOut.add(signal, this);
    this.#wait();
  }

  settleWith(chain: Promise<unknown>): void {
    chain.then(
      (value) => {
        if (this.#end !== undefined) this.#options.onLate?.(value);
        else this.#settle(() => this.#resolve(value));
      },
      (error) => {
        if (this.#end === undefined) this.#settle(() => this.#reject(error));
      },
    );
  }

  /** Makes one call of `next`, which has its own deadline. */
  async during(next: () => Promise<unknown>): Promise<unknown> {
    if (typeof this.#end === 'object') throw this.#end;
    this.#passing++;
    this.#clock.stop(this);
    try {
      return await next();
    } finally {
      this.#passing--;
      this.#wait();
    }
  }

  onDeadline(): void {
    const { what, timeoutMs } = this.#options;
    this.#fail(new MicroError('timeout', `${what}: its middleware did not settle within ${timeoutMs} ms`));
  }

  /** What is under way learns of the signal by itself, and the middleware by that. */
  onAbort(signal: AbortSignal): void {
    if (this.#passing === 0) this.#fail(abortError(signal, this.#options.what));
  }

  onClientClose(): void {
    this.#fail(new MicroError('closed', `${this.#options.what}: the client was closed`));
  }

  #wait(): void {
    if (this.#end === undefined && this.#passing === 0) this.#clock.start(this, this.#options.timeoutMs);
  }

  #fail(error: MicroError): void {
    if (this.#end !== undefined) return;
    this.#settle(() => this.#reject(error));
    this.#end = error;
  }

  #settle(settle: () => void): void {
    this.#end = 'settled';
    this.#clock.stop(this);
    for (const signal of this.#options.signals) if (signal !== undefined) abortFanOut.delete(signal, this);
    settle();
    this.#ended();
  }
}
