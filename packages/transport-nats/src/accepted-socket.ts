import { type Message, MicroError } from '@ts-micro/core';
import type { ReplyInbox, ReplyReceiver } from '@ts-micro/kit';
import { isNoResponders, type NatsConnection, type NatsMessage } from '@ts-micro/nats';
import type { Clock } from './clock.ts';
import type { Dialect } from './dialect.ts';
import type { FrameMessage } from './native/frame.ts';
import type { ReassemblyBudget } from './native/reassembly-budget.ts';
import { NatsSocket, type ReplySubject, tooMany } from './nats-socket.ts';

export interface AcceptInit {
  readonly connection: NatsConnection;
  readonly dialect: Dialect;
  /** The listener's address. */
  readonly address: string;
  /** The dialler's reply subject; empty where it gave none. */
  readonly remote: string;
  readonly maxQueuedMessages: number;
  readonly maxMessageBytes: number;
  readonly reassembly: ReassemblyBudget;
  readonly clock: Clock;
  /** Reply subjects to find out by whether the dialler is still there. */
  readonly inbox: () => ReplyInbox<NatsMessage>;
  onRelease(socket: AcceptedSocket): void;
}

/** The listening end: known by the dialler's reply subject, and to nobody else than this process. */
export class AcceptedSocket extends NatsSocket implements ReplyReceiver<NatsMessage> {
  readonly #clock: Clock;
  readonly #openInbox: () => ReplyInbox<NatsMessage>;
  readonly #onRelease: (socket: AcceptedSocket) => void;
  #inbox: ReplyInbox<NatsMessage> | undefined;
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
  deliver(message: Message): boolean {
    this.#heard('go');
    this.#isAnswered = false;
    if (this.push(message)) return true;
    this.fail(tooMany(this.what));
    return false;
  }

  /** The same for a frame; it may fail for other reasons as well. Throws `malformed`. */
  deliverFrame(bytes: Uint8Array): boolean {
    this.#heard('native');
    return this.takeFrame(bytes);
  }

  override onFrameMessage(message: FrameMessage): void {
    this.#isAnswered = false;
    super.onFrameMessage(message);
  }

  publishAsk(bytes: Uint8Array): void {
    this.connection.publish(this.remote, bytes, this.#probeSubject());
  }

  /** An answer to a message that asked for one: only the server's own matters. */
  onReply(received: NatsMessage): void {
    if (!isNoResponders(received)) return;
    this.fail(new MicroError('unavailable', `${this.what}: the peer has gone`), { isPeerGone: true });
  }

  /** Its connection has ended: nothing comes or goes any more. */
  lose(cause: MicroError): void {
    this.fail(cause);
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
    return this.#probeSubject();
  }

  protected onSent(): void {
    this.#lastSent = this.#clock.now;
    this.#isAnswered = true;
  }

  protected release(): void {
    if (this.#probe) this.#inbox?.close(this.#probe.reply);
    this.#onRelease(this);
  }

  #heard(dialect: Dialect): void {
    this.#lastReceived = this.#clock.now;
    this.dialect = dialect;
  }

  #probeSubject(): ReplySubject {
    this.#lastProbe = this.#clock.now;
    if (this.#probe === undefined) {
      this.#inbox = this.#openInbox();
      this.#probe = { reply: this.#inbox.open(this) };
    }
    return this.#probe;
  }
}
