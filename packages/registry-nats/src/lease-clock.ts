// setTimeout takes no more; a lease that is longer is looked at in between.
const longestMs = 2 ** 31 - 1;

/** One timer for any number of leases: it fires at the earliest, and looks for the next only then. Never keeps a process alive. */
export class LeaseClock {
  readonly #expire: (now: number) => number;
  #timer: NodeJS.Timeout | undefined;
  #firesAt = Number.POSITIVE_INFINITY;
  #isStopped = false;

  /** `expire` removes what is due and returns when to look again. Times are of `performance.now()`. */
  constructor(expire: (now: number) => number) {
    this.#expire = expire;
  }

  /** Makes sure that it fires by then. Renewing a lease needs no call: firing too early does no harm. */
  fireBy(time: number): void {
    if (this.#isStopped || time >= this.#firesAt) return;
    clearTimeout(this.#timer);
    this.#firesAt = time;
    const delayMs = Math.min(Math.max(Math.ceil(time - performance.now()), 1), longestMs);
    this.#timer = setTimeout(() => this.#fire(), delayMs);
    this.#timer.unref();
  }

  /** For good. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  #fire(): void {
    this.#firesAt = Number.POSITIVE_INFINITY;
    this.fireBy(this.#expire(performance.now()));
  }
}
