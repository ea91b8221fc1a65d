import { clockMs } from './clock.ts';
import { checkSample, type Sample, sample } from './report/sample.ts';

/** What a subscriber got. */
export interface Delivery {
  readonly received: number;
  /** When the last one came, on the clock that all processes share. */
  readonly lastAtMs: number;
}

/**
 * Counts events and sees that none is missing, doubled or out of order; of several subscribers together, whose events
 * mix, that none is missing or doubled.
 */
export class EventCount {
  readonly #isMixed: boolean;
  #received = 0;
  #sum = 0;
  #fault: Error | undefined;
  #expected = 0;
  #onDone: (() => void) | undefined;

  constructor({ isMixed = false }: { readonly isMixed?: boolean } = {}) {
    this.#isMixed = isMixed;
  }

  add(event: Sample): void {
    if (this.#isMixed) this.#sum += event.number;
    else this.#check(event);
    this.#received++;
    if (this.#received === this.#expected) this.#onDone?.();
  }

  /**
   * Begins to count anew, and resolves when `count` have come, each `copies` times, or the time is over. Rejects where
   * one was wrong.
   */
  async expect(count: number, copies: number, withinMs: number): Promise<Delivery> {
    this.#received = 0;
    this.#sum = 0;
    this.#fault = undefined;
    this.#expected = count * copies;
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
    if (this.#isMixed && this.#received === this.#expected && this.#sum !== copies * sumOf(count))
      throw new Error(`of ${this.#received} messages some are doubled and others lost`);
    return { received: this.#received, lastAtMs };
  }

  #check(event: Sample): void {
    try {
      checkSample(this.#received, event);
    } catch (error) {
      this.#fault ??= error as Error;
    }
  }
}

function sumOf(count: number): number {
  let sum = 0;
  for (let serial = 0; serial < count; serial++) sum += sample(serial).number;
  return sum;
}
