import { type Message, MicroError } from '@ts-micro/core';
import { abortable } from '@ts-micro/kit';
import type { FrameCarrier } from './carrier.ts';
import {
  chunkHeadBytes,
  type FrameHead,
  frameKind,
  numbersFrame,
  sizeOfMessageHead,
  writeMessageHead,
  writeNumbers,
} from './frame.ts';
import { writeHeaderBlock } from './header-block.ts';
import { askIntervalMs, chunkBytes, maxHeaderBytes, windowBytes, windowChunks, windowMessages } from './limits.ts';

/** Where frames are put together that are published, and by that copied, at once. */
let scratch = Buffer.allocUnsafeSlow(16 * 1024);

/** What one side sends: numbered, no more at a time than the other side has room for, and in pieces where a message is large. */
export class Outgoing {
  readonly #carrier: FrameCarrier;
  readonly #maxMessageBytes: number;
  /** Of the next message, or of the one that is being sent in chunks. */
  #sequence = 0;
  #bytes = 0;
  /** What the other side has received of them. */
  #receivedMessages = 0;
  #receivedBytes = 0;
  /** Of the message that is being sent in chunks. */
  #chunkedBytes = 0;
  #takenBytes = 0;
  /** Sends that wait for their turn or for credit; the last of them settles {@link #tail}. */
  #waiting = 0;
  #tail: Promise<void> = Promise.resolve();
  #wake: (() => void) | undefined;
  #end: MicroError | undefined;

  constructor(carrier: FrameCarrier, maxMessageBytes: number) {
    this.#carrier = carrier;
    this.#maxMessageBytes = maxMessageBytes;
  }

  /** How many messages were sent. */
  get sequence(): number {
    return this.#sequence;
  }

  /** How many were begun. */
  get begun(): number {
    return this.#chunkedBytes > 0 ? this.#sequence + 1 : this.#sequence;
  }

  get hasEnded(): boolean {
    return this.#end !== undefined;
  }

