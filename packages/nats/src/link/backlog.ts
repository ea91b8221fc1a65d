import type { AbortOptions } from '@ts-micro/core';
import { abortable } from '@ts-micro/kit';

// Beside its bytes a message costs the sender about as much as this.
const costOfMessage = 512;
const limitBytes = 1024 * 1024;

/**
 * How far writing is ahead of the server, roughly: the client takes whatever it is given into memory, and a loop that
 * awaits nothing else
 * would never let the process read.
 */
export class Backlog {
  readonly #flush: () => Promise<void>;
  #bytes = 0;
  #catchingUp: Promise<void> | undefined;

  /** `flush` resolves once the server has taken what was written before. */
  constructor(flush: () => Promise<void>) {
    this.#flush = flush;
  }

  /** A message of that size was written. */
  add(size: number): void {
    this.#bytes += size + costOfMessage;
  }

  /**
   * `undefined` while more may be written; else resolves when it may, or as the signal aborts. Never rejects: what
   * failed shows at the next write.
   */
  room({ signal }: AbortOptions = {}): Promise<void> | undefined {
    if (this.#bytes < limitBytes) return undefined;
    this.#catchingUp ??= this.#catchUp();
    return signal ? abortable(this.#catchingUp, signal, 'nats').catch(() => {}) : this.#catchingUp;
  }

  async #catchUp(): Promise<void> {
    // What is written meanwhile counts for the next time.
    this.#bytes = 0;
    await this.#flush().catch(() => {});
    this.#catchingUp = undefined;
  }
}
