import { type AbortOptions, abortError, type Listener, type Logger, MicroError, type Socket } from '@ts-micro/core';
import { abortable, ByteBudget, ClosableBase, RateLimitedLogger, type ReplyInbox, shown } from '@ts-micro/kit';
import { AcceptedEnds, Clock, type DiallingPeer, FairIntake, opensSocket, SocketPlaces } from '@ts-micro/kit/frames';
import {
  type AnswerRight,
  decodeEnvelope,
  type NatsConnection,
  type NatsMessage,
  type NatsSubscription,
  tellNoResponders,
} from '@ts-micro/nats';
import { advertised, type Dialect, dialectOf } from '../dialect.ts';
import { UntoldCloses } from '../socket/untold-closes.ts';
import { type TransportSettings, unreceived } from '../transport-options.ts';
import { AcceptedEnd } from './accepted-end.ts';
import { refuseSocket } from './account-import.ts';
import { InboundLag } from './inbound-lag.ts';
import { peerOf } from './peer-of.ts';
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
  readonly #places: SocketPlaces<AcceptedEnd>;
  readonly #intake: FairIntake;
  readonly #unfollow: readonly (() => void)[];
  #wasConnected: boolean;
  #onIdle: (() => void) | undefined;
  #handler: SocketHandler | undefined;
  #subscription: NatsSubscription | undefined;
  #isFull = false;
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
    this.#places = new SocketPlaces(this.#ends, this.#clock, settings.maxSockets);
    this.#budget = new ByteBudget(settings.maxReassemblyBytes, unreceived);
    this.#untold = new UntoldCloses(connection);
    const lag = new InboundLag(connection);
    this.#intake = new FairIntake(() => lag.isBehind());
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
    let subscription: NatsSubscription | undefined;
    try {
      await this.#answers.check(options);
      subscription = this.#connection.subscribe(this.address, {
        onMessage: (received) => this.#onMessage(received),
        // Also after a reconnect; `closed` tells.
        onError: (error) => void this.lifetime.fail(MicroError.from(error, 'unauthorized', this.#what)),
      });
      this.#subscription = subscription;
      await subscription.confirm(options);
      this.lifetime.assertOpen();
    } catch (error) {
      // What was not confirmed can be tried again.
      subscription?.unsubscribe();
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
    const known = remote === '' ? undefined : this.#ends.get(remote);
    const isFrame = this.#settings.dialect === 'auto' && dialectOf(data) === 'native';
    if (data.length > 0 && this.#isTooMuch(remote, known)) return;
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
    if (!this.#hasPlace(dialling) || !this.lifetime.isOpen) {
      this.#warnFull();
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
    this.#isFull = false;
    this.#clock.start();
    return end;
  }

  /** Refuses what its peer must not have beside others, before anything is made of it; returns true where it did. */
  #isTooMuch(remote: string, known: AcceptedEnd | undefined): boolean {
    const peer = known?.dialling ?? this.#ends.peerOf(remote);
    const intake = this.#intake.judge(peer, known === undefined || known.isAtRest);
    if (intake === 'taken') return false;
    this.#logger.warn('nats listener refuses what one process asks beside others', {
      listener: this.address,
      peer: shown(peer.name),
    });
    if (known !== undefined)
      this.#fail(known, new MicroError('unavailable', `${this.#what}: its peer asks more than others leave room for`));
    else if (intake === 'refused') tellNoResponders(this.#connection, remote);
    return true;
  }

  /** True where one more socket may be had, for which others may have left. */
  #hasPlace(dialling: DiallingPeer): boolean {
    if (!this.#places.isFull) return true;
    const { idle, inUse } = this.#places.leaversFor(dialling.name);
    for (const end of idle) this.#retire(end);
    // Not as `#fail` does: "no responders" would mean that no handler has run.
    for (const end of inUse)
      void end.socket.abandon(
        new MicroError('unavailable', `${this.#what}: the peer ${end.peer} has more than half of all sockets`),
      );
    return !this.#places.isFull;
  }

  /** Once, until there is room again: a flood of sockets must not become one of log lines. */
  #warnFull(): void {
    if (this.#isFull || !this.lifetime.isOpen) return;
    this.#isFull = true;
    this.#logger.warn('nats listener refuses sockets', { listener: this.address, sockets: this.#ends.running.size });
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
    this.#places.ended(end);
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
    this.#subscription?.unsubscribe();
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
      await this.#stop(stop);
    } catch (error) {
      // Whoever asks at this moment is told, and does not wait for an answer until its own time is over.
      if (signal?.aborted !== true) await this.#stop(AbortSignal.timeout(lastRefusalsMs));
      throw error;
    } finally {
      this.#subscription?.unsubscribe();
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

  /**
   * Ends the subscription without losing a message between the server's last and its end, and sees the last replies
   * out.
   */
  async #stop(signal: AbortSignal): Promise<void> {
    if (this.#subscription === undefined || this.#connection.state.status !== 'connected') return;
    try {
      await this.#subscription.drain({ signal });
      await this.#connection.flush({ signal });
    } catch (error) {
      this.#logger.debug('nats listener was closed without seeing its last messages out', { error });
    }
  }
}
