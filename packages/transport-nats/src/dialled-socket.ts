import { MicroError } from '@ts-micro/core';
import type { NatsMessage } from '@ts-micro/nats';
import type { Dialect, ReplySubject } from './dialect.ts';
import { NatsSocket } from './nats-socket.ts';
import { isNobodyListens } from './nobody-listens.ts';
import type { ReplyInbox, ReplyTaker } from './reply-inbox.ts';

export interface DialInit {
  readonly inbox: ReplyInbox;
  readonly dialect: Dialect;
  readonly address: string;
  readonly maxQueuedMessages: number;
  onRelease(socket: DialledSocket): void;
}

/** The dialling end: a reply subject of its own, on which everything from the listener comes back. */
export class DialledSocket extends NatsSocket {
  readonly #inbox: ReplyInbox;
  readonly #onRelease: (socket: DialledSocket) => void;
  readonly #reply: ReplySubject;
  /** Messages sent since one came back, which a "no responders" may be about. */
  #unanswered = 0;

  constructor({ inbox, dialect, address, maxQueuedMessages, onRelease }: DialInit) {
    const taker: ReplyTaker = {
      onReply: (received) => this.#onReply(received),
      onInboxEnd: (cause) =>
        this.fail(new MicroError('unavailable', `${this.what}: the connection has ended`, { cause })),
    };
    const local = inbox.add(taker);
    super({ connection: inbox.connection, dialect, local, remote: address, maxQueuedMessages });
    this.#inbox = inbox;
    this.#onRelease = onRelease;
    this.#reply = { reply: local };
  }

  protected replySubject(): ReplySubject {
    return this.#reply;
  }

  protected sent(): void {
    this.#unanswered++;
  }

  protected release(): void {
    this.#inbox.remove(this.local);
    this.#onRelease(this);
  }

  #onReply(received: NatsMessage): void {
    if (received.data.length === 0) {
      if (isNobodyListens(received)) this.#nobodyListens();
      return;
    }
    this.#unanswered = 0;
    try {
      if (this.push(this.dialect.read(received))) return;
      this.fail(new MicroError('unavailable', `${this.what}: more messages came than are received`));
    } catch (error) {
      this.fail(MicroError.from(error, 'malformed', this.what));
    }
  }

  #nobodyListens(): void {
    const retrySafe = this.#unanswered === 1;
    this.fail(new MicroError('unavailable', `${this.what}: nobody listens`, { retrySafe }));
  }
}
