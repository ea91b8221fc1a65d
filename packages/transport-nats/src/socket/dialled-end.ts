import { MicroError } from '@ts-micro/core';
import type { ByteBudget, BytesHolder, ReplyInbox, ReplyReceiver } from '@ts-micro/kit';
import { type Clock, PeerWatch } from '@ts-micro/kit/frames';
import {
  decodeEnvelope,
  isNoResponders,
  type NatsConnection,
  type NatsMessage,
  noRespondersError,
} from '@ts-micro/nats';
import { type Dialect, dialectOf } from '../dialect.ts';
import { importedStatus } from '../listener/account-import.ts';
import type { TransportSettings } from '../transport-options.ts';
import { DialledLine } from './dialled-line.ts';
import { streamOfAck } from './jetstream-ack.ts';
import { NatsSocket } from './nats-socket.ts';
import type { UntoldCloses } from './untold-closes.ts';

export interface DialInit {
  readonly connection: NatsConnection;
  readonly inbox: ReplyInbox<NatsMessage>;
  readonly untold: UntoldCloses;
  readonly clock: Clock;
  readonly dialect: Dialect;
  readonly address: string;
  readonly settings: TransportSettings;
  readonly budget: ByteBudget;
  onRelease(end: DialledEnd): void;
}

/**
 * The dialling end of a socket: takes what comes to its reply subject, and judges whether its listener is still there.
 */
export class DialledEnd implements ReplyReceiver<NatsMessage>, BytesHolder {
  /** The listener's address. */
  readonly peer: string;
  readonly socket: NatsSocket;
  readonly #connection: NatsConnection;
  readonly #line: DialledLine;
  readonly #watch: PeerWatch;

  constructor(init: DialInit) {
    const { connection, inbox, address } = init;
    this.#connection = connection;
    this.peer = address;
    const local = inbox.open(this);
    this.#line = new DialledLine(connection, address, local, init.untold);
    this.#watch = new PeerWatch(init.clock);
    this.socket = new NatsSocket({
      connection,
      line: this.#line,
      dialect: init.dialect,
      local,
      remote: address,
      settings: init.settings,
      held: init.budget.holding(this),
      onRelease: () => {
        inbox.close(local);
        init.onRelease(this);
      },
    });
    this.#line.countIn(this.socket.record);
  }

  onReply(received: NatsMessage): void {
    const { data } = received;
    if (data.length === 0) {
      this.#onStatus(received);
      return;
    }
    this.#watch.heard();
    try {
      if (dialectOf(data) === 'native') this.socket.takeFrame(data);
      else this.#onEnvelope(data);
    } catch (error) {
      this.fail(MicroError.from(error, 'malformed', this.#line.what));
    }
  }

  onInboxEnd(cause: MicroError): void {
    const { what } = this.#line;
    // Of a connection that goes on the server has taken the subscription away.
    const isEnded = this.#connection.state.status === 'closed' || cause.code === 'closed';
    const code = cause.code === 'unauthorized' ? 'unauthorized' : 'unavailable';
    const why = isEnded ? 'the connection has ended' : `no answer can come any more: ${cause.message}`;
    this.socket.fail(new MicroError(code, `${what}: ${why}`, { cause }));
  }

  /** Ends the socket; a listener that is still there need not go on, whatever the reason is. */
  fail(cause: MicroError): void {
    if (this.socket.dialect === 'native' && this.socket.record.begun > 0 && this.socket.isOpen)
      this.socket.stream.close();
    this.socket.fail(cause);
  }

  /** What it holds has to go for others. */
  shed(cause: MicroError): void {
    this.fail(new MicroError(cause.code, `${this.#line.what}: ${cause.message}`, { cause }));
    this.socket.forget();
  }

  /** The server refused a message to the listener. */
  onDenied(error: MicroError): void {
    const why = `the server refuses what is sent: ${error.message}`;
    this.fail(new MicroError(error.code, `${this.#line.what}: ${why}`, { cause: error }));
  }

  /** Connected again: what was lost meanwhile is found out now. */
  onReconnect(): void {
    const { begun, largest } = this.socket.record;
    const { maxPayload, what } = this.#line;
    // A server that lowers its limit says so by ending the connection on whoever goes beyond it.
    if (largest > maxPayload) {
      const message = `${what}: a message of ${largest} bytes was lost, the server takes ${maxPayload} now`;
      this.fail(new MicroError('too_large', message));
    } else if (begun > 0 && this.socket.probe()) this.#watch.probed();
  }

  /** Probes a listener that is quiet for long, and fails the socket where no answer comes. */
  judge(idleTicks: number, graceTicks: number): void {
    if (this.socket.record.begun === 0) return;
    const verdict = this.#watch.judge(idleTicks, graceTicks);
    if (verdict === 'gone')
      this.fail(new MicroError('unavailable', `${this.#line.what}: the peer does not answer any more`));
    else if (verdict === 'probe' && this.socket.probe()) this.#watch.probed();
  }

  #onStatus(received: NatsMessage): void {
    const { what } = this.#line;
    const { isSafeAfterNoResponders, wasAnswered } = this.socket.record;
    if (isNoResponders(received)) this.fail(noRespondersError(what, { retrySafe: isSafeAfterNoResponders }));
    if (received.status === 0 && this.socket.record.begun > 0)
      this.fail(
        new MicroError('malformed', `${what}: the answer is an empty message, neither an envelope nor a frame`),
      );
    if (received.status !== importedStatus) return;
    const why = 'goes through an account import, which carries one request and one answer';
    const message = `${what}: ${why}: no streams, and no bodies above the server's max_payload`;
    // One request after others that were answered goes through on a socket of its own.
    const retrySafe = wasAnswered && isSafeAfterNoResponders;
    this.fail(new MicroError(retrySafe ? 'unavailable' : 'unsupported', message, { retrySafe }));
  }

  #onEnvelope(data: Uint8Array): void {
    const message = decodeEnvelope(data);
    const stream = message.body.length === 0 ? streamOfAck(data) : undefined;
    if (stream === undefined) {
      this.socket.deliver(message);
      return;
    }
    const why = `the JetStream stream "${stream}" takes what is sent to this address, and answered in place of a service`;
    this.fail(new MicroError('unavailable', `${this.#line.what}: ${why}: take the address out of its subjects`));
  }
}
