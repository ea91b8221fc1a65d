import { type AbortOptions, type Logger, MicroError } from '@ts-micro/core';
import { bounded, type LeasedRecord, type ReplyInbox, throwIfAborted } from '@ts-micro/kit';
import type { NatsConnection, NatsMessage } from '@ts-micro/nats';
import { Collection } from './collection.ts';
import { SharedQuestion } from './shared-question.ts';

const what = 'nats registry: query';
const answerWithinMs = 1000;

export interface QueryOptions extends AbortOptions {
  readonly subjects: readonly string[];
  /** Only answers about this service count. @default all */
  readonly name?: string | undefined;
  /** Ends the query this long after the last answer. */
  readonly quietMs: number;
  /** Ends the query in any case, where neither this process nor the server is slow. */
  readonly timeoutMs: number;
  /** Ends the query once one version has this many nodes. @default none */
  readonly quorum?: number | undefined;
  /** The most nodes, and bytes of answers, that are taken. */
  readonly maxNodes: number;
  readonly maxBytes: number;
  /** The longest answer that is read. */
  readonly maxRecordBytes: number;
  readonly logger: Logger;
}

/** What is asked over a connection. Who asks the same in one turn of the event loop shares one question. */
export class Questions {
  readonly #connection: NatsConnection;
  readonly #inbox: ReplyInbox<NatsMessage>;
  /** Those that are not published yet. */
  readonly #open = new Map<string, SharedQuestion>();
  #pinging: Promise<number> | undefined;

  constructor(connection: NatsConnection, inbox: ReplyInbox<NatsMessage>) {
    this.#connection = connection;
    this.#inbox = inbox;
  }

  /**
   * Asks whoever is there. Resolves with an empty list where nobody answers. Rejects where that was not possible:
   * `unavailable`, or `unauthorized` where the server refuses the question.
   *
   * Nobody knows how many will answer, so it is complete as soon as it seems so: see {@link Collection}.
   */
  async ask(data: Uint8Array, options: QueryOptions): Promise<LeasedRecord[]> {
    throwIfAborted(options.signal, what);
    const question = this.#share(data, options.subjects);
    question.join();
    try {
      await question.published;
      throwIfAborted(options.signal, what);
      const collection = new Collection({ ...options, ping: () => this.#ping() });
      question.collect(collection);
      try {
        return await collection.answers;
      } finally {
        question.forget(collection);
        collection.stop();
      }
    } finally {
      question.leave();
    }
  }

  /** Ends what is not published yet. */
  stop(cause: MicroError): void {
    for (const question of this.#open.values()) question.onInboxEnd(cause);
    this.#open.clear();
  }

  /**
   * It is published at the end of the turn, after all who share it have asked: an answer never is from before somebody
   * asked.
   */
  #share(data: Uint8Array, subjects: readonly string[]): SharedQuestion {
    const key = `${subjects.join()} ${Buffer.from(data.buffer, data.byteOffset, data.byteLength)}`;
    const known = this.#open.get(key);
    if (known !== undefined) return known;
    const question = new SharedQuestion({ connection: this.#connection, inbox: this.#inbox, data, subjects });
    this.#open.set(key, question);
    setImmediate(() => {
      if (this.#open.delete(key)) question.publish();
    });
    return question;
  }

  /**
   * Resolves with how long the server took to answer. Rejects with `unavailable` where it does not: then silence says
   * nothing of the others.
   */
  #ping(): Promise<number> {
    this.#pinging ??= this.#measure().finally(() => {
      this.#pinging = undefined;
    });
    return this.#pinging;
  }

  async #measure(): Promise<number> {
    const beganAt = performance.now();
    try {
      await bounded(this.#connection.flush(), {}, answerWithinMs, 'nats registry: asking the server');
    } catch (cause) {
      throw MicroError.is(cause, 'timeout')
        ? new MicroError('unavailable', 'nats registry: the server does not answer', { cause, retrySafe: true })
        : cause;
    }
    return performance.now() - beganAt;
  }
}
