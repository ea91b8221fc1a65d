import { setTimeout as sleep } from 'node:timers/promises';
import type { Broker } from '@ts-micro/core';
import { codesOf } from './load.ts';

export interface StoredEventsOptions {
  readonly broker: Broker;
  /** How many are to be acknowledged. */
  readonly count: number;
  /** The most a second. @default 10000 */
  readonly perSecond?: number | undefined;
  /** The size of each in bytes. @default as long as its number */
  readonly bytes?: number | undefined;
}

const mostInFlight = 2000;
const turnMs = 10;

/** Publishes numbered events on `numbers`, and keeps the books of what became of each. */
export class StoredEvents {
  /** The numbers that the broker has acknowledged. */
  readonly stored: Set<number> = new Set();
  readonly refused: { readonly error: unknown }[] = [];
  readonly #options: StoredEventsOptions;
  #isStopped = false;

  constructor(options: StoredEventsOptions) {
    this.#options = options;
  }

  /** Publishes until enough are stored, or `stop` was called. Resolves with how many were stored in a second. */
  async run(): Promise<number> {
    const { broker, count, perSecond = 10_000, bytes = 0 } = this.#options;
    const beganMs = performance.now();
    let number = this.stored.size + this.refused.length;
    let inFlight = 0;
    const before = this.stored.size;
    let allowed = 0;
    while (!this.#isStopped && this.stored.size < count) {
      allowed = Math.min(allowed + (perSecond * turnMs) / 1000, perSecond / 10);
      for (; allowed >= 1 && inFlight < mostInFlight && this.stored.size + inFlight < count; allowed--) {
        const each = number++;
        const body = Buffer.from(String(each).padEnd(bytes));
        inFlight++;
        broker
          .publish('numbers', { headers: {}, body })
          .then(
            () => this.stored.add(each),
            (error: unknown) => this.refused.push({ error }),
          )
          .finally(() => inFlight--);
      }
      await sleep(turnMs);
    }
    while (inFlight > 0) await sleep(turnMs);
    return Math.round((this.stored.size - before) / ((performance.now() - beganMs) / 1000));
  }

  stop(): void {
    this.#isStopped = true;
  }

  /** How many of what was stored nobody has handled, and how many were handled more than once. */
  compare(handled: ReadonlyMap<number, number>): { readonly lost: number; readonly twice: number } {
    let lost = 0;
    let twice = 0;
    for (const number of this.stored) if (!handled.has(number)) lost++;
    for (const times of handled.values()) if (times > 1) twice++;
    return { lost, twice };
  }

  get codes(): string {
    return codesOf(this.refused);
  }
}
