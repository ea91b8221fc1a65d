import type { MicroError } from '@ts-micro/core';
import type { ReplyInbox, ReplyReceiver } from '@ts-micro/kit';
import type { NatsConnection, NatsMessage } from '@ts-micro/nats';
import { deniedError, publishToAll } from '../wire/peer-headers.ts';
import type { Collection } from './collection.ts';

export interface SharedQuestionInit {
  readonly connection: NatsConnection;
  readonly inbox: ReplyInbox<NatsMessage>;
  readonly data: Uint8Array;
  readonly subjects: readonly string[];
}

/** A question with one reply subject, whose answers everybody gets who shares it. */
export class SharedQuestion implements ReplyReceiver<NatsMessage> {
  /** Resolves once it was published. Errors: `unavailable`, `unauthorized`. */
  readonly published: Promise<void>;
  readonly #init: SharedQuestionInit;
  readonly #collections = new Set<Collection>();
  #members = 0;
  #end: (() => void) | undefined;
  #resolve: () => void = () => {};
  #reject: (error: unknown) => void = () => {};

  constructor(init: SharedQuestionInit) {
    this.#init = init;
    this.published = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  join(): void {
    this.#members++;
  }

  /** Ends it with its last member. */
  leave(): void {
    if (--this.#members === 0) this.#end?.();
  }

  publish(): void {
    const { connection, inbox, data, subjects } = this.#init;
    try {
      const reply = inbox.open(this);
      const ignoreDenials = connection.onPublishDenied((subject, error) => {
        if (subjects.includes(subject)) this.onInboxEnd(deniedError(subject, error));
      });
      this.#end = () => {
        ignoreDenials();
        inbox.close(reply);
      };
      publishToAll(connection, subjects, data, { reply });
      this.#resolve();
    } catch (error) {
      this.#reject(error);
    }
  }

  collect(collection: Collection): void {
    this.#collections.add(collection);
  }

  forget(collection: Collection): void {
    this.#collections.delete(collection);
  }

  onReply(message: NatsMessage): void {
    for (const collection of this.#collections) collection.onReply(message);
  }

  onInboxEnd(cause: MicroError): void {
    this.#reject(cause);
    for (const collection of this.#collections) collection.onInboxEnd(cause);
  }
}
