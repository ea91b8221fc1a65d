import { type AbortOptions, abortError, MicroError } from '@ts-micro/core';
import { abortFanOut } from '@ts-micro/kit';

/** A message that waits for the connection. */
export interface Outgoing {
  readonly topic: string;
  readonly size: number;
  /** Writes it; throws as the connection's `publish` does. */
  write(): void;
}

interface Entry extends Outgoing {
  readonly expiresAtMs: number;
  settle(error?: unknown): void;
}

export interface OutboxLimits {
  readonly maxBufferedBytes: number;
  readonly maxBufferedMs: number;
}

// Beside its bytes a message that waits costs about as much as this.
const costOfMessage = 512;

/**
 * Messages published in an outage, in order. Each is written after it, or refused: when too many wait, when it has
 * waited too long, or as its signal aborts.
 */
export class Outbox {
  readonly #limits: OutboxLimits;
  readonly #entries = new Set<Entry>();
  #bytes = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(limits: OutboxLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#entries.size;
  }

  /**
   * Resolves once it is written. Rejects with `unavailable`, safe to retry, or as the signal aborts: then it never will
   * be.
   */
  add(outgoing: Outgoing, { signal }: AbortOptions = {}): Promise<void> {
    const { maxBufferedBytes, maxBufferedMs } = this.#limits;
    const cost = outgoing.size + costOfMessage;
    if (this.#bytes + cost > maxBufferedBytes) {
      throw refused(outgoing, `not connected, and ${this.#entries.size} messages wait already`);
    }
    return new Promise((resolve, reject) => {
      const waiting = {
        onAbort: () =>
          entry.settle(abortError(signal as AbortSignal, `nats broker: publishing on "${outgoing.topic}"`)),
      };
      const entry: Entry = {
        topic: outgoing.topic,
        size: outgoing.size,
        write: () => outgoing.write(),
        expiresAtMs: performance.now() + maxBufferedMs,
        settle: (error) => {
          if (signal) abortFanOut.delete(signal, waiting);
          this.#entries.delete(entry);
          this.#bytes -= cost;
          if (error === undefined) resolve();
          else reject(error);
        },
      };
      if (signal) abortFanOut.add(signal, waiting);
      this.#entries.add(entry);
      this.#bytes += cost;
      if (this.#timer === undefined) this.#watch(maxBufferedMs);
    });
  }

  /** Writes all that waits, until one finds the connection lost again. */
  writeAll(): void {
    for (const entry of this.#entries) {
      try {
        entry.write();
      } catch (error) {
        if (MicroError.is(error, 'unavailable')) return;
        entry.settle(error);
        continue;
      }
      entry.settle();
    }
    this.#rest();
  }

  /** Refuses all that waits. */
  refuseAll(why: string): void {
    for (const entry of this.#entries) entry.settle(refused(entry, why));
    this.#rest();
  }

  /** One timer for all: they expire in the order they came. */
  #watch(delayMs: number): void {
    this.#timer = setTimeout(() => {
      const nowMs = performance.now();
      for (const entry of this.#entries) {
        if (entry.expiresAtMs > nowMs) return this.#watch(entry.expiresAtMs - nowMs);
        entry.settle(refused(entry, `not connected for ${this.#limits.maxBufferedMs} ms`));
      }
      this.#timer = undefined;
    }, delayMs);
  }

  #rest(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

function refused({ topic }: Outgoing, why: string): MicroError {
  return new MicroError('unavailable', `nats broker: publishing on "${topic}": ${why}`, { retrySafe: true });
}
