import type { Clock } from './clock.ts';
import type { Machine } from './machine.ts';

export interface LinkTiming {
  /** How long the next thing takes. */
  delayMs(): number;
}

/**
 * One direction of a TCP connection: in order, late, all or nothing. What arrives at one moment is read in one turn of
 * the reader's event loop, without anything else between.
 */
export class Link<Item> {
  readonly #clock: Clock;
  readonly #reader: Machine | 'world';
  readonly #timing: LinkTiming;
  readonly #read: (item: Item) => void;
  #queue: { readonly atMs: number; readonly item: Item }[] = [];
  #lastMs = 0;
  #stalledUntilMs = 0;
  #isCut = false;
  #isAwake = false;

  constructor(clock: Clock, reader: Machine | 'world', timing: LinkTiming, read: (item: Item) => void) {
    this.#clock = clock;
    this.#reader = reader;
    this.#timing = timing;
    this.#read = read;
  }

  send(item: Item): void {
    if (this.#isCut) return;
    this.#lastMs = Math.max(this.#lastMs, this.#clock.nowMs + this.#timing.delayMs(), this.#stalledUntilMs);
    this.#queue.push({ atMs: this.#lastMs, item });
    this.#wake();
  }

  /** Nothing arrives before then. */
  stall(untilMs: number): void {
    this.#stalledUntilMs = Math.max(this.#stalledUntilMs, untilMs);
  }

  /** What is on its way is lost, and whatever is sent later. */
  cut(): void {
    this.#isCut = true;
    this.#queue = [];
  }

  #wake(): void {
    const first = this.#queue[0];
    if (this.#isAwake || first === undefined) return;
    this.#isAwake = true;
    const atMs = Math.max(first.atMs, this.#stalledUntilMs);
    this.#clock.schedule(atMs - this.#clock.nowMs, () => this.#arrive(), 'arrival', this.#reader);
  }

  #arrive(): void {
    this.#isAwake = false;
    const { nowMs } = this.#clock;
    while (
      !this.#isCut &&
      this.#stalledUntilMs <= nowMs &&
      (this.#queue[0]?.atMs ?? Number.POSITIVE_INFINITY) <= nowMs
    ) {
      const next = this.#queue.shift();
      if (next !== undefined) this.#read(next.item);
    }
    this.#wake();
  }
}
