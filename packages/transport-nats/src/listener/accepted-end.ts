import { type Message, MicroError } from '@ts-micro/core';
import { type ByteBudget, type BytesHolder, type ReplyInbox, type ReplyReceiver, shown } from '@ts-micro/kit';
import { type Clock, type DiallingPeer, PeerWatch } from '@ts-micro/kit/frames';
import { type AnswerRight, isNoResponders, type NatsConnection, type NatsMessage } from '@ts-micro/nats';
import type { Dialect } from '../dialect.ts';
import { NatsSocket } from '../socket/nats-socket.ts';
import type { UntoldCloses } from '../socket/untold-closes.ts';
import type { TransportSettings } from '../transport-options.ts';
import { AcceptedLine } from './accepted-line.ts';

export interface AcceptInit {
  readonly connection: NatsConnection;
  readonly dialect: Dialect;
  /** The listener's address. */
  readonly address: string;
  /** The dialler's reply subject; empty where it gave none. */
  readonly remote: string;
  readonly dialling: DiallingPeer;
  readonly settings: TransportSettings;
  readonly budget: ByteBudget;
  readonly untold: UntoldCloses;
  readonly clock: Clock;
  readonly inbox: () => ReplyInbox<NatsMessage>;
  readonly answers: AnswerRight;
  /** The socket has ended: forget it. */
  onRelease(end: AcceptedEnd): void;
  /** The socket failed through no message of its own: tell the dialler. */
  onShed(end: AcceptedEnd, cause: MicroError): void;
}

/** The listening end of a socket: takes what its dialler sends, and judges whether that is still there. */
export class AcceptedEnd implements ReplyReceiver<NatsMessage>, BytesHolder {
  readonly remote: string;
  /** What the reply subjects of one dialling process have in common. */
  readonly peer: string;
  readonly dialling: DiallingPeer;
  readonly socket: NatsSocket;
  readonly #line: AcceptedLine;
  readonly #watch: PeerWatch;
  readonly #answers: AnswerRight;
  readonly #onShed: (end: AcceptedEnd, cause: MicroError) => void;
  /** Whether a message has come, so that the handler is to have the socket. */
  hasMessage = false;

  constructor(init: AcceptInit) {
    const { connection, address, remote, clock, untold, inbox, budget, answers } = init;
    const what = `nats socket from ${address} to ${shown(remote)}`;
    this.remote = remote;
    this.dialling = init.dialling;
    this.peer = init.dialling.name;
    this.#answers = answers;
    this.#onShed = init.onShed;
    this.#watch = new PeerWatch(clock);
    this.#line = new AcceptedLine({
      connection,
      what,
      remote,
      peer: init.dialling,
      clock,
      untold,
      inbox,
      receiver: this,
      onAnswer: () => answers.sent(),
    });
    this.socket = new NatsSocket({
      connection,
      line: this.#line,
      dialect: init.dialect,
      local: address,
      remote,
      peer: this.peer,
      settings: init.settings,
      held: budget.holding(this),
      onRelease: () => {
        this.#line.release();
        init.onRelease(this);
      },
    });
  }

  /** When a message went in either direction last, by the listener's clock. */
  get lastActive(): number {
    return this.#line.lastActive;
  }

  /** Whether all that came is answered, as far as a transport can see. */
  get isAtRest(): boolean {
    return this.#line.isAtRest;
  }

  /** Takes a message. Throws what the socket is to fail with. */
  deliver(message: Message): void {
    this.#heard('go', true);
    this.hasMessage = true;
    this.socket.deliver(message);
  }

  /** Takes a frame. Throws what the socket is to fail with, or `malformed`. */
  deliverFrame(bytes: Uint8Array): void {
    this.#heard('native', false);
    if (!this.socket.takeFrame(bytes)) return;
    this.#line.heard(true);
    this.hasMessage = true;
  }

  /** An answer to a message that asked for one: only the server's own matters. */
  onReply(received: NatsMessage): void {
    if (isNoResponders(received)) this.#peerGone();
  }

  onInboxEnd(): void {
    this.#line.forgetInbox();
  }

  /** The server refused a message to the dialler. */
  onDenied(error: MicroError): void {
    this.socket.fail(error);
    this.#answers.refused({ subject: this.remote, error, published: () => this.#line.published });
  }

  shed(cause: MicroError): void {
    this.#onShed(this, cause);
    this.socket.forget();
  }

  /** Connected again: what was lost meanwhile is found out now. */
  onReconnect(): void {
    if (this.socket.probe()) this.#watch.probed();
  }

  /**
   * Probes a dialler that is quiet for long, and fails the socket of one that does not answer. Go Micro's diallers
   * cannot be asked: returns true where one was quiet for the idle time, and the socket is to be retired.
   */
  judge(idleTicks: number, graceTicks: number, now: number): boolean {
    if (this.socket.dialect === 'go') return now - this.lastActive > idleTicks;
    const verdict = this.#watch.judge(idleTicks, graceTicks);
    if (verdict === 'gone') this.#peerGone();
    else if (verdict === 'probe' && this.socket.probe()) this.#watch.probed();
    return false;
  }

  /** Lets the handler receive what has come, and then the end. */
  retire(): void {
    this.socket.endInput();
  }

  #peerGone(): void {
    this.socket.fail(new MicroError('unavailable', `${this.socket.local}: the peer ${shown(this.remote)} has gone`), {
      isPeerGone: true,
    });
  }

  #heard(dialect: Dialect, withMessage: boolean): void {
    this.#watch.heard();
    this.#line.heard(withMessage);
    this.socket.dialect = dialect;
  }
}
