import type { HeldBytes } from '@ts-micro/kit';

/**
 * How much memory is taken at a time, as a multiple of what has come: so a peer cannot have it taken by announcing
 * much.
 */
const growth = 4;

/** A message that comes in chunks. */
export class PartialMessage {
  readonly total: number;
  readonly #held: HeldBytes | undefined;
  #buffer: Uint8Array = new Uint8Array(0);
  #length = 0;

  constructor(total: number, held: HeldBytes | undefined) {
    this.total = total;
    this.#held = held;
  }

  /** How many bytes have come. */
  get length(): number {
    return this.#length;
  }

  /** Takes the next bytes, which fit; returns the whole where they were the last. */
  add(bytes: Uint8Array): Uint8Array | undefined {
    const length = this.#length + bytes.length;
    this.#held?.take(bytes.length);
    if (length > this.#buffer.length) {
      // Not filled with zeros: its pages are used as its bytes come.
      const larger = Buffer.allocUnsafeSlow(Math.min(this.total, growth * length));
      larger.set(this.#buffer.subarray(0, this.#length));
      this.#buffer = larger;
    }
    this.#buffer.set(bytes, this.#length);
    this.#length = length;
    return length === this.total ? this.#buffer : undefined;
  }

  /** Gives back what it holds of the budget. */
  release(): void {
    this.#held?.give(this.#length);
  }
}
