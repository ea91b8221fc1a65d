import type { HeldBytes } from '@ts-micro/kit';

/** From here on a chunk is kept as it came, where that is most of its memory. */
const keptBytes = 64 * 1024;
/**
 * How much memory is taken at a time for smaller ones, as a multiple of what has come: so a peer cannot have it taken
 * by announcing much.
 */
const growth = 4;
const noMemory = new Uint8Array(0);

/** A message that comes in chunks, which are put together once all are there: so each is copied once. */
export class PartialMessage {
  readonly total: number;
  readonly #held: HeldBytes | undefined;
  readonly #parts: Uint8Array[] = [];
  /** Memory for small chunks, one behind the other. */
  #tail: Uint8Array = noMemory;
  #tailLength = 0;
  #length = 0;

  constructor(total: number, held: HeldBytes | undefined) {
    this.total = total;
    this.#held = held;
  }

  /** How many bytes have come. */
  get length(): number {
    return this.#length;
  }

  /** Takes the next bytes, which fit and are not changed later; returns the whole where they were the last. */
  add(bytes: Uint8Array): Uint8Array | undefined {
    this.#held?.take(bytes.length);
    if (bytes.length >= keptBytes && bytes.length * 2 >= bytes.buffer.byteLength) {
      this.#endTail();
      this.#parts.push(bytes);
    } else this.#copy(bytes);
    this.#length += bytes.length;
    if (this.#length < this.total) return undefined;
    this.#endTail();
    return Buffer.concat(this.#parts, this.total);
  }

  /** Gives back what it holds of the budget. */
  release(): void {
    this.#held?.give(this.#length);
  }

  #copy(bytes: Uint8Array): void {
    if (this.#tailLength + bytes.length > this.#tail.length) {
      this.#endTail();
      const wanted = Math.max(bytes.length, Math.min(keptBytes, growth * (this.#length + bytes.length)));
      this.#tail = Buffer.allocUnsafeSlow(Math.min(this.total - this.#length, wanted));
    }
    this.#tail.set(bytes, this.#tailLength);
    this.#tailLength += bytes.length;
  }

  #endTail(): void {
    if (this.#tailLength > 0) this.#parts.push(this.#tail.subarray(0, this.#tailLength));
    this.#tail = noMemory;
    this.#tailLength = 0;
  }
}
