import { writeUtf8 } from '@ts-micro/kit';
import { RepeatedLine } from './repeated-line.ts';

/** Twice what is written at once at most, so that what waits and one more message mostly fit. */
const usualBytes = 256 * 1024;
/** The most that is kept for the next messages; what is larger is let go of once it is written. */
const mostKeptBytes = 4 * 1024 * 1024;
/** After so many uses in which less would have done, a larger run is let go of. */
const usesToShrink = 256;
/** No character of UTF-16 takes more bytes. */
const mostBytes = 3;
/** Of a number of bytes. */
const mostDigits = 16;

/**
 * Holds what waits to be written to the server, in the place of the client's own buffer: one run of bytes in memory
 * that is used again and again, so that a message is copied once and nothing is allocated for it.
 */
export class WriteBuffer {
  readonly #isWritten: () => boolean;
  #bytes: Buffer = Buffer.allocUnsafeSlow(usualBytes);
  #start = 0;
  #end = 0;
  /** How often a larger run was used again since it was needed. */
  #spareUses = 0;
  readonly #line = new RepeatedLine();

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
   * Its payload is `prefix`, where there is one, and then `data`.
   */
  fillMessage(
    subject: string,
    reply: string | undefined,
    header: Uint8Array,
    data: Uint8Array,
    prefix?: Uint8Array,
  ): void {
    const size = header.length + data.length + (prefix === undefined ? 0 : prefix.length);
    const waiting = this.size();
    try {
      const start = header.length === 0 ? this.#line.for(subject, reply) : undefined;
      if (start === undefined) this.#addLine(subject, reply, header.length, size);
      else {
        this.#makeRoom(start.length + mostDigits + size + 4);
        this.#add(start);
        this.#addNumber(size);
        this.#addLineEnd();
      }
      if (header.length > 0) this.#add(header);
      if (prefix !== undefined) this.#add(prefix);
      this.#add(data);
      this.#addLineEnd();
    } catch (error) {
      // The server ends a connection over half a message, and all that share it lose theirs.
      this.#end = this.#start + waiting;
      throw error;
    }
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

  /** The line, and room for what follows. */
  #addLine(subject: string, reply: string | undefined, headerLength: number, size: number): void {
    const to = reply === undefined ? subject : `${subject} ${reply}`;
    const line = headerLength === 0 ? `PUB ${to} ${size}\r\n` : `HPUB ${to} ${headerLength} ${size}\r\n`;
    this.#makeRoom(line.length * mostBytes + size + 2);
    this.#end += writeUtf8(this.#bytes, line, this.#end);
  }

  #addNumber(number: number): void {
    let digits = 1;
    for (let power = 10; power <= number; power *= 10) digits++;
    let rest = number;
    for (let place = this.#end + digits - 1; place >= this.#end; place--) {
      this.#bytes[place] = 0x30 + (rest % 10);
      rest = Math.floor(rest / 10);
    }
    this.#end += digits;
  }

  #addLineEnd(): void {
    this.#bytes[this.#end++] = 0x0d;
    this.#bytes[this.#end++] = 0x0a;
  }

  #add(bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  #makeRoom(size: number): void {
    const waiting = this.#end - this.#start;
    if (waiting === 0 && this.#end > 0 && this.#isWritten()) this.#beginAgain();
    const length = this.#bytes.length;
    if (this.#end + size <= length) return;
    // Twice as large each time, so that soon one run is large enough to be written and used again.
    const wanted = Math.max(2 * (waiting + size), Math.min(2 * length, mostKeptBytes), usualBytes);
    const larger = Buffer.allocUnsafeSlow(wanted);
    larger.set(this.#bytes.subarray(this.#start, this.#end));
    this.#bytes = larger;
    this.#start = 0;
    this.#end = waiting;
    this.#spareUses = 0;
  }

  /** Everything was written: its memory is used again, or let go of where it is more than is needed. */
  #beginAgain(): void {
    const length = this.#bytes.length;
    if (length > usualBytes) {
      this.#spareUses = this.#end > usualBytes ? 0 : this.#spareUses + 1;
      if (length > mostKeptBytes || this.#spareUses > usesToShrink) {
        this.#bytes = Buffer.allocUnsafeSlow(usualBytes);
        this.#spareUses = 0;
      }
    }
    this.#start = 0;
    this.#end = 0;
  }
}
