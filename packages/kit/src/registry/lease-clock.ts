import { longestTimerMs } from '../lifecycle/timers.ts';

/**
 * One timer for any number of leases, which fires by the earliest. Keeps no process alive. Times are of
 * `performance.now()`.
 */
export class LeaseClock {
  readonly #onTime: (now: number) => number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #firesAt: number = Number.POSITIVE_INFINITY;

  /** `onTime` returns when to fire again: `Infinity` for not at all. */
  constructor(onTime: (now: number) => number) {
    this.#onTime = onTime;
  }

  /** Makes sure that it fires by then. */
  fireBy(time: number): void {
    if (time >= this.#firesAt) return;
    clearTimeout(this.#timer);
    this.#firesAt = time;
    const delayMs = Math.min(Math.max(Math.ceil(time - performance.now()), 1), longestTimerMs);
    this.#timer = setTimeout(() => this.#fire(), delayMs);
    (this.#timer as { unref?(): void }).unref?.();
  }

  /** Until {@link fireBy} is called again. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#firesAt = Number.POSITIVE_INFINITY;
  }

  #fire(): void {
    this.stop();
    this.fireBy(this.#onTime(performance.now()));
  }
}
