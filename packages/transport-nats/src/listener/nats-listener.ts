import { type AbortOptions, abortError, type Listener, type Logger, MicroError, type Socket } from '@ts-micro/core';
import { abortable, ByteBudget, ClosableBase, RateLimitedLogger, type ReplyInbox, shown } from '@ts-micro/kit';
import { AcceptedEnds, Clock, opensSocket } from '@ts-micro/kit/frames';
import {
  type AnswerRight,
  decodeEnvelope,
  type NatsConnection,
  type NatsMessage,
  peerOf,
  tellNoResponders,
} from '@ts-micro/nats';
import { advertised, type Dialect, dialectOf } from '../dialect.ts';
import { UntoldCloses } from '../socket/untold-closes.ts';
import { type TransportSettings, unreceived } from '../transport-options.ts';
import { AcceptedEnd } from './accepted-end.ts';
import { refuseSocket } from './account-import.ts';
import { Admission } from './admission.ts';
import { isAnswerable } from './answerable.ts';
import { HeldAddress } from './held-address.ts';
import { isPlain, refusePlain } from './plain-request.ts';

type SocketHandler = (socket: Socket) => void | Promise<void>;

export interface ListenerInit {
  readonly connection: NatsConnection;
  readonly address: string;
  readonly settings: TransportSettings;
  readonly logger: Logger;
  readonly inbox: () => ReplyInbox<NatsMessage>;
  readonly answers: AnswerRight;
}

/** How long a close whose time is over goes on refusing what was on its way. */
const lastRefusalsMs = 250;

export class NatsListener extends ClosableBase implements Listener {
  readonly address: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly #connection: NatsConnection;
  readonly #settings: TransportSettings;
  readonly #logger: RateLimitedLogger;
  readonly #inbox: () => ReplyInbox<NatsMessage>;
  readonly #answers: AnswerRight;
  readonly #what: string;
  readonly #clock: Clock;
  readonly #budget: ByteBudget;
  readonly #untold: UntoldCloses;
  readonly #ends = new AcceptedEnds<AcceptedEnd>(peerOf);
  readonly #admission: Admission;
  readonly #held: HeldAddress;
  readonly #unfollow: readonly (() => void)[];
  #wasConnected: boolean;
  #onIdle: (() => void) | undefined;
  #handler: SocketHandler | undefined;
  /** It was lost, and only what is open goes on. */
  #isLeft = false;

