import { MicroError } from '@ts-micro/core';
import type { ReplyInbox, ReplyReceiver } from '@ts-micro/kit';
import { type Clock, type DiallingPeer, diallingPeer, type Line } from '@ts-micro/kit/frames';
import type { NatsConnection, NatsMessage } from '@ts-micro/nats';
import type { UntoldCloses } from '../socket/untold-closes.ts';

export interface AcceptedLineInit {
  readonly connection: NatsConnection;
  readonly what: string;
  /** The dialler's reply subject; empty where it gave none. */
  readonly remote: string;
  readonly peer: DiallingPeer;
  readonly clock: Clock;
  readonly untold: UntoldCloses;
  /** Reply subjects by which to find out whether the dialler is still there, and who is told. */
  readonly inbox: () => ReplyInbox<NatsMessage>;
  readonly receiver: ReplyReceiver<NatsMessage>;
  /** Called at the first message to the dialler. */
  readonly onAnswer: () => void;
}

/** Counts for lines that were released. */
const nobody = diallingPeer('');

/**
 * A listener's way to its dialler.
 *
 * Diallers may leave without a word. A message with a reply subject tells: where nobody has subscribed to the dialler's
 * any more, the server answers "no responders". One a second is enough, and none while the dialler itself is heard of.
 */
export class AcceptedLine implements Line {
  readonly what: string;
  readonly #init: AcceptedLineInit;
  #peer: DiallingPeer;
  #inbox: ReplyInbox<NatsMessage> | undefined;
  #probe: { readonly reply: string } | undefined;
  /** Something was sent since something was received. */
  #isAnswered = false;
  #heardAt: number;
  #sentAt = Number.NEGATIVE_INFINITY;
  #probedAt = Number.NEGATIVE_INFINITY;
  /** How many messages were published to the dialler. */
  published = 0;

  constructor(init: AcceptedLineInit) {
    this.what = init.what;
    this.#init = init;
    this.#heardAt = init.clock.now;
    this.#peer = init.peer;
    this.#peer.unanswered++;
  }

  get maxPayload(): number {
    return this.#init.connection.maxPayload;
  }

  /** When a message went in either direction last, in ticks of the clock. */
  get lastActive(): number {
    return Math.max(this.#heardAt, this.#sentAt);
  }

  /** Whether the last message was one to the dialler, so that nothing of it waits for an answer. */
  get isAtRest(): boolean {
    return this.#isAnswered;
  }

  /** The dialler was heard; `withMessage` where an answer may be due. */
  heard(withMessage: boolean): void {
    this.#heardAt = this.#init.clock.now;
    if (!withMessage || !this.#isAnswered) return;
    this.#isAnswered = false;
    this.#peer.unanswered++;
  }

  publish(bytes: Uint8Array, prefix?: Uint8Array): void {
    const { connection, remote } = this.#init;
    if (remote === '') throw this.#unanswerable();
    const reply = this.#isProbeDue() ? this.#probeSubject() : undefined;
    connection.publish(remote, bytes, prefix === undefined ? reply : { ...reply, prefix });
    if (++this.published === 1) this.#init.onAnswer();
    this.#sentAt = this.#init.clock.now;
    if (this.#isAnswered) return;
    this.#isAnswered = true;
    this.#peer.unanswered--;
  }

  probe(bytes: Uint8Array): void {
    const { connection, remote } = this.#init;
    if (remote === '') throw this.#unanswerable();
    connection.publish(remote, bytes, this.#probeSubject());
  }

  farewell(bytes: Uint8Array): void {
    const { remote, untold } = this.#init;
    if (remote !== '') untold.publish(remote, bytes);
  }

  /** The inbox of its probes has ended: the next probe takes another. */
  forgetInbox(): void {
    this.#probe = undefined;
  }

  release(): void {
    if (this.#probe) this.#inbox?.close(this.#probe.reply);
    this.#probe = undefined;
    if (!this.#isAnswered) this.#peer.unanswered--;
    this.#peer = nobody;
  }

  #isProbeDue(): boolean {
    const { now, second } = this.#init.clock;
    const isHeardOf = !this.#isAnswered || now - this.#heardAt <= second;
    return !isHeardOf && now - this.#probedAt > second;
  }

  #probeSubject(): { readonly reply: string } {
    this.#probedAt = this.#init.clock.now;
    if (this.#probe === undefined) {
      this.#inbox = this.#init.inbox();
      this.#probe = { reply: this.#inbox.open(this.#init.receiver) };
    }
    return this.#probe;
  }

  #unanswerable(): MicroError {
    return new MicroError('unsupported', `${this.what}: the message came without a reply subject, so it has no answer`);
  }
}
