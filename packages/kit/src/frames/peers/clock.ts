const secondMs = 1000;

/**
 * A coarse clock that many sockets read for nothing: it counts ticks of one timer, which runs only between `start` and
 * `stop`.
 *
 * While it stands still, time does not pass for its readers.
 */
export class Clock {
  readonly #tickMs: number;
  readonly #onTick: () => void;
  #timer: NodeJS.Timeout | undefined;
  /** In ticks. */
  now = 0;
  /** A second, in ticks. */
  readonly second: number;

  constructor(tickMs: number, onTick: () => void) {
    this.#tickMs = tickMs;
    this.#onTick = onTick;
    this.second = this.ticks(secondMs);
  }

  /** How many ticks are at least `ms`. */
  ticks(ms: number): number {
    return Math.ceil(ms / this.#tickMs);
  }

  /**
   * An idle time in ticks, and how long one that was quiet for it has to answer a probe: a quarter more, and two
   * seconds at least.
   */
  bounds(idleMs: number): { readonly idleTicks: number; readonly graceTicks: number } {
    const idleTicks = this.ticks(idleMs);
    return { idleTicks, graceTicks: Math.max(2 * this.second, Math.ceil(idleTicks / 4)) };
  }

  /** Starts the timer unless it runs; it keeps no process alive. */
  start(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setInterval(() => {
      this.now++;
      this.#onTick();
    }, this.#tickMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
