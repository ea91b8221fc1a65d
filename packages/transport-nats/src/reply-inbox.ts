import { type AbortOptions, MicroError } from '@ts-micro/core';
import { abortable } from '@ts-micro/kit';
import { mapNatsError, type NatsConnection, type NatsMessage, type NatsSubscription } from '@ts-micro/nats';
import { tellNobodyListens } from './nobody-listens.ts';

/** Whose reply subject it is. */
export interface ReplyTaker {
  /** Called on the connection's read loop. */
  onReply(received: NatsMessage): void;
  /** Nothing will come any more. */
  onInboxEnd(cause: MicroError): void;
}

/**
 * All reply subjects of one transport: `<inbox>.<token>`, under one wildcard subscription.
 *
 * A reply subject costs a map entry, and nothing on the wire.
 */
export class ReplyInbox {
  readonly connection: NatsConnection;
  readonly #prefix: string;
  readonly #takers = new Map<string, ReplyTaker>();
  readonly #subscription: NatsSubscription;
  #count = 0;
  #isOpen = true;
  #isConfirmed = false;
  #confirming: Promise<void> | undefined;

  /** Subscribes; throws as `NatsConnection.subscribe` does. */
  constructor(connection: NatsConnection, inboxPrefix: string | undefined) {
    this.connection = connection;
    this.#prefix = `${connection.newInbox(inboxPrefix)}.`;
    this.#subscription = connection.subscribe(`${this.#prefix}*`, {
      onMessage: (received) => this.#onMessage(received),
      onError: (error) => this.#end(mapNatsError(error, 'nats transport')),
    });
    void connection.closed.then((cause) =>
      this.#end(cause ?? new MicroError('closed', 'nats transport: the connection was closed')),
    );
  }

  /** False once the server has refused the subscription or the connection has closed for good. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Waits until the server has taken the subscription; at once when it has before. Errors: `unauthorized`, `unavailable`. */
  async ready(options: AbortOptions = {}): Promise<void> {
    if (this.#isConfirmed) return;
    this.#confirming ??= this.#subscription.confirm().finally(() => {
      this.#confirming = undefined;
    });
    await abortable(this.#confirming, options.signal, 'nats transport: dialling');
    this.#isConfirmed = true;
  }

  /** A fresh reply subject, until `remove`. */
  add(taker: ReplyTaker): string {
    const token = (this.#count++).toString(36);
    this.#takers.set(token, taker);
    return this.#prefix + token;
  }

  remove(replySubject: string): void {
    this.#takers.delete(replySubject.slice(this.#prefix.length));
  }

  close(): void {
    this.#isOpen = false;
    this.#takers.clear();
    this.#subscription.unsubscribe();
  }

  #onMessage(received: NatsMessage): void {
    const taker = this.#takers.get(received.subject.slice(this.#prefix.length));
    if (taker) taker.onReply(received);
    // A listener asks whether its dialler is still there: this one has closed its socket.
    else if (received.reply !== undefined) tellNobodyListens(this.connection, received.reply);
  }

  #end(cause: MicroError): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    const takers = [...this.#takers.values()];
    this.#takers.clear();
    for (const taker of takers) taker.onInboxEnd(cause);
  }
}
