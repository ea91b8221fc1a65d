import {
  type AbortOptions,
  abortError,
  type Listener,
  type Logger,
  type Message,
  MicroError,
  type Socket,
} from '@ts-micro/core';
import { abortable, Lifetime, RateLimitedLogger, type ReplyInbox } from '@ts-micro/kit';
import {
  decodeEnvelope,
  type NatsConnection,
  type NatsMessage,
  type NatsSubscription,
  tellNoResponders,
} from '@ts-micro/nats';
import { AcceptedSocket } from './accepted-socket.ts';
import { Clock } from './clock.ts';
import { advertised, type Dialect, dialectOf } from './dialect.ts';
import { opensConversation } from './native/frame.ts';
import { ReassemblyBudget } from './native/reassembly-budget.ts';
import type { TransportSettings } from './transport-options.ts';

type SocketHandler = (socket: Socket) => void | Promise<void>;

export interface ListenerInit {
  readonly connection: NatsConnection;
  readonly address: string;
  readonly settings: TransportSettings;
  readonly logger: Logger;
  readonly inbox: () => ReplyInbox<NatsMessage>;
}

export class NatsListener implements Listener {
  readonly address: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly #connection: NatsConnection;
  readonly #settings: TransportSettings;
  readonly #logger: RateLimitedLogger;
  readonly #inbox: () => ReplyInbox<NatsMessage>;
  readonly #what: string;
  readonly #lifetime: Lifetime;
  readonly #clock: Clock;
  readonly #idleTicks: number;
  readonly #reassembly: ReassemblyBudget;
  /** By the dialler's reply subject; those that are known to have no further message are in {@link #running} only. */
  readonly #sockets = new Map<string, AcceptedSocket>();
  /** Sockets whose handler runs. */
  readonly #running = new Set<AcceptedSocket>();
  #onIdle: (() => void) | undefined;
  #handler: SocketHandler | undefined;
  #subscription: NatsSubscription | undefined;
  #isFull = false;

  constructor({ connection, address, settings, logger, inbox }: ListenerInit) {
    this.address = address;
    this.metadata = advertised(settings.dialect);
    this.#connection = connection;
    this.#settings = settings;
    this.#logger = new RateLimitedLogger(logger);
    this.#inbox = inbox;
    this.#what = `nats listener ${address}`;
    this.#lifetime = new Lifetime(this.#what, (options) => this.#release(options));
    this.#clock = new Clock(Math.max(1, Math.min(500, settings.idleTimeoutMs / 8)), () => this.#reap());
    this.#idleTicks = this.#clock.ticks(settings.idleTimeoutMs);
    this.#reassembly = new ReassemblyBudget(settings.maxReassemblyBytes);
    void connection.closed.then((cause) => {
      const error = new MicroError('unavailable', `${this.#what}: the connection has ended`, { cause });
      for (const socket of [...this.#running]) socket.lose(error);
      void this.#lifetime.fail(error);
    });
  }

  async accept(handler: SocketHandler, options: AbortOptions = {}): Promise<void> {
    this.#lifetime.assertOpen(options);
    if (this.#handler) throw new MicroError('conflict', `${this.#what}: accept was called already`);
    this.#handler = handler;
    let subscription: NatsSubscription | undefined;
    try {
      subscription = this.#connection.subscribe(this.address, {
        onMessage: (received) => this.#onMessage(received),
        // Also after a reconnect; `closed` tells.
        onError: (error) => void this.#lifetime.fail(MicroError.from(error, 'unauthorized', this.#what)),
      });
      this.#subscription = subscription;
      await subscription.confirm(options);
      this.#lifetime.assertOpen();
    } catch (error) {
      // What was not confirmed can be tried again.
      subscription?.unsubscribe();
      this.#handler = undefined;
      throw error;
    }
  }

  get closed(): Promise<MicroError | undefined> {
    return this.#lifetime.closed;
  }

  close(options?: AbortOptions): Promise<void> {
    return this.#lifetime.close(options);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #onMessage(received: NatsMessage): void {
    // Never a frame: an envelope is at least an object.
    if (received.data.length === 0) return;
    const remote = received.reply ?? '';
    const known = remote === '' ? undefined : this.#sockets.get(remote);
    try {
      const isFrame = this.#settings.dialect === 'auto' && dialectOf(received.data) === 'native';
      if (isFrame) this.#onFrame(received.data, remote, known);
      else this.#onEnvelope(decodeEnvelope(received.data), remote, known);
    } catch (error) {
      // Only this message: Go ends the whole conversation for it.
      this.#logger.warn('nats message is malformed', { listener: this.address, remote, error });
    }
  }

  #onEnvelope(message: Message, remote: string, known: AcceptedSocket | undefined): void {
    if (known !== undefined) {
      if (!known.deliver(message)) this.#tellFailed(known);
      return;
    }
    const socket = this.#admit(remote, 'go');
    if (socket === undefined) return;
    socket.deliver(message);
    // Nobody can be told to send more to it.
    if (remote === '') socket.endInput();
    void this.#handle(socket);
  }

