import { MicroError } from '@ts-micro/core';
import { malformed } from './byte-reader.ts';
import type { FrameCarrier } from './carrier.ts';
import {
  type FrameHead,
  type FrameMessage,
  frameKind,
  frameMarker,
  numbersFrame,
  readFrameHead,
  readFrameMessage,
} from './frame.ts';
import { maxHeaderBytes, windowBytes, windowMessages } from './limits.ts';
import type { ReassemblyBudget } from './reassembly-budget.ts';

/** What one side gets: without gaps, put together again from chunks, and acknowledged as it is received. */
export class Incoming {
  readonly #carrier: FrameCarrier;
  readonly #maxFrameBytes: number;
  readonly #budget: ReassemblyBudget | undefined;
  /** Of the next message, or of the one that is incomplete. */
  #sequence = 0;
  #messages = 0;
  #bytes = 0;
  #toldMessages = 0;
  #toldBytes = 0;
  #partial: Uint8Array | undefined;
  #partialBytes = 0;

  constructor(carrier: FrameCarrier, maxMessageBytes: number, budget: ReassemblyBudget | undefined) {
    this.#carrier = carrier;
    this.#budget = budget;
    // A frame's own numbers are a few bytes.
    this.#maxFrameBytes = maxMessageBytes + maxHeaderBytes + 64;
  }

  /** How many messages were received: taken out, not only come. */
  get messages(): number {
    return this.#messages;
  }

  /** The message of a frame, unless it came before. Throws `malformed`, and `unavailable` where one is missing. */
  message(bytes: Uint8Array, { sequence, rest }: FrameHead): FrameMessage | undefined {
    // Two listeners on one address both answer: the first one's answer is taken.
    if (sequence < this.#sequence) return undefined;
    if (sequence > this.#sequence || this.#partial !== undefined) throw this.#gap();
    const message = readFrameMessage(bytes, rest);
    this.#sequence++;
    return message;
  }

  /** The message that a chunk completes. Throws `malformed`, `too_large`, and `unavailable` where something is missing or there is no room. */
  chunk(bytes: Uint8Array, { sequence, total, offset, rest }: FrameHead): FrameMessage | undefined {
    if (sequence < this.#sequence) return undefined;
    if (sequence > this.#sequence) throw this.#gap();
    if (total === 0) {
      this.drop();
      return undefined;
    }
    if (offset !== this.#partialBytes) throw this.#gap();
    if (total > this.#maxFrameBytes) {
      const what = `a message of ${total} bytes comes, ${this.#maxFrameBytes} are the limit`;
      throw new MicroError('too_large', `${this.#carrier.what}: ${what}`);
    }
    this.#partial ??= this.#allocate(total);
    const size = bytes.length - rest;
    if (this.#partial.length !== total || size === 0 || offset + size > total) throw malformed('a chunk does not fit');
    this.#partial.set(bytes.subarray(rest), offset);
    this.#partialBytes += size;
    if (this.#partialBytes < total) {
      this.tell();
      return undefined;
    }
    return this.#complete(this.#partial);
  }

  /** A message was received: from time to time the sender is told. */
  received(bytes: number): void {
    this.#messages++;
    this.#bytes += bytes;
    if (this.#messages - this.#toldMessages < windowMessages / 2 && this.#bytes - this.#toldBytes < windowBytes / 2)
      return;
    this.tell();
  }

  /** Tells the sender what was received. */
  tell(): void {
    const numbers = [this.#sequence, this.#partialBytes, this.#messages, this.#bytes];
    try {
      this.#carrier.publishFrame(numbersFrame(frameKind.credit, ...numbers));
    } catch {
      // Without a connection the sender asks for it later.
      return;
    }
    this.#toldMessages = this.#messages;
    this.#toldBytes = this.#bytes;
  }

  /** The sender has sent so much. Throws `unavailable` where something is missing. */
  expect({ sequence, offset }: FrameHead): void {
    if (sequence > this.#sequence || (sequence === this.#sequence && offset > this.#partialBytes)) throw this.#gap();
  }

  /** Forgets the incomplete message. */
  drop(): void {
    if (this.#partial === undefined) return;
    this.#budget?.give(this.#partial.length);
    this.#partial = undefined;
    this.#partialBytes = 0;
  }

  #complete(frame: Uint8Array): FrameMessage {
    this.drop();
    const isMessage = frame[0] === frameMarker && frame[1] === frameKind.message;
    if (!isMessage) throw malformed('chunks make no message');
    const head = readFrameHead(frame);
    if (head.sequence !== this.#sequence) throw malformed('chunks make another message');
    const message = readFrameMessage(frame, head.rest);
    this.#sequence++;
    return message;
  }

  #allocate(total: number): Uint8Array {
    if (this.#budget?.take(total) === false) {
      const what = `no room for a message of ${total} bytes, as incomplete ones may hold ${this.#budget.limit}`;
      throw new MicroError('unavailable', `${this.#carrier.what}: ${what}`);
    }
    // Not filled with zeros: its pages are used as its bytes come.
    return Buffer.allocUnsafeSlow(total);
  }

  #gap(): MicroError {
    return new MicroError('unavailable', `${this.#carrier.what}: something the peer sent was lost`);
  }
}
