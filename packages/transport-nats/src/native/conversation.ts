import type { Message, MicroError } from '@ts-micro/core';
import type { FrameCarrier } from './carrier.ts';
import { type FrameMessage, frameKind, numbersFrame, readFrameHead } from './frame.ts';
import { Incoming } from './incoming.ts';
import { Outgoing } from './outgoing.ts';
import type { ReassemblyBudget } from './reassembly-budget.ts';

/** What a conversation tells its socket. */
export interface ConversationHost extends FrameCarrier {
  /** A message to be received. */
  onFrameMessage(message: FrameMessage): void;
  /** The peer has closed after `messages` of those sent to it were received. */
  onPeerClosed(messages: number): void;
}

/** One socket's side of a conversation in frames. */
export class Conversation {
  readonly #host: ConversationHost;
  readonly #outgoing: Outgoing;
  readonly #incoming: Incoming;

  constructor(host: ConversationHost, maxMessageBytes: number, budget?: ReassemblyBudget) {
    this.#host = host;
    this.#outgoing = new Outgoing(host, maxMessageBytes);
    this.#incoming = new Incoming(host, maxMessageBytes, budget);
  }

  /** How many messages were sent. */
  get sent(): number {
    return this.#outgoing.sequence;
  }

  /** The same, and one more where it is being sent in chunks. */
  get begun(): number {
    return this.#outgoing.begun;
  }

  /** As {@link Outgoing.send}. */
  send(message: Message, signal: AbortSignal | undefined): Promise<void> | undefined {
    return this.#outgoing.send(message, signal);
  }

  /** Takes a frame. Throws `malformed`, and what makes the socket useless: `unavailable` for a gap, `too_large`. */
  take(bytes: Uint8Array): void {
    const head = readFrameHead(bytes);
    switch (head.kind) {
      case frameKind.message:
        this.#hand(this.#incoming.message(bytes, head));
        break;
      case frameKind.chunk:
        this.#hand(this.#incoming.chunk(bytes, head));
        break;
      case frameKind.credit:
        this.#outgoing.credit(head);
        break;
      case frameKind.ask:
        this.#incoming.expect(head);
        this.#incoming.tell();
        break;
      case frameKind.close: {
        const { messages } = head;
        this.#incoming.expect({ ...head, offset: 0 });
        this.#host.onPeerClosed(messages);
        break;
      }
    }
  }

  /** A message was received: taken out, not only come. */
  received(message: FrameMessage): void {
    if (!this.#outgoing.hasEnded) this.#incoming.received(message.frameBytes);
  }

  /** Tells the peer that this side is closed, unless it has ended before. */
  close(): void {
    if (this.#outgoing.hasEnded) return;
    try {
      this.#host.publishFrame(numbersFrame(frameKind.close, this.#outgoing.sequence, this.#incoming.messages));
    } catch {
      // Without a connection, or a peer that could be told, there is nobody who waits.
    }
  }

  /** Whatever waits to be sent, and all that is sent from now on, is refused with `cause`; what came incomplete is forgotten. */
  end(cause: MicroError): void {
    this.#incoming.drop();
    this.#outgoing.end(cause);
  }

  #hand(message: FrameMessage | undefined): void {
    if (message !== undefined) this.#host.onFrameMessage(message);
  }
}
