import { type Message, MicroError } from '@ts-micro/core';
import type { NatsConnection, NatsMessage } from '@ts-micro/nats';
import type { Clock } from './clock.ts';
import type { Dialect, ReplySubject } from './dialect.ts';
import { NatsSocket } from './nats-socket.ts';
import { isNobodyListens } from './nobody-listens.ts';
import type { ReplyInbox, ReplyTaker } from './reply-inbox.ts';

export interface AcceptInit {
  readonly connection: NatsConnection;
  readonly dialect: Dialect;
  /** The listener's address. */
  readonly address: string;
  /** The dialler's reply subject; empty where it gave none. */
  readonly remote: string;
  readonly maxQueuedMessages: number;
  readonly clock: Clock;
  /** Reply subjects to find out by whether the dialler is still there. */
  readonly inbox: () => ReplyInbox;
  onRelease(socket: AcceptedSocket): void;
}

/** The listening end: known by the dialler's reply subject, and to nobody else than this process. */
export class AcceptedSocket extends NatsSocket implements ReplyTaker {
  readonly #clock: Clock;
  readonly #openInbox: () => ReplyInbox;
  readonly #onRelease: (socket: AcceptedSocket) => void;
  #inbox: ReplyInbox | undefined;
  #probe: ReplySubject | undefined;
  /** Something was sent since something was received. */
  #isAnswered = false;
  #lastReceived: number;
  #lastSent = Number.NEGATIVE_INFINITY;
  #lastProbe = Number.NEGATIVE_INFINITY;

  constructor(init: AcceptInit) {
    super({ ...init, local: init.address });
    this.#clock = init.clock;
    this.#openInbox = init.inbox;
    this.#onRelease = init.onRelease;
    this.#lastReceived = init.clock.now;
  }

  /** When a message went in either direction last, by the listener's clock. */
  get lastActive(): number {
    return Math.max(this.#lastReceived, this.#lastSent);
  }

  /** Called on the connection's read loop. False when it has failed, because more is waiting to be received than may. */
  deliver(message: Message, dialect: Dialect): boolean {
    this.#lastReceived = this.#clock.now;
    this.#isAnswered = false;
    this.dialect = dialect;
    if (this.push(message)) return true;
    this.fail(new MicroError('unavailable', `${this.what}: more messages came than are received`));
    return false;
  }

  /** An answer to a message that asked for one: only the server's own matters. */
  onReply(received: NatsMessage): void {
    if (!isNobodyListens(received)) return;
    this.fail(new MicroError('unavailable', `${this.what}: the peer has gone`), { isPeerGone: true });
  }

  onInboxEnd(): void {
    this.#probe = undefined;
  }

  /**
   * Go Micro's diallers leave without a word. A message with a reply subject tells: where nobody has subscribed to the dialler's any
   * more, the server answers "no responders". One a second is enough, and none while the dialler itself is heard of.
   */
  protected replySubject(): ReplySubject | undefined {
    if (this.remote === '') {
      throw new MicroError(
        'unsupported',
        `${this.what}: the message came without a reply subject, so it has no answer`,
      );
    }
    const { now, second } = this.#clock;
    const isHeardOf = !this.#isAnswered || now - this.#lastReceived <= second;
    if (isHeardOf || now - this.#lastProbe <= second) return undefined;
    this.#lastProbe = now;
    if (this.#probe === undefined) {
      this.#inbox = this.#openInbox();
      this.#probe = { reply: this.#inbox.add(this) };
    }
    return this.#probe;
  }

  protected sent(): void {
    this.#lastSent = this.#clock.now;
    this.#isAnswered = true;
  }

  protected release(): void {
    if (this.#probe) this.#inbox?.remove(this.#probe.reply);
    this.#onRelease(this);
  }
}