  #onFrame(bytes: Uint8Array, remote: string, known: AcceptedSocket | undefined): void {
    if (known !== undefined) {
      if (!known.deliverFrame(bytes)) this.#tellFailed(known);
      return;
    }
    const opens = opensConversation(bytes);
    if (opens === undefined) return;
    if (!opens) {
      // What came before it went to a socket that is no more, or was lost.
      tellNoResponders(this.#connection, remote);
      return;
    }
    const socket = this.#admit(remote, 'native');
    if (socket === undefined) return;
    let isGood = false;
    try {
      isGood = socket.deliverFrame(bytes);
      if (!isGood) this.#tellFailed(socket);
    } finally {
      if (!isGood) {
        this.#forget(socket);
        this.#ended(socket);
      }
    }
    if (!isGood) return;
    if (remote === '') socket.endInput();
    void this.#handle(socket);
  }

  #tellFailed({ remote, failure }: AcceptedSocket): void {
    this.#logger.warn('nats socket failed', { listener: this.address, remote, reason: failure?.message });
    tellNoResponders(this.#connection, remote);
  }

  /** A new socket, unless it is refused. */
  #admit(remote: string, dialect: Dialect): AcceptedSocket | undefined {
    if (!this.#lifetime.isOpen || this.#running.size >= this.#settings.maxSockets) {
      this.#warnFull();
      tellNoResponders(this.#connection, remote);
      return undefined;
    }
    const socket = new AcceptedSocket({
      connection: this.#connection,
      dialect,
      address: this.address,
      remote,
      maxQueuedMessages: this.#settings.maxQueuedMessages,
      maxMessageBytes: this.#settings.maxMessageBytes,
      reassembly: this.#reassembly,
      clock: this.#clock,
      inbox: this.#inbox,
      onRelease: (released) => this.#forget(released),
    });
    if (remote !== '') this.#sockets.set(remote, socket);
    this.#running.add(socket);
    this.#isFull = false;
    this.#clock.start();
    return socket;
  }

  /** Once, until there is room again: a flood of sockets must not become one of log lines. */
  #warnFull(): void {
    if (this.#isFull || !this.#lifetime.isOpen) return;
    this.#isFull = true;
    this.#logger.warn('nats listener refuses sockets', { listener: this.address, sockets: this.#running.size });
  }

  async #handle(socket: AcceptedSocket): Promise<void> {
    try {
      await this.#handler?.(socket);
    } catch (error) {
      this.#logger.error('socket handler failed', { listener: this.address, remote: socket.remote, error });
    }
    await socket.close();
    this.#ended(socket);
  }

  #ended(socket: AcceptedSocket): void {
    this.#running.delete(socket);
    if (this.#running.size > 0) return;
    this.#clock.stop();
    this.#onIdle?.();
  }

  #forget(socket: AcceptedSocket): void {
    // A later message with the same reply subject may have made another one.
    if (this.#sockets.get(socket.remote) === socket) this.#sockets.delete(socket.remote);
  }

  /** Go Micro's diallers leave without a word: one that is not heard of for long is taken to have gone. */
  #reap(): void {
    const deadline = this.#clock.now - this.#idleTicks;
    for (const socket of this.#sockets.values()) {
      if (socket.lastActive >= deadline) continue;
      this.#forget(socket);
      socket.endInput();
    }
  }

  async #release({ signal }: AbortOptions): Promise<void> {
    const { closeTimeoutMs } = this.#settings;
    const bound = AbortSignal.timeout(closeTimeoutMs);
    const end = signal ? AbortSignal.any([signal, bound]) : bound;
    try {
      // Open sockets go on receiving; what would make a new one is refused.
      if (this.#connection.state.status !== 'closed') await this.#idle(end);
      await this.#stop(end);
    } finally {
      this.#subscription?.unsubscribe();
      this.#clock.stop();
      this.#logger.end();
    }
  }

  async #idle(signal: AbortSignal): Promise<void> {
    if (this.#running.size === 0) return;
    const idle = new Promise<void>((resolve) => {
      this.#onIdle = resolve;
    });
    const what = `${this.#what}: closing with ${this.#running.size} open sockets`;
    try {
      await abortable(idle, signal, what);
    } catch {
      const cause = abortError(signal, what);
      for (const socket of [...this.#running]) void socket.abandon(cause);
      throw cause;
    }
  }

  /** Ends the subscription without losing a message between the server's last and its end, and sees the last replies out. */
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
