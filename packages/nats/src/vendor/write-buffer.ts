import { writeUtf8 } from '@ts-micro/kit';

/** Twice what is written at once at most, so that what waits and one more message mostly fit. */
const usualBytes = 256 * 1024;
/** No character of UTF-16 takes more bytes. */
const mostBytes = 3;

/**
 * Holds what waits to be written to the server, in the place of the client's own buffer: one run of bytes in memory
 * that is used again and again, so that a message is copied once and nothing is allocated for it.
 */
export class WriteBuffer {
  readonly #isWritten: () => boolean;
  #bytes: Buffer = Buffer.allocUnsafeSlow(usualBytes);
  #start = 0;
  #end = 0;

  /**
   * `isWritten` tells whether the system has taken everything that was drained, whose memory may then be used again.
   */
  constructor(isWritten: () => boolean) {
    this.#isWritten = isWritten;
  }

  /** How many bytes wait. The client also asks how many pieces do, and only whether there are any. */
  size(): number {
    return this.#end - this.#start;
  }

  length(): number {
    return this.#end - this.#start;
  }

  /** Commands of the client. */
  fill(...pieces: readonly Uint8Array[]): void {
    for (const piece of pieces) {
      this.#makeRoom(piece.length);
      this.#add(piece);
    }
  }

  /**
   * One message to publish, as the protocol writes it; of `header`, a whole header block, nothing where it is empty.
   */
  fillMessage(subject: string, reply: string | undefined, header: Uint8Array, data: Uint8Array): void {
    const size = header.length + data.length;
    const to = reply === undefined ? subject : `${subject} ${reply}`;
    const line = header.length === 0 ? `PUB ${to} ${size}\r\n` : `HPUB ${to} ${header.length} ${size}\r\n`;
    this.#makeRoom(line.length * mostBytes + size + 2);
    this.#end += writeUtf8(this.#bytes, line, this.#end);
    if (header.length > 0) this.#add(header);
    this.#add(data);
    this.#bytes[this.#end++] = 0x0d;
    this.#bytes[this.#end++] = 0x0a;
  }

  /** All that waits, which is to be written now. */
  drain(): Uint8Array {
    const waiting = this.#bytes.subarray(this.#start, this.#end);
    this.#start = this.#end;
    return waiting;
  }

  /** Forgets what waits. */
  reset(): void {
    this.#start = this.#end;
  }

  #add(bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  #makeRoom(size: number): void {
    const waiting = this.#end - this.#start;
    if (waiting === 0 && this.#end > 0 && this.#isWritten() && this.#bytes.length === usualBytes) {
      this.#start = 0;
      this.#end = 0;
    }
    if (this.#end + size <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(usualBytes, 2 * (waiting + size)));
    larger.set(this.#bytes.subarray(this.#start, this.#end));
    this.#bytes = larger;
    this.#start = 0;
    this.#end = waiting;
  }
}
