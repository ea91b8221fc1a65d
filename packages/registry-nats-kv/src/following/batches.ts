import type { KeyChange } from '../keys/key-change.ts';

interface Pending {
  readonly changes: KeyChange[];
  readonly timer: NodeJS.Timeout;
}

// For what was refused, or written again before it was delivered: nobody waits for ever for the rest of a batch.
const waitMs = 3000;
const mostNodes = 1000;
const mostPending = 1000;
/** Of all batches that wait, as anybody who may write into a bucket can begin some. */
const mostChanges = 10_000;

/** Puts the keys of a batch together again, as they come in. */
export class Batches {
  readonly #apply: (changes: readonly KeyChange[]) => void;
  readonly #pending = new Map<string, Pending>();
  #changes = 0;

  constructor(apply: (changes: readonly KeyChange[]) => void) {
    this.#apply = apply;
  }

  /** Takes a change with its {@link batchHeader}. */
  take(change: KeyChange, batch: string | undefined): void {
    const count = Number(batch?.split(' ')[1]);
    const isBatch = batch !== undefined && Number.isSafeInteger(count) && count > 1 && count <= mostNodes;
    const pending = isBatch ? this.#pendingOf(batch) : undefined;
    if (batch === undefined || pending === undefined) {
      this.#apply([change]);
      return;
    }
    pending.changes.push(change);
    this.#changes++;
    if (pending.changes.length >= count || this.#changes > mostChanges) this.#flush(batch);
  }

  /** Drops what waits. */
  clear(): void {
    for (const { timer } of this.#pending.values()) clearTimeout(timer);
    this.#pending.clear();
    this.#changes = 0;
  }

  #pendingOf(batch: string): Pending | undefined {
    const known = this.#pending.get(batch);
    if (known !== undefined || this.#pending.size >= mostPending) return known;
    const pending = { changes: [], timer: setTimeout(() => this.#flush(batch), waitMs).unref() };
    this.#pending.set(batch, pending);
    return pending;
  }

  #flush(batch: string): void {
    const pending = this.#pending.get(batch);
    if (pending === undefined) return;
    this.#pending.delete(batch);
    this.#changes -= pending.changes.length;
    clearTimeout(pending.timer);
    this.#apply(pending.changes);
  }
}
