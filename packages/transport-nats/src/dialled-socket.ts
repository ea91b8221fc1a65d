import { MicroError } from '@ts-micro/core';
import type { ReplyInbox, ReplyReceiver } from '@ts-micro/kit';
import {
  decodeEnvelope,
  isNoResponders,
  type NatsConnection,
  type NatsMessage,
  noRespondersError,
} from '@ts-micro/nats';
import { type Dialect, dialectOf } from './dialect.ts';
import { type FrameMessage, frameKind } from './native/frame.ts';
import { NatsSocket, type ReplySubject, tooMany } from './nats-socket.ts';

export interface DialInit {
  readonly connection: NatsConnection;
  readonly inbox: ReplyInbox<NatsMessage>;
  readonly dialect: Dialect;
  readonly address: string;
  readonly maxQueuedMessages: number;
  readonly maxMessageBytes: number;
  onRelease(socket: DialledSocket): void;
}

/** The dialling end: a reply subject of its own, on which everything from the listener comes back. */
export class DialledSocket extends NatsSocket {
  readonly #inbox: ReplyInbox<NatsMessage>;
  readonly #onRelease: (socket: DialledSocket) => void;
  readonly #reply: ReplySubject;
  /** Envelopes and credit sent since something came back, which a "no responders" may be about. */
  #unanswered = 0;
  /** How many messages in frames had been sent when one came back last. */
  #answered = 0;

  constructor({ connection, inbox, dialect, address, maxQueuedMessages, maxMessageBytes, onRelease }: DialInit) {
    const receiver: ReplyReceiver<NatsMessage> = {
      onReply: (received) => this.#onReply(received),
      onInboxEnd: (cause) =>
        this.fail(new MicroError('unavailable', `${this.what}: the connection has ended`, { cause })),
    };
    const local = inbox.open(receiver);
    super({ connection, dialect, local, remote: address, maxQueuedMessages, maxMessageBytes });
    this.#inbox = inbox;
    this.#onRelease = onRelease;
    this.#reply = { reply: local };
  }

  publishAsk(bytes: Uint8Array): void {
    this.publishFrame(bytes);
  }

  override onFrameMessage(message: FrameMessage): void {
    this.#unanswered = 0;
    this.#answered = this.conversation.sent;
    super.onFrameMessage(message);
  }

  override onPeerClosed(messages: number): void {
    const isUnheard = messages <= this.#answered && this.conversation.sent > this.#answered;
    // None of what waits for an answer was received, so none of it can have run.
    if (isUnheard) this.fail(new MicroError('unavailable', `${this.what}: the peer has closed`, { retrySafe: true }));
    else super.onPeerClosed(messages);
  }

  override publishFrame(bytes: Uint8Array): void {
    this.connection.publish(this.remote, bytes, this.#reply);
    if (bytes[1] === frameKind.credit) this.#unanswered++;
  }

  protected replySubject(): ReplySubject {
    return this.#reply;
  }

  protected onSent(): void {
    this.#unanswered++;
  }

  protected override fail(cause: MicroError, options?: { readonly isPeerGone?: boolean }): void {
    // Whatever the reason, a listener that is still there need not go on.
    if (this.dialect === 'native' && this.conversation.sent > 0) this.conversation.close();
    super.fail(cause, options);
  }

  protected release(): void {
    this.#inbox.close(this.local);
    this.#onRelease(this);
  }

  #onReply(received: NatsMessage): void {
    const { data } = received;
    if (data.length === 0) {
      if (isNoResponders(received)) this.#nobodyListens();
      return;
    }
    try {
      if (dialectOf(data) === 'native') this.takeFrame(data);
      else this.#onEnvelope(data);
    } catch (error) {
      this.fail(MicroError.from(error, 'malformed', this.what));
    }
  }

  #onEnvelope(data: Uint8Array): void {
    this.#unanswered = 0;
    if (!this.push(decodeEnvelope(data))) this.fail(tooMany(this.what));
  }

  #nobodyListens(): void {
    const { begun } = this.conversation;
    // One message at most, and the rest of it, can have been refused; with two of them the first may have run.
    const retrySafe = this.#unanswered + begun - this.#answered === 1;
    this.fail(noRespondersError(this.what, { retrySafe }));
  }
}
