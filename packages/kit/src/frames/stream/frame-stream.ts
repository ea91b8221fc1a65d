import type { Message, MicroError, SendOptions } from '@ts-micro/core';
import { type FrameMessage, frameKind, numbersFrame, readFrameHead } from '../frame.ts';
import { FrameReceiver, type FrameStreamOptions } from './frame-receiver.ts';
import { FrameSender } from './frame-sender.ts';
import type { Line } from './line.ts';
import type { SentRecord } from './sent-record.ts';

/** The peer has closed after it received `received` of the messages sent to it. */
export interface PeerClose {
  readonly received: number;
}

/** One socket's side of a stream of frames, both ways. */
export class FrameStream {
  readonly #line: Line;
  readonly #record: SentRecord;
  readonly #sender: FrameSender;
  readonly #receiver: FrameReceiver;

  constructor(line: Line, record: SentRecord, options: FrameStreamOptions) {
    this.#line = line;
    this.#record = record;
    this.#sender = new FrameSender(line, record, options.maxMessageBytes);
    this.#receiver = new FrameReceiver(line, options);
  }

  /** As {@link FrameSender.send}. */
  send(message: Message, options: SendOptions | undefined): Promise<void> | undefined {
    return this.#sender.send(message, options);
  }

  /**
   * Takes a frame; returns a message that is whole, or the close. Throws `malformed`, and what makes the socket
   * useless: `unavailable` for a gap, `too_large`.
   */
  take(bytes: Uint8Array): FrameMessage | PeerClose | undefined {
    const head = readFrameHead(bytes);
    switch (head.kind) {
      case frameKind.message:
        return this.#receiver.message(bytes, head);
      case frameKind.chunk:
        return this.#receiver.chunk(bytes, head);
      case frameKind.update:
        this.#record.alive();
        this.#sender.update(head);
        return undefined;
      case frameKind.probe:
        this.#receiver.expect(head.sequence, head.offset);
        this.#receiver.tell(true);
        this.#sender.probeInReturn();
        return undefined;
      default: {
        const { messages: received, sequence } = head;
        this.#receiver.expect(sequence, 0);
        return { received };
      }
    }
  }

  /** A message was received: taken out, not only come. */
  received(message: FrameMessage): void {
    if (!this.#sender.hasEnded) this.#receiver.received(message.frameBytes);
  }

  /**
   * Asks the peer for its window and tells what was sent: after a reconnect, and of one that is quiet. Never throws.
   */
  probe(): void {
    if (this.#sender.hasEnded) return;
    try {
      this.#sender.probe();
    } catch {
      // Without a connection it is done after the reconnect.
    }
  }

  /**
   * Tells the peer that this side is closed, unless it has ended before: at once, past the window and whatever waits to
   * be sent.
   */
  close(): void {
    if (this.#sender.hasEnded) return;
    this.#line.farewell(numbersFrame(frameKind.close, this.#sender.sequence, this.#receiver.messages));
  }

  /**
   * Whatever waits to be sent, and all that is sent from now on, is refused with what `cause` makes, as mostly nothing
   * is; what came incomplete is forgotten.
   */
  end(cause: () => MicroError): void {
    this.#receiver.drop();
    this.#sender.end(cause);
  }
}
