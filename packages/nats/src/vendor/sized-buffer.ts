/** The client's growing buffer, as far as its parser uses it. */
export interface PartBuffer {
  readonly length: number;
  /** It is one of these, of this copy of the package or another. */
  readonly isSized?: boolean;
  write(bytes: Uint8Array): unknown;
  writeByte(byte: number): unknown;
  bytes(options: { readonly copy: boolean }): Uint8Array;
}

/** Memory for a message, of its size, or for a line, which has none: that grows. */
export class SizedBuffer implements PartBuffer {
  #bytes: Uint8Array;
  length = 0;
  readonly isSized = true;

  constructor(size: number, first: Uint8Array) {
    this.#bytes = Buffer.allocUnsafeSlow(Math.max(size, first.length));
    this.write(first);
  }

  write(bytes: Uint8Array): void {
    // So it gives what belongs to a complaint: byte by byte.
    if (bytes.length === 1) {
      this.writeByte(bytes[0] as number);
      return;
    }
    this.#makeRoom(bytes.length);
    this.#bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  writeByte(byte: number): void {
    if (this.length === this.#bytes.length) this.#makeRoom(1);
    this.#bytes[this.length++] = byte;
  }

  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }

  #makeRoom(size: number): void {
    if (this.length + size <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(2 * (this.length + size));
    larger.set(this.bytes());
    this.#bytes = larger;
  }
}
