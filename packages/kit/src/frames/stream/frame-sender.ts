import { type Message, MicroError, type SendOptions } from '@ts-micro/core';
import { abortable } from '@ts-micro/kit';
import {
  chunkHeadBytes,
  type FrameHead,
  frameKind,
  numbersFrame,
  sizeOfMessageHead,
  writeMessageHead,
} from '../frame.ts';
import { writeHeaderBlock } from '../header-block.ts';
import { maxHeaderBytes, probeIntervalMs, windowBytes, windowMessages } from '../limits.ts';
import { ChunkedMessage } from './chunked-message.ts';
import type { Line } from './line.ts';
import type { SentRecord } from './sent-record.ts';

/** From this size on a body is not put behind its head first: both are copied where they are written. */
const largeBytes = 4096;

/** Memory in which frames are put together, or their heads; publishing copies them at once. */
const scratch = Buffer.allocUnsafeSlow(largeBytes + maxHeaderBytes + 32);

/** Frames of a few sizes make up nearly all: making one array for each would cost as much as to copy it. */
const shortFrames: Uint8Array[] = [];
const longestShort = 1024;

function frameInScratch(length: number): Uint8Array {
  const known = shortFrames[length];
  if (known !== undefined) return known;
  const frame = new Uint8Array(scratch.buffer, scratch.byteOffset, length);
  if (length <= longestShort) shortFrames[length] = frame;
  return frame;
}

/**
 * The sending half of a stream of frames: numbered, within the window of the other side, and in chunks where a message
 * is large.
 */
export class FrameSender {
  readonly #line: Line;
  readonly #record: SentRecord;
  readonly #maxMessageBytes: number;
  /** The sequence number of the next message, or of the one that is being sent in chunks. */
  #sequence = 0;
  #bytes = 0;
  /** The number of them that the other side has received. */
  #receivedMessages = 0;
  #receivedBytes = 0;
  /** The largest sequence that the other side said it expects. */
  #confirmed = 0;
  #chunked: ChunkedMessage | undefined;
  /** A message was given up, which the other side does not know yet. */
  #owesGiveUp = false;
  #probedAt = Number.NEGATIVE_INFINITY;
  /** Sends that wait for their turn or for the window; the last of them settles {@link #tail}. */
  #waiting = 0;
  #tail: Promise<void> = Promise.resolve();
  #wake: (() => void) | undefined;
  #end: (() => MicroError) | undefined;

  constructor(line: Line, record: SentRecord, maxMessageBytes: number) {
    this.#line = line;
    this.#record = record;
    this.#maxMessageBytes = maxMessageBytes;
  }

  /** How many messages were sent. */
  get sequence(): number {
    return this.#sequence;
  }

  get hasEnded(): boolean {
    return this.#end !== undefined;
  }

