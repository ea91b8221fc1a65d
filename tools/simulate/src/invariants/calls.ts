import type { MicroError } from '@ts-micro/core';
import type { SimulatedProcess } from '../harness/simulated-process.ts';
import type { World } from '../harness/world.ts';

interface CallRecord {
  readonly idempotent: boolean;
  runs: number;
  isSafe: boolean;
  /** Its handler that ended last, and when. */
  ended?: { readonly by: SimulatedProcess; readonly atMs: number };
}

/** A handler runs at most once for a call that is not idempotent, and `retrySafe: true` means that it did not run. */
export class Calls {
  readonly #world: World;
  readonly #records = new Map<string, CallRecord>();

  constructor(world: World) {
    this.#world = world;
  }

  begin(id: string, idempotent: boolean): void {
    this.#records.set(id, { idempotent, runs: 0, isSafe: false });
  }

  /** A handler began to run for it; returns which run of it this is. */
  ran(id: string): number {
    const record = this.#records.get(id);
    if (record === undefined) {
      this.#world.broken(`a handler ran for ${id}, which nobody called`);
      return 0;
    }
    record.runs++;
    if (!record.idempotent && record.runs > 1)
      this.#world.broken(`a handler ran ${record.runs} times for ${id}, which is not idempotent`);
    if (record.isSafe) this.#world.broken(`a handler ran for ${id}, which had failed as safe to retry`);
    return record.runs;
  }

  /** A handler for it returned or threw. */
  ended(id: string, by: SimulatedProcess): void {
    const record = this.#records.get(id);
    if (record !== undefined) record.ended = { by, atMs: this.#world.clock.nowMs };
  }

  /** Which process ended its handler last, and when; `undefined` where none has. */
  endOf(id: string): CallRecord['ended'] {
    return this.#records.get(id)?.ended;
  }

  /** An event came to a subscriber: at most once. */
  delivered(key: string): void {
    if (this.#records.has(key)) this.#world.broken(`${key} was delivered twice`);
    this.#records.set(key, { idempotent: false, runs: 1, isSafe: false });
  }

  answered(id: string, answeredId: unknown): void {
    const record = this.#records.get(id);
    if (answeredId !== id) this.#world.broken(`${id} got the answer of ${String(answeredId)}`);
    if (record?.runs === 0) this.#world.broken(`${id} was answered, and no handler ran`);
  }

  failed(id: string, error: MicroError): void {
    const record = this.#records.get(id);
    if (!error.retrySafe || record === undefined) return;
    record.isSafe = true;
    if (record.runs > 0)
      this.#world.broken(`${id} failed as safe to retry (${error.message}), and its handler ran ${record.runs} times`);
  }
}
