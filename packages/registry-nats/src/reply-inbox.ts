import type { MicroError } from '@ts-micro/core';
import type { NatsConnection, NatsMessage, NatsSubscription } from '@ts-micro/nats';

/** Where the answers to one query go. */
export interface ReplyReceiver {
  take(message: NatsMessage): void;
  fail(error: MicroError): void;
}

/** Fresh reply subjects under one wildcard subscription, so that a query costs no SUB and UNSUB of its own. */
export class ReplyInbox {
  readonly #connection: NatsConnection;
  readonly #prefix: string;
  readonly #receivers = new Map<string, ReplyReceiver>();
  #subscription: NatsSubscription | undefined;
  #count = 0;

  constructor(connection: NatsConnection) {
    this.#connection = connection;
    this.#prefix = `${connection.newInbox()}.`;
  }

  /** A subject whose messages go to `receiver` until it is closed. Throws `closed`. */
  open(receiver: ReplyReceiver): { readonly subject: string; close(): void } {
    this.#subscription ??= this.#connection.subscribe(`${this.#prefix}*`, {
      onMessage: (message) => this.#receivers.get(message.subject)?.take(message),
      onError: (error) => {
        this.#subscription = undefined;
        this.fail(error as MicroError);
      },
    });
    const subject = `${this.#prefix}${(++this.#count).toString(36)}`;
    this.#receivers.set(subject, receiver);
    return { subject, close: () => this.#receivers.delete(subject) };
  }

  /** Fails every query that waits for answers. */
  fail(error: MicroError): void {
    for (const receiver of [...this.#receivers.values()]) receiver.fail(error);
  }

  stop(): void {
    this.#subscription?.unsubscribe();
    this.#subscription = undefined;
  }
}