  /**
   * `undefined` where the message was sent at once. Throws what keeps it from being sent at all; rejects with what ends
   * the wait for the window.
   */
  send(message: Message, options: SendOptions | undefined): Promise<void> | undefined {
    this.#throwIfEnded();
    const block = writeHeaderBlock(message.headers, this.#line.what);
    const { body } = message;
    if (body.length > this.#maxMessageBytes || block.length > maxHeaderBytes) throw this.#tooLarge(message, block);
    const frameBytes = sizeOfMessageHead(this.#sequence, block) + body.length;
    const isFree = this.#waiting === 0 && (options?.isLast === true || this.#hasRoom());
    if (!isFree || frameBytes > this.#line.maxPayload) return this.#sendInTurn(body, block, options);
    this.#sendWhole(body, block, frameBytes);
    return undefined;
  }

  /** The other side has received so much, and taken so much of the message that is incomplete. */
  update({ sequence, offset, messages, bytes }: FrameHead): void {
    // Each tells all, so that a lost one does no harm, nor a late one.
    if (messages > this.#receivedMessages && messages <= this.#sequence) this.#receivedMessages = messages;
    if (bytes > this.#receivedBytes && bytes <= this.#bytes) this.#receivedBytes = bytes;
    if (sequence > this.#confirmed && sequence <= this.#sequence) this.#confirmed = sequence;
    if (sequence === this.#sequence) this.#chunked?.taken(offset);
    this.#wake?.();
  }

  /**
   * Asks the other side for its window and tells what was sent, so that each finds out what was lost. Throws as
   * {@link Line.probe}.
   */
  probe(): void {
    if (this.#owesGiveUp) this.#giveUp();
    this.#probedAt = performance.now();
    this.#line.probe(numbersFrame(frameKind.probe, this.#sequence, this.#chunked?.sent ?? 0));
  }

  /**
   * Does so where the other side has asked, and it is not known whether all that was sent has come: once a second at
   * most.
   */
  probeInReturn(): void {
    const isKnown = this.#confirmed === this.#sequence && this.#chunked === undefined;
    if (isKnown || this.#end !== undefined || performance.now() - this.#probedAt < probeIntervalMs) return;
    try {
      this.probe();
    } catch {
      // Without a connection it is done after the reconnect.
    }
  }

  /** Whatever waits, and whatever is sent from now on, is refused with what `cause` makes; the first end counts. */
  end(cause: () => MicroError): void {
    this.#end ??= cause;
    this.#wake?.();
  }

  #hasRoom(): boolean {
    return this.#sequence - this.#receivedMessages < windowMessages && this.#bytes - this.#receivedBytes < windowBytes;
  }

  #sendWhole(body: Uint8Array, block: Uint8Array, frameBytes: number): void {
    if (this.#owesGiveUp) this.#giveUp();
    const headBytes = writeMessageHead(scratch, this.#sequence, block);
    if (body.length >= largeBytes) this.#line.publish(body, scratch.subarray(0, headBytes));
    else {
      scratch.set(body, headBytes);
      this.#line.publish(frameInScratch(frameBytes));
    }
    this.#record.begin();
    this.#sequence++;
    this.#bytes += frameBytes;
  }

  async #sendInTurn(body: Uint8Array, block: Uint8Array, options: SendOptions | undefined): Promise<void> {
    const { signal, isLast = false } = options ?? {};
    const before = this.#tail;
    let pass: () => void = () => {};
    this.#tail = new Promise((resolve) => {
      pass = resolve;
    });
    this.#waiting++;
    try {
      await abortable(before, signal, this.#line.what);
      // A last message passes the window, so that an end comes through where nobody reads.
      await this.#until(() => isLast || this.#hasRoom(), signal);
      const frameBytes = sizeOfMessageHead(this.#sequence, block) + body.length;
      if (frameBytes > this.#line.maxPayload) await this.#sendChunks(body, block, frameBytes, signal);
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
    const { maxPayload, what } = this.#line;
    if (maxPayload <= chunkHeadBytes) {
      throw new MicroError('too_large', `${what}: a message of ${frameBytes} bytes, the server takes ${maxPayload}`);
    }
    if (this.#owesGiveUp) this.#giveUp();
    const head = new Uint8Array(frameBytes - body.length);
    writeMessageHead(head, this.#sequence, block);
    const chunked = new ChunkedMessage(this.#sequence, head, body, maxPayload);
    this.#chunked = chunked;
    try {
      while (!chunked.isSent) {
        await this.#until(() => chunked.hasRoom, signal);
        const { prefix, bytes } = chunked.next();
        this.#line.publish(bytes, prefix);
        if (chunked.published() === 1) this.#record.begin();
      }
    } catch (error) {
      if (chunked.sent > 0) {
        this.#record.giveUp();
        this.#owesGiveUp = true;
      }
      throw error;
    } finally {
      this.#chunked = undefined;
      if (this.#owesGiveUp && this.#end === undefined) this.#tryGiveUp();
    }
    this.#sequence++;
    this.#bytes += frameBytes;
  }

  #tryGiveUp(): void {
    try {
      this.#giveUp();
    } catch {
      // Without a connection it is told before the next frame.
    }
  }

  /** Tells that the rest of a message does not come. Throws as {@link Line.publish}. */
  #giveUp(): void {
    this.#line.publish(numbersFrame(frameKind.chunk, this.#sequence, 0, 0));
    this.#owesGiveUp = false;
  }

  async #until(isFree: () => boolean, signal: AbortSignal | undefined): Promise<void> {
    this.#throwIfEnded();
    if (isFree()) return;
    let failure: unknown;
    const probe = () => {
      try {
        this.probe();
      } catch (error) {
        failure = error;
        this.#wake?.();
      }
    };
    const timer = setInterval(probe, probeIntervalMs).unref();
    try {
      while (!isFree()) {
        const change = new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        await abortable(change, signal, `${this.#line.what}: waiting for the peer to receive`);
        this.#throwIfEnded();
        if (failure !== undefined) throw failure;
      }
    } finally {
      this.#wake = undefined;
      clearInterval(timer);
    }
  }

  #throwIfEnded(): void {
    if (this.#end !== undefined) throw this.#end();
  }

  #tooLarge({ body }: Message, block: Uint8Array): MicroError {
    const size = `${body.length} bytes and ${block.length} of headers`;
    const limit = `${this.#maxMessageBytes} and ${maxHeaderBytes} are the limit`;
    return new MicroError('too_large', `${this.#line.what}: a message has ${size}, ${limit}`);
  }
}
