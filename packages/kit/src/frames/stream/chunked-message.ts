import { chunkHeadBytes, frameKind, writeNumbers } from '../frame.ts';
import { chunkBytes, windowChunks } from '../limits.ts';

/** A message that goes out in chunks. */
export class ChunkedMessage {
  readonly #sequence: number;
  readonly #head: Uint8Array;
  readonly #body: Uint8Array;
  readonly #total: number;
  readonly #chunkBytes: number;
  #sent = 0;
  #count = 0;
  #taken = 0;

  /** Cuts a message frame, whose bytes up to the body are `head`, into chunks that go through. */
  constructor(sequence: number, head: Uint8Array, body: Uint8Array, maxPayload: number) {
    this.#sequence = sequence;
    this.#head = head;
    this.#body = body;
    this.#total = head.length + body.length;
    this.#chunkBytes = Math.min(chunkBytes, maxPayload - chunkHeadBytes);
  }

  /** How many bytes of it were sent. */
  get sent(): number {
    return this.#sent;
  }

  get isSent(): boolean {
    return this.#sent === this.#total;
  }

  /** Whether the other side has taken enough of it for one more chunk. */
  get hasRoom(): boolean {
    return this.#sent - this.#taken <= (windowChunks - 1) * this.#chunkBytes;
  }

  /** The other side has taken so much. */
  taken(offset: number): void {
    if (offset > this.#taken && offset <= this.#sent) this.#taken = offset;
  }

  /** Returns the frame of the next chunk: how it begins, and the part of the body in it. */
  next(): { readonly prefix: Uint8Array; readonly bytes: Uint8Array } {
    const from = this.#sent;
    const to = from + this.#nextBytes;
    const headPart = this.#head.subarray(from, to);
    const prefix = new Uint8Array(chunkHeadBytes + headPart.length);
    const start = writeNumbers(prefix, frameKind.chunk, this.#sequence, this.#total, from);
    prefix.set(headPart, start);
    const bodyFrom = from + headPart.length - this.#head.length;
    const bytes = this.#body.subarray(bodyFrom, to - this.#head.length);
    return { prefix: prefix.subarray(0, start + headPart.length), bytes };
  }

  /** The chunk of {@link next} was published; returns how many were. */
  published(): number {
    this.#sent += this.#nextBytes;
    return ++this.#count;
  }

  get #nextBytes(): number {
    return Math.min(this.#chunkBytes, this.#total - this.#sent);
  }
}
