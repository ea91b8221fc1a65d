import { MicroError } from '@ts-micro/core';
import type { HeldBytes } from '@ts-micro/kit';
import { malformed } from '../byte-reader.ts';
import {
  type FrameHead,
  type FrameMessage,
  frameKind,
  frameMarker,
  numbersFrame,
  readFrameHead,
  readFrameMessage,
} from '../frame.ts';
import { maxHeaderBytes, windowBytes, windowMessages } from '../limits.ts';
import type { Line } from './line.ts';
import { PartialMessage } from './partial-message.ts';

export interface FrameStreamOptions {
  /** The largest body that is sent or taken, in bytes. */
  readonly maxMessageBytes: number;
  /** Where messages are counted that have not come whole. @default they are bounded by their size alone */
  readonly held?: HeldBytes | undefined;
}

/** How many messages may come beyond the window one after another: the last ones of a side, which pass it. */
const mostBeyond = 2;

/**
 * The receiving half of a stream of frames: without gaps, chunks put together, and the sender told as messages are
 * received.
 */
export class FrameReceiver {
  readonly #line: Line;
  readonly #options: FrameStreamOptions;
  readonly #maxFrameBytes: number;
  /** The sequence number of the next message, or of the one that is incomplete. */
  #sequence = 0;
  #messages = 0;
  #bytes = 0;
  #toldMessages = 0;
  #toldBytes = 0;
  /** Bytes of the messages that came. */
  #cameBytes = 0;
  #beyond = 0;
  #partial: PartialMessage | undefined;
  /** How much of it the sender was told of, which may send a window more. */
  #granted = 0;
  readonly #tellMore = () => this.tell();

  constructor(line: Line, options: FrameStreamOptions) {
    this.#line = line;
    this.#options = options;
    // A frame's own numbers are a few bytes.
    this.#maxFrameBytes = options.maxMessageBytes + maxHeaderBytes + 64;
  }

  /** How many messages were received: taken out, not only come. */
  get messages(): number {
    return this.#messages;
  }

  /**
   * Returns the message of a frame, unless it came before. Throws `malformed`, and `unavailable` where one is missing,
   * or the sender keeps to no window.
   */
  message(bytes: Uint8Array, { sequence, rest }: FrameHead): FrameMessage | undefined {
    // Two listeners on one address both answer: the first one's answer is taken.
    if (sequence < this.#sequence) return undefined;
    if (sequence > this.#sequence || this.#partial !== undefined) throw this.#gap();
    return this.#came(readFrameMessage(bytes, rest));
  }

  /**
   * Returns the message that a chunk completes. Throws `malformed`, `too_large`, and `unavailable` where something is
   * missing.
   */
  chunk(bytes: Uint8Array, { sequence, total, offset, rest }: FrameHead): FrameMessage | undefined {
    if (sequence < this.#sequence) return undefined;
    if (sequence > this.#sequence) throw this.#gap();
    if (total === 0) {
      this.drop();
      return undefined;
    }
    const size = bytes.length - rest;
    if (offset !== (this.#partial?.length ?? 0)) throw this.#gap();
    if (total > this.#maxFrameBytes) {
      const what = `a message of ${total} bytes comes, ${this.#maxFrameBytes} are the limit`;
      throw new MicroError('too_large', `${this.#line.what}: ${what}`);
    }
    const isOther = this.#partial !== undefined && this.#partial.total !== total;
    if (isOther || size === 0 || offset + size > total) throw malformed('a chunk does not fit');
    this.#partial ??= new PartialMessage(total, this.#options.held);
    const whole = this.#partial.add(bytes.subarray(rest));
    if (whole !== undefined) return this.#complete(whole);
    this.tell();
    return undefined;
  }

  /** A message was received: from time to time the sender is told. */
  received(bytes: number): void {
    this.#messages++;
    this.#bytes += bytes;
    const isMuch =
      this.#messages - this.#toldMessages >= windowMessages / 2 || this.#bytes - this.#toldBytes >= windowBytes / 2;
    if (isMuch) this.tell();
  }

  /**
   * Tells the sender what came and what was received, by a window update. Of an incomplete message no more than before
   * where others of its peer come first; `isAsked` where the sender waits for long.
   */
  tell(isAsked = false): void {
    const { held } = this.#options;
    const length = this.#partial?.length ?? 0;
    if (length === 0 || held === undefined || held.mayGoOn(this.#tellMore, isAsked)) this.#granted = length;
    const numbers = [this.#sequence, this.#granted, this.#messages, this.#bytes];
    try {
      this.#line.publish(numbersFrame(frameKind.update, ...numbers));
    } catch {
      // Without a connection the sender asks for it later.
      return;
    }
    this.#toldMessages = this.#messages;
    this.#toldBytes = this.#bytes;
  }

  /** The sender has sent so much. Throws `unavailable` where something is missing. */
  expect(sequence: number, offset: number): void {
    const isMissing =
      sequence > this.#sequence || (sequence === this.#sequence && offset > (this.#partial?.length ?? 0));
    if (isMissing) throw this.#gap();
  }

  /** Forgets the incomplete message. */
  drop(): void {
    this.#granted = 0;
    this.#partial?.release();
    this.#partial = undefined;
  }

  #complete(frame: Uint8Array): FrameMessage {
    this.drop();
    const isMessage = frame[0] === frameMarker && frame[1] === frameKind.message;
    if (!isMessage) throw malformed('chunks make no message');
    const head = readFrameHead(frame);
    if (head.sequence !== this.#sequence) throw malformed('chunks make another message');
    return this.#came(readFrameMessage(frame, head.rest));
  }

  #came(message: FrameMessage): FrameMessage {
    const hasWindow = this.#sequence - this.#messages < windowMessages && this.#cameBytes - this.#bytes < windowBytes;
    if (hasWindow) this.#beyond = 0;
    else if (++this.#beyond > mostBeyond)
      throw new MicroError('unavailable', `${this.#line.what}: the peer sends more than is received`);
    this.#sequence++;
    this.#cameBytes += message.frameBytes;
    return message;
  }

  #gap(): MicroError {
    return new MicroError('unavailable', `${this.#line.what}: something the peer sent was lost`);
  }
}
