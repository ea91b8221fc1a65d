import { type AbortOptions, abortError, MicroError } from '@ts-micro/core';
import { abortFanOut } from '../lifecycle/abort-fan-out.ts';

/** A message that waits for the connection. */
export interface OutageMessage {
  readonly topic: string;
  /** Its bytes. */
  readonly size: number;
  /** Writes it. Throws `unavailable` where the connection is lost again. */
  write(): void;
}

interface Entry extends OutageMessage {
  readonly expiresAtMs: number;
  settle(error?: unknown): void;
}

export interface OutageBufferLimits {
  /** How many bytes may wait, 512 more counted for each message. */
  readonly maxBufferedBytes: number;
  /** How long one may wait. */
  readonly maxBufferedMs: number;
}

export interface OutageBufferOptions extends OutageBufferLimits {
  /** Begins every message: `nats broker`. */
  readonly who: string;
}

// Beside its bytes a message that waits costs about as much as this.
const costOfMessage = 512;

/**
 * Messages published in an outage, in order. Each is written after it, or refused: when too many wait, when it has
 * waited too long, or as its signal aborts.
 */
export class OutageBuffer {
  readonly #options: OutageBufferOptions;
  readonly #entries = new Set<Entry>();
  #bytes = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: OutageBufferOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  /**
   * Resolves once it is written. Rejects with `unavailable`, safe to retry, or as the signal aborts: then it never will
   * be. Throws `unavailable` where too much waits.
   */
  add(outgoing: OutageMessage, { signal }: AbortOptions = {}): Promise<void> {
    const { who, maxBufferedBytes, maxBufferedMs } = this.#options;
    const cost = outgoing.size + costOfMessage;
    if (this.#bytes + cost > maxBufferedBytes) {
      throw this.#refused(outgoing, `not connected, and ${this.#entries.size} messages wait already`);
    }
    return new Promise((resolve, reject) => {
      const waiting = {
        onAbort: () => entry.settle(abortError(signal as AbortSignal, `${who}: publishing on "${outgoing.topic}"`)),
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
          if (this.#entries.size === 0) this.#rest();
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
  }

  /** Refuses all that waits. */
  refuseAll(why: string): void {
    for (const entry of this.#entries) entry.settle(this.#refused(entry, why));
  }

  /** One timer for all: they expire in the order they came. */
  #watch(delayMs: number): void {
    this.#timer = setTimeout(() => {
      const nowMs = performance.now();
      for (const entry of this.#entries) {
        if (entry.expiresAtMs > nowMs) return this.#watch(entry.expiresAtMs - nowMs);
        entry.settle(this.#refused(entry, `not connected for ${this.#options.maxBufferedMs} ms`));
      }
      this.#timer = undefined;
    }, delayMs);
  }

  /** Nobody waits any more. */
  #rest(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #refused({ topic }: OutageMessage, why: string): MicroError {
    const message = `${this.#options.who}: publishing on "${topic}": ${why}`;
    return new MicroError('unavailable', message, { retrySafe: true });
  }
}