  constructor({ connection, address, settings, logger, inbox, answers }: ListenerInit) {
    const what = `nats listener ${address}`;
    super(what);
    this.address = address;
    this.metadata = advertised(settings.dialect);
    this.#connection = connection;
    this.#settings = settings;
    this.#logger = new RateLimitedLogger(logger);
    this.#inbox = inbox;
    this.#answers = answers;
    this.#what = what;
    this.#clock = new Clock(settings.tickMs, () => this.#judge());
    this.#budget = new ByteBudget(settings.maxReassemblyBytes, unreceived);
    this.#untold = new UntoldCloses(connection);
    this.#admission = new Admission({
      connection,
      address,
      what,
      logger: this.#logger,
      ends: this.#ends,
      clock: this.#clock,
      maxSockets: settings.maxSockets,
      fail: (end, cause) => this.#fail(end, cause),
      retire: (end) => this.#retire(end),
    });
    this.#held = new HeldAddress({
      connection,
      address,
      logger: this.#logger,
      what,
      onMessage: (received) => this.#onMessage(received),
      // `closed` tells.
      onLost: (error) => void this.lifetime.fail(error),
    });
    this.#wasConnected = connection.state.status === 'connected';
    this.#unfollow = [
      connection.onStateChange(({ status }) => this.#onState(status === 'connected')),
      connection.onPublishDenied((subject, error) => this.#ends.get(subject)?.onDenied(error)),
    ];
    void connection.closed.then((cause) => {
      const error = new MicroError('unavailable', `${this.#what}: the connection has ended`, { cause });
      for (const end of [...this.#ends.known, ...this.#ends.running]) end.socket.fail(error);
      void this.lifetime.fail(error);
    });
  }

  /** It is useless now: `closed` tells, and what is open goes on. */
  fail(cause: MicroError): void {
    void this.lifetime.fail(cause);
  }

  async accept(handler: SocketHandler, options: AbortOptions = {}): Promise<void> {
    this.lifetime.assertOpen(options);
    if (this.#handler) throw new MicroError('conflict', `${this.#what}: accept was called already`);
    this.#handler = handler;
    try {
      await this.#answers.check(options);
      await this.#held.take(options);
      this.lifetime.assertOpen();
    } catch (error) {
      this.#held.drop();
      this.#handler = undefined;
      throw error;
    }
  }

  /** False from the moment it begins to close. */
  get isOpen(): boolean {
    return this.lifetime.isOpen;
  }

  #onMessage(received: NatsMessage): void {
    const { data } = received;
    const remote = received.reply ?? '';
    if (!isAnswerable(remote)) {
      this.#logger.warn('nats message asks for an answer to the server', {
        listener: this.address,
        remote: shown(remote),
      });
      return;
    }
    const known = remote === '' ? undefined : this.#ends.get(remote);
    const isFrame = this.#settings.dialect === 'auto' && dialectOf(data) === 'native';
    if (data.length > 0 && this.#admission.isTooMuch(remote, known)) return;
    try {
      if (isFrame) this.#onFrame(data, remote, known);
      else if (data.length > 0 || (received.status === 0 && known === undefined)) this.#onEnvelope(data, remote, known);
    } catch (error) {
      // Only this message: Go ends the whole conversation for it.
      this.#logger.warn('nats message is malformed', { listener: this.address, remote: shown(remote), error });
      if (!isFrame && known === undefined) refusePlain(this.#connection, remote);
    }
  }

  #onEnvelope(data: Uint8Array, remote: string, known: AcceptedEnd | undefined): void {
    const message = decodeEnvelope(data);
    if (known !== undefined) {
      this.#take(known, data, message);
      return;
    }
    if (isPlain(message, data)) throw new MicroError('malformed', 'nats envelope: it has no Header and no Body');
    const end = this.#admit(remote, 'go');
    if (end === undefined) return;
    this.#take(end, data, message);
  }

  #onFrame(bytes: Uint8Array, remote: string, known: AcceptedEnd | undefined): void {
    if (known !== undefined) {
      this.#take(known, bytes);
      return;
    }
    const opens = opensSocket(bytes);
    if (opens === undefined) return;
    if (!opens) {
      // What came before it went to a socket that is no more, or was lost.
      this.#refuse(remote);
      return;
    }
    const end = this.#admit(remote, 'native');
    if (end === undefined) return;
    try {
      this.#take(end, bytes);
    } catch (error) {
      // A malformed first frame opens nothing.
      this.#drop(end, MicroError.from(error, 'malformed', this.#what));
      throw error;
    }
  }

  /**
   * Hands what came, a frame or the message of an envelope, to its end, and starts the handler with the first message.
   * Throws `malformed`; anything else fails the socket.
   */
  #take(end: AcceptedEnd, bytes: Uint8Array, message?: ReturnType<typeof decodeEnvelope>): void {
    try {
      if (message === undefined) end.deliverFrame(bytes);
      else end.deliver(message);
    } catch (error) {
      if (MicroError.is(error, 'malformed') || !MicroError.is(error)) throw error;
      this.#fail(end, error);
    }
    if (!end.socket.isOpen || !this.#ends.progressed(end)) return;
    // Nobody can be told to send more to it.
    if (end.remote === '') end.socket.endInput();
    void this.#handle(end);
  }

  #refuse(remote: string): void {
    refuseSocket(this.#connection, remote, () =>
      this.#logger.warn('nats socket crosses accounts, where it carries one message each way', {
        listener: this.address,
      }),
    );
  }

  /** Makes a new end, unless it is refused. */
  #admit(remote: string, dialect: Dialect): AcceptedEnd | undefined {
    const dialling = this.#ends.peerOf(remote);
    if (!this.#admission.hasPlace(dialling) || !this.lifetime.isOpen) {
      if (this.lifetime.isOpen) this.#admission.refused();
      tellNoResponders(this.#connection, remote);
      return undefined;
    }
    const end = new AcceptedEnd({
      connection: this.#connection,
      dialect,
      address: this.address,
      remote,
      dialling,
      settings: this.#settings,
      budget: this.#budget,
      untold: this.#untold,
      clock: this.#clock,
      inbox: this.#inbox,
      answers: this.#answers,
      onRelease: (released) => this.#ends.release(released),
      onShed: (shed, cause) => this.#fail(shed, cause),
    });
    const idlest = this.#ends.open(end);
    if (idlest !== undefined)
      this.#fail(idlest, new MicroError('unavailable', `${this.#what}: too many sockets begin`));
    this.#admission.admitted();
    this.#clock.start();
    return end;
  }

  /** Fails a socket, and tells its dialler. */
  #fail(end: AcceptedEnd, cause: MicroError): void {
    if (!end.socket.isOpen) return;
    this.#logger.warn('nats socket failed', {
      listener: this.address,
      remote: shown(end.remote),
      reason: cause.message,
    });
    this.#drop(end, cause);
    this.#refuse(end.remote);
  }

  /** Ends a socket without a word to its dialler. */
  #drop(end: AcceptedEnd, cause: MicroError): void {
    end.socket.fail(cause);
    this.#ends.forget(end);
    this.#afterEnd();
  }

  #retire(end: AcceptedEnd): void {
    this.#ends.forget(end);
    end.retire();
  }

  async #handle(end: AcceptedEnd): Promise<void> {
    const { socket, remote } = end;
    try {
      await this.#handler?.(socket);
    } catch (error) {
      this.#logger.error('socket handler failed', { listener: this.address, remote: shown(remote), error });
    }
    await socket.close();
    this.#admission.ended(end);
    this.#afterEnd();
  }

  #afterEnd(): void {
    if (this.#ends.size === 0) this.#clock.stop();
    if (this.#ends.running.size > 0) return;
    this.#onIdle?.();
    if (this.#isLeft) this.#letGo();
  }

  /** Looks after quiet diallers; in an outage nobody is heard, which says nothing of them. */
  #judge(): void {
    if (!this.#wasConnected) return;
    const { idleTicks, graceTicks } = this.#clock.bounds(this.#settings.idleTimeoutMs);
    for (const end of this.#ends.known) {
      if (end.judge(idleTicks, graceTicks, this.#clock.now)) this.#retire(end);
    }
  }

  #onState(isConnected: boolean): void {
    const isBack = isConnected && !this.#wasConnected;
    this.#wasConnected = isConnected;
    if (!isBack) return;
    this.#untold.tell();
    for (const end of this.#ends.known) end.onReconnect();
  }

  protected async release(options: AbortOptions): Promise<void> {
    if (this.lifetime.cause === undefined || this.#connection.state.status === 'closed') await this.#finish(options);
    else this.#leave();
  }

  /**
   * Its address was taken away: `closed` tells at once, and what is open goes on without it, so that answers still go
   * out.
   */
  #leave(): void {
    this.#held.drop();
    this.#isLeft = true;
    this.#afterEnd();
  }

  async #finish({ signal }: AbortOptions): Promise<void> {
    const { closeTimeoutMs } = this.#settings;
    const bound = AbortSignal.timeout(closeTimeoutMs);
    const stop = signal ? AbortSignal.any([signal, bound]) : bound;
    try {
      // Open sockets go on receiving; what would make a new one is refused.
      if (this.#connection.state.status !== 'closed') await this.#idle(stop);
      await this.#held.drain(stop);
    } catch (error) {
      // Whoever asks at this moment is told, and does not wait for an answer until its own time is over.
      if (signal?.aborted !== true) await this.#held.drain(AbortSignal.timeout(lastRefusalsMs));
      throw error;
    } finally {
      this.#held.drop();
      for (const end of [...this.#ends.known]) this.#drop(end, this.lifetime.closedError());
      this.#letGo();
    }
  }

  #letGo(): void {
    for (const unfollow of this.#unfollow) unfollow();
    this.#clock.stop();
    this.#logger.end();
  }

  async #idle(signal: AbortSignal): Promise<void> {
    const { running } = this.#ends;
    if (running.size === 0) return;
    const idle = new Promise<void>((resolve) => {
      this.#onIdle = resolve;
    });
    const what = `${this.#what}: closing with ${running.size} open sockets`;
    try {
      await abortable(idle, signal, what);
    } catch {
      const cause = abortError(signal, what);
      for (const { socket } of [...running]) void socket.abandon(cause);
      throw cause;
    }
  }
}
