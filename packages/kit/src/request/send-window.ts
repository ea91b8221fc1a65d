import type { AbortOptions, MicroError } from '@ts-micro/core';
import { Fifo } from '../collections/fifo.ts';
import { Mailbox } from '../lifecycle/mailbox.ts';

/** What may be on the way that the other side has not received: both sides count on it. The last one may go beyond. */
export const windowMessages = 1024;
export const windowBytes: number = 1024 * 1024;

/** How far one side may run ahead of what the other has received. Those that wait for room go in order. */
export class SendWindow {
  /** The turns of those that wait. */
  readonly #turns: Mailbox<true>;
  /** Of the messages on the way. */
  readonly #sizes = new Fifo<number>();
  #bytes = 0;
  #received = 0;
  /** Messages sent while nothing was known of a window. */
  #before = 0;
  #waiting = 0;
  #isTurnGiven = false;

  /** `what` begins the messages of errors. */
  constructor(what: string) {
    this.#turns = new Mailbox(what);
  }

  /** A message is sent that has no window. */
  pass(): void {
    this.#before++;
  }

  /** `undefined` where a message of so many bytes may be sent now; else resolves once it may. `isLast` passes. */
  enter(bytes: number, isLast: boolean, options: AbortOptions): Promise<void> | undefined {
    if (!isLast && (this.#waiting > 0 || !this.#hasRoom)) return this.#wait(bytes, options);
    this.#count(bytes);
    return undefined;
  }

  /** The other side has received so many messages in all. */
  received(total: number): void {
    for (; this.#received < total - this.#before; this.#received++) {
      const bytes = this.#sizes.take();
      // More than were sent.
      if (bytes === undefined) break;
      this.#bytes -= bytes;
    }
    this.#next();
  }

  /** Refuses those that wait. */
  end(error: MicroError): void {
    this.#turns.end(error);
  }

  get #hasRoom(): boolean {
    return this.#sizes.size < windowMessages && this.#bytes < windowBytes;
  }

  async #wait(bytes: number, options: AbortOptions): Promise<void> {
    this.#waiting++;
    try {
      await this.#turns.pull(options);
      this.#isTurnGiven = false;
    } finally {
      this.#waiting--;
    }
    this.#count(bytes);
    this.#next();
  }

  #count(bytes: number): void {
    this.#sizes.push(bytes);
    this.#bytes += bytes;
  }

  #next(): void {
    if (this.#isTurnGiven || this.#waiting === 0 || !this.#hasRoom) return;
    this.#isTurnGiven = true;
    this.#turns.push(true);
  }
}