  /** `undefined` where the message was sent at once. Throws what keeps it from being sent at all; rejects with what ends the wait for credit. */
  send(message: Message, signal: AbortSignal | undefined): Promise<void> | undefined {
    if (this.#end !== undefined) throw this.#end;
    const block = writeHeaderBlock(message.headers, this.#carrier.what);
    const { body } = message;
    if (body.length > this.#maxMessageBytes || block.length > maxHeaderBytes) throw this.#tooLarge(message, block);
    const headBytes = sizeOfMessageHead(this.#sequence, block);
    const frameBytes = headBytes + body.length;
    if (this.#waiting > 0 || !this.#hasRoom() || frameBytes > this.#carrier.maxPayload) {
      return this.#sendInTurn(message, block, signal);
    }
    this.#sendWhole(body, block, frameBytes);
    return undefined;
  }

  /** The other side has received so much, and taken so much of the message that is incomplete. */
  credit({ sequence, offset, messages, bytes }: FrameHead): void {
    // Each tells all, so that a lost one does no harm, nor a late one.
    if (messages > this.#receivedMessages && messages <= this.#sequence) this.#receivedMessages = messages;
    if (bytes > this.#receivedBytes && bytes <= this.#bytes) this.#receivedBytes = bytes;
    if (sequence === this.#sequence && offset > this.#takenBytes && offset <= this.#chunkedBytes) {
      this.#takenBytes = offset;
    }
    this.#wake?.();
  }

  /** Whatever waits, and whatever is sent from now on, is refused with `cause`; the first end counts. */
  end(cause: MicroError): void {
    this.#end ??= cause;
    this.#wake?.();
  }

  #hasRoom(): boolean {
    return this.#sequence - this.#receivedMessages < windowMessages && this.#bytes - this.#receivedBytes < windowBytes;
  }

  #sendWhole(body: Uint8Array, block: Uint8Array, frameBytes: number): void {
    // No larger than what goes through in one message.
    if (frameBytes > scratch.length) scratch = Buffer.allocUnsafeSlow(2 * frameBytes);
    const bytes = scratch.subarray(0, frameBytes);
    bytes.set(body, writeMessageHead(bytes, this.#sequence, block));
    this.#carrier.publishFrame(bytes);
    this.#sequence++;
    this.#bytes += frameBytes;
  }

  async #sendInTurn({ body }: Message, block: Uint8Array, signal: AbortSignal | undefined): Promise<void> {
    const before = this.#tail;
    let pass: () => void = () => {};
    this.#tail = new Promise((resolve) => {
      pass = resolve;
    });
    this.#waiting++;
    try {
      await abortable(before, signal, this.#carrier.what);
      await this.#until(() => this.#hasRoom(), signal);
      const frameBytes = sizeOfMessageHead(this.#sequence, block) + body.length;
      if (frameBytes > this.#carrier.maxPayload) await this.#sendChunks(body, block, frameBytes, signal);
      else this.#sendWhole(body, block, frameBytes);
    } finally {
      this.#waiting--;
      // One that gave up leaves its place to whom it was waiting for.
      void before.then(pass);
    }
  }

  async #sendChunks(
    body: Uint8Array,
    block: Uint8Array,
    frameBytes: number,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const head = new Uint8Array(frameBytes - body.length);
    writeMessageHead(head, this.#sequence, block);
    const size = Math.min(chunkBytes, this.#carrier.maxPayload - chunkHeadBytes);
    this.#chunkedBytes = 0;
    this.#takenBytes = 0;
    try {
      while (this.#chunkedBytes < frameBytes) {
        await this.#until(() => this.#chunkedBytes - this.#takenBytes <= (windowChunks - 1) * size, signal);
        this.#sendChunk(head, body, Math.min(size, frameBytes - this.#chunkedBytes));
      }
    } catch (error) {
      if (this.#chunkedBytes > 0) this.#giveUp(error);
      throw error;
    } finally {
      this.#chunkedBytes = 0;
      this.#takenBytes = 0;
    }
    this.#sequence++;
    this.#bytes += frameBytes;
  }

  #sendChunk(head: Uint8Array, body: Uint8Array, size: number): void {
    const from = this.#chunkedBytes;
    const total = head.length + body.length;
    const bytes = Buffer.allocUnsafeSlow(chunkHeadBytes + size);
    let end = writeNumbers(bytes, frameKind.chunk, this.#sequence, total, from);
    const headPart = head.subarray(from, from + size);
    bytes.set(headPart, end);
    const bodyFrom = from + headPart.length - head.length;
    bytes.set(body.subarray(bodyFrom, bodyFrom + size - headPart.length), end + headPart.length);
    end += size;
    this.#carrier.publishFrame(bytes.subarray(0, end));
    this.#chunkedBytes += size;
  }

  /** Tells that the rest of a message does not come; where that cannot be told, the conversation is over. */
  #giveUp(error: unknown): void {
    try {
      this.#carrier.publishFrame(numbersFrame(frameKind.chunk, this.#sequence, 0, 0));
    } catch {
      this.end(new MicroError('unavailable', `${this.#carrier.what}: a message was cut off`, { cause: error }));
    }
  }

  async #until(isFree: () => boolean, signal: AbortSignal | undefined): Promise<void> {
    if (this.#end !== undefined) throw this.#end;
    if (isFree()) return;
    let failure: unknown;
    const ask = () => {
      try {
        this.#carrier.publishAsk(numbersFrame(frameKind.ask, this.#sequence, this.#chunkedBytes));
      } catch (error) {
        failure = error;
        this.#wake?.();
      }
    };
    const timer = setInterval(ask, askIntervalMs).unref();
    try {
      while (!isFree()) {
        const change = new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        await abortable(change, signal, `${this.#carrier.what}: waiting for the peer to receive`);
        if (this.#end !== undefined) throw this.#end;
        if (failure !== undefined) throw failure;
      }
    } finally {
      this.#wake = undefined;
      clearInterval(timer);
    }
  }

  #tooLarge({ body }: Message, block: Uint8Array): MicroError {
    const size = `${body.length} bytes and ${block.length} of headers`;
    const limit = `${this.#maxMessageBytes} and ${maxHeaderBytes} are the limit`;
    return new MicroError('too_large', `${this.#carrier.what}: a message has ${size}, ${limit}`);
  }
}
