/** Retries that may follow each other at once. */
const burst = 100;
/** The retries that a client with few calls has all the same. */
const freePerSecond = 10;

/**
 * Bounds what retries add to the load of a fleet that is overloaded: a share of the calls made, ten a second, and a
 * burst of a hundred. (gRPC: retry throttling. Finagle: retry budgets.)
 */
export class RetryBudget {
  readonly #ratio: number;
  #balance: number = burst;
  #atMs: number;

  /** `ratio` is the share of calls that may be retried: 0.1 is one in ten. */
  constructor(ratio: number, nowMs: number) {
    this.#ratio = ratio;
    this.#atMs = nowMs;
  }

  /** Notes a call. */
  deposit(): void {
    if (this.#balance < burst) this.#balance += this.#ratio;
  }

  /** Takes a retry from it; false where it is spent. */
  withdraw(nowMs: number): boolean {
    const earned = ((nowMs - this.#atMs) / 1000) * freePerSecond;
    this.#atMs = nowMs;
    this.#balance = Math.min(burst, this.#balance + earned);
    if (this.#balance < 1) return false;
    this.#balance--;
    return true;
  }
}
