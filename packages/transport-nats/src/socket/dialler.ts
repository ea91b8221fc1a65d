import type { AbortOptions, Closable, MicroError } from '@ts-micro/core';
import { ByteBudget, type ReplyInbox } from '@ts-micro/kit';
import { Clock } from '@ts-micro/kit/frames';
import { type NatsConnection, type NatsMessage, natsReplyInbox, tellNoResponders } from '@ts-micro/nats';
import type { Dialect } from '../dialect.ts';
import { type TransportSettings, unreceived, who } from '../transport-options.ts';
import { DialledEnd } from './dialled-end.ts';
import type { NatsSocket } from './nats-socket.ts';
import { UntoldCloses } from './untold-closes.ts';

/** The dialled sockets of one transport on one connection. */
export class Dialler {
  readonly connection: NatsConnection;
  readonly #settings: TransportSettings;
  readonly #inbox: ReplyInbox<NatsMessage>;
  readonly #untold: UntoldCloses;
  readonly #clock: Clock;
  readonly #budget: ByteBudget;
  readonly #ends = new Set<DialledEnd>();
  readonly #unfollow: readonly (() => void)[];
  #wasConnected: boolean;

  constructor(connection: NatsConnection, settings: TransportSettings) {
    this.connection = connection;
    this.#settings = settings;
    this.#inbox = inboxOn(connection, settings);
    this.#untold = new UntoldCloses(connection);
    this.#clock = new Clock(settings.tickMs, () => this.#judge());
    this.#budget = new ByteBudget(settings.maxReassemblyBytes, unreceived);
    this.#wasConnected = connection.state.status === 'connected';
    this.#unfollow = [
      connection.onStateChange(({ status }) => this.#onState(status === 'connected')),
      connection.onPublishDenied((subject, error) => this.#onDenied(subject, error)),
    ];
  }

  /** Waits until answers would arrive. Errors: `unauthorized`, `unavailable`. */
  ready(options: AbortOptions): Promise<void> {
    return this.#inbox.ready(options);
  }

  dial(address: string, dialect: Dialect): NatsSocket {
    const end = new DialledEnd({
      connection: this.connection,
      inbox: this.#inbox,
      untold: this.#untold,
      clock: this.#clock,
      dialect,
      address,
      settings: this.#settings,
      budget: this.#budget,
      onRelease: (released) => this.#forget(released),
    });
    this.#ends.add(end);
    this.#clock.start();
    return end.socket;
  }

  /** The sockets that are open. */
  get sockets(): readonly Closable[] {
    return Array.from(this.#ends, ({ socket }) => socket);
  }

  stop(): void {
    this.#inbox.stop();
    for (const unfollow of this.#unfollow) unfollow();
    this.#clock.stop();
  }

  #forget(end: DialledEnd): void {
    this.#ends.delete(end);
    if (this.#ends.size === 0) this.#clock.stop();
  }

  #onDenied(subject: string, error: MicroError): void {
    for (const end of [...this.#ends]) if (end.socket.remote === subject) end.onDenied(error);
  }

  /** Looks after quiet listeners; in an outage nobody is heard, which says nothing of them. */
  #judge(): void {
    if (!this.#wasConnected) return;
    const { idleTicks, graceTicks } = this.#clock.bounds(this.#settings.idleTimeoutMs);
    for (const end of this.#ends) end.judge(idleTicks, graceTicks);
  }

  #onState(isConnected: boolean): void {
    const isBack = isConnected && !this.#wasConnected;
    this.#wasConnected = isConnected;
    if (!isBack) return;
    this.#untold.tell();
    for (const end of this.#ends) end.onReconnect();
  }
}

/** Returns an inbox on which a listener that asks for a socket of this side which is closed learns it at once. */
export function inboxOn(connection: NatsConnection, { inboxPrefix }: TransportSettings): ReplyInbox<NatsMessage> {
  const onUnknown = ({ reply }: NatsMessage) => tellNoResponders(connection, reply);
  return natsReplyInbox({ connection, what: who, prefix: inboxPrefix, onUnknown });
}
