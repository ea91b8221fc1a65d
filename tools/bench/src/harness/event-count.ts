import { clockMs } from './clock.ts';
import { checkSample, type Sample } from './report/sample.ts';

/** What a subscriber got. */
export interface Delivery {
  readonly received: number;
  /** When the last one came, on the clock that all processes share. */
  readonly lastAtMs: number;
}

/** Counts events and sees that none is missing, doubled or out of order. */
export class EventCount {
  #received = 0;
  #fault: Error | undefined;
  #expected = 0;
  #onDone: (() => void) | undefined;

  add(event: Sample): void {
    try {
      checkSample(this.#received, event);
    } catch (error) {
      this.#fault ??= error as Error;
    }
    this.#received++;
    if (this.#received === this.#expected) this.#onDone?.();
  }

  /** Begins to count anew, and resolves when `count` have come or the time is over. Rejects where one was wrong. */
  async expect(count: number, withinMs: number): Promise<Delivery> {
    this.#received = 0;
    this.#fault = undefined;
    this.#expected = count;
    let lastAtMs = 0;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, withinMs);
      this.#onDone = () => {
        lastAtMs = clockMs();
        clearTimeout(timer);
        resolve();
      };
    });
    this.#onDone = undefined;
    if (this.#fault !== undefined) throw this.#fault;
    return { received: this.#received, lastAtMs };
  }
}
