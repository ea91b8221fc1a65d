import { type AbortOptions, abortError, type Logger, type MicroError, type ServiceRecord } from '@ts-micro/core';
import { throwIfAborted } from '@ts-micro/kit';
import { isNoResponders, type NatsConnection, type NatsMessage } from '@ts-micro/nats';
import { publishToAll, statedLeasesMs } from './peer-headers.ts';
import { decodeAnswer } from './record-decoding.ts';
import type { ReplyInbox, ReplyReceiver } from './reply-inbox.ts';

/** One record as one process answered it. */
export interface Answer {
  readonly service: ServiceRecord;
  /** For the nodes in their order or one for all; `undefined` from Go Micro. */
  readonly leasesMs: readonly number[] | undefined;
}

export interface QueryOptions extends AbortOptions {
  readonly subjects: readonly string[];
  /** Only answers about this service count. @default all */
  readonly name?: string | undefined;
  /** Ends the query this long after the last answer. */
  readonly quietMs: number;
  /** Ends the query in any case. */
  readonly timeoutMs: number;
  /** Ends the query once one version has this many nodes. @default none */
  readonly quorum?: number | undefined;
  readonly logger: Logger;
}

/**
 * Asks whoever is there. Rejects with `unavailable` when that was not possible; that nobody answered is an empty result.
 *
 * Nobody knows how many will answer, so it is complete as soon as it seems so: see {@link Collection}.
 */
export async function query(
  connection: NatsConnection,
  inbox: ReplyInbox,
  question: Uint8Array,
  options: QueryOptions,
): Promise<Answer[]> {
  throwIfAborted(options.signal, 'nats registry: query');
  // 1. A reply subject, subscribed before anything is asked.
  const collection = new Collection(options);
  const replies = inbox.open(collection);
  try {
    // 2. The question to every query subject.
    publishToAll(connection, options.subjects, question, { reply: replies.subject });
    // 3. Collect until complete. 4., to merge, is for who asked: a lookup and a watcher do it differently.
    return await collection.answers;
  } finally {
    replies.close();
    collection.stop();
  }
}

/**
 * Answers as they come in, until
 * - nothing more came for the quiet period after the last one,
 * - or one version has as many nodes as the quorum asks for,
 * - or the server said for every subject asked that nobody listens there,
 * - or the limit is reached: also how long an unknown name takes while there are other services that keep silent.
 */
class Collection implements ReplyReceiver {
  readonly answers: Promise<Answer[]>;
  readonly #options: QueryOptions;
  readonly #answers: Answer[] = [];
  readonly #nodeIds = new Map<string, Set<string>>();
  readonly #limitAt: number;
  #endsAt: number;
  #timer: NodeJS.Timeout;
  #isLateAllowed = true;
  #unheard: number;
  #resolve: (answers: Answer[]) => void = () => {};
  #reject: (error: MicroError) => void = () => {};
  readonly #onAbort = () => this.fail(abortError(this.#options.signal as AbortSignal, 'nats registry: query'));

  constructor(options: QueryOptions) {
    this.#options = options;
    this.#unheard = options.subjects.length;
    this.#limitAt = performance.now() + options.timeoutMs;
    this.#endsAt = this.#limitAt;
    this.answers = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#timer = setTimeout(() => this.#onTimer(), options.timeoutMs);
    options.signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  take(message: NatsMessage): void {
    if (isNoResponders(message)) {
      if (--this.#unheard === 0) this.#resolve(this.#answers);
      return;
    }
    const answer = this.#decode(message);
    if (answer === undefined) return;
    this.#answers.push(answer);
    if (this.#hasQuorum(answer.service)) this.#resolve(this.#answers);
    else this.#becameQuiet();
  }

  fail(error: MicroError): void {
    this.#reject(error);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
  }

  #decode(message: NatsMessage): Answer | undefined {
    const { name, logger } = this.#options;
    try {
      const service = decodeAnswer(message.data);
      if (name !== undefined && service.name !== name) return undefined;
      return { service, leasesMs: statedLeasesMs(message, service.nodes.length) };
    } catch (error) {
      logger.debug('malformed answer ignored', { error });
      return undefined;
    }
  }

  #hasQuorum({ name, version, nodes }: ServiceRecord): boolean {
    const { quorum } = this.#options;
    if (quorum === undefined) return false;
    const key = JSON.stringify([name, version]);
    const ids = this.#nodeIds.get(key) ?? new Set();
    this.#nodeIds.set(key, ids);
    for (const node of nodes) ids.add(node.id);
    return ids.size >= quorum;
  }

  #becameQuiet(): void {
    const now = performance.now();
    this.#endsAt = Math.min(now + this.#options.quietMs, this.#limitAt);
    this.#isLateAllowed = true;
    // The timer set at the first answer looks by itself whether others followed.
    if (this.#answers.length > 1) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#onTimer(), this.#endsAt - now);
  }

  #onTimer(): void {
    const { quietMs } = this.#options;
    const leftMs = this.#endsAt - performance.now();
    if (leftMs >= 1) {
      this.#timer = setTimeout(() => this.#onTimer(), leftMs);
    } else if (leftMs < -quietMs && this.#isLateAllowed) {
      // So late that this process was busy: answers may lie in the socket, unread.
      this.#isLateAllowed = false;
      this.#timer = setTimeout(() => this.#onTimer(), quietMs);
    } else {
      this.#resolve(this.#answers);
    }
  }
}
