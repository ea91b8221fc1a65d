import { setImmediate } from 'node:timers/promises';
import { type AbortOptions, MicroError } from '@ts-micro/core';
import type { LeasedRecord, ReplyInbox } from '@ts-micro/kit';
import { AnswerRight, type NatsConnection, type NatsMessage, type NatsState, natsReplyInbox } from '@ts-micro/nats';
import { Answering } from './answering.ts';
import type { NatsRegistrySettings } from './nats-registry-options.ts';
import { Questions } from './query/questions.ts';
import type { Answered } from './registrations.ts';
import { SubjectGroups } from './subjects/subject-groups.ts';
import type { Question } from './wire/messages.ts';
import { deniedError, publishToAll } from './wire/peer-headers.ts';

export interface RegistrySessionEvents {
  /** Whether there is anything to answer to a question. */
  readonly hasAnswer: (question: Question) => boolean;
  /** Answers it at the reply subject. */
  readonly onQuestion: (question: Question, reply: string) => Answered;
  /** On the watch subjects with this key. */
  readonly onAnnouncement: (message: NatsMessage, key: string) => void;
  /** The server refused the watch subjects with this key. */
  readonly onWatchRefused: (error: MicroError, key: string) => void;
  /** The server lets nobody find what is registered here. */
  readonly onUnfindable: (error: MicroError) => void;
  /** Connected again after an outage, in which announcements were missed on both sides. */
  readonly onReconnect: () => void;
  /** Has been connected for a while: only now, perhaps, have the servers of a cluster found each other again. */
  readonly onSettled: () => void;
  /** The connection was closed for good, not by this session. */
  readonly onEnd: (cause: MicroError) => void;
}

const mostAnswered = 1000;
// Servers that start together have their routes within a second or two, and say nothing of them to clients.
const settledAfterMs = [1000, 5000];

/**
 * The part of a registry that belongs to one connection: the subjects it answers on, those it watches, and where
 * answers come in.
 */
export class RegistrySession {
  readonly connection: NatsConnection;
  readonly #questions: SubjectGroups;
  readonly #announcements: SubjectGroups;
  readonly #settings: NatsRegistrySettings;
  readonly #events: RegistrySessionEvents;
  readonly #inbox: ReplyInbox<NatsMessage>;
  readonly #asking: Questions;
  readonly #stopListening: readonly (() => void)[];
  readonly #answers: AnswerRight;
  readonly #answering: Answering;
  /** How many messages went to the reply subjects that were answered last. */
  readonly #counts = new Map<string, number>();
  #isConnected: boolean;
  #settling: readonly NodeJS.Timeout[] = [];

  constructor(connection: NatsConnection, settings: NatsRegistrySettings, events: RegistrySessionEvents) {
    const { logger } = settings;
    this.connection = connection;
    this.#settings = settings;
    this.#events = events;
    this.#inbox = natsReplyInbox({ connection, what: 'nats registry: query' });
    this.#asking = new Questions(connection, this.#inbox);
    this.#answering = new Answering({
      connection,
      logger,
      hasAnswer: events.hasAnswer,
      answer: (question, reply) => {
        const { messages, bytes } = events.onQuestion(question, reply);
        this.#answered(reply, messages);
        return bytes;
      },
    });
    this.#questions = new SubjectGroups({
      connection,
      logger,
      onMessage: (message) => this.#answering.take(message),
      onRefused: (error) => {
        logger.error('query subject refused', { error });
        events.onUnfindable(error);
      },
    });
    this.#announcements = new SubjectGroups({
      connection,
      logger,
      onMessage: events.onAnnouncement,
      onRefused: events.onWatchRefused,
    });
    this.#isConnected = connection.state.status === 'connected';
    this.#answers = new AnswerRight({
      connection,
      what: 'nats registry',
      onLost: (error) => {
        logger.error('answers refused', { error });
        events.onUnfindable(error);
      },
    });
    this.#stopListening = [
      connection.onStateChange((state) => this.#onState(state)),
      connection.onPublishDenied((subject, error) => this.#onDenied(subject, error)),
    ];
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  /** Listens to questions about a service, and for what there is. Errors: `unauthorized`, `unavailable`, `closed`. */
  async listen(name: string, options?: AbortOptions): Promise<void> {
    const { subjects } = this.#settings;
    await this.#answers.check(options);
    await Promise.all([
      this.#questions.start(subjects.asked(undefined), options),
      this.#questions.start(subjects.asked(name), options),
    ]);
  }

  /** Nothing of that name is registered here any more. */
  unlisten(name: string): void {
    const { subjects } = this.#settings;
    const asked = subjects.asked(name);
    if (asked !== subjects.asked(undefined)) this.#questions.stop(asked);
  }

  /** Follows announcements. Errors: `unauthorized`, `unavailable`, `closed`. */
  follow(subjects: readonly string[], options?: AbortOptions): Promise<void> {
    return this.#announcements.start(subjects, options);
  }

  unfollow(subjects: readonly string[]): void {
    this.#announcements.stop(subjects);
  }

  /**
   * Tells every watcher of a service, stating the leases of the nodes in their order or one for all. Throws as
   * `publish` does.
   */
  announce(name: string, data: Uint8Array, leasesMs?: readonly number[]): void {
    publishToAll(this.connection, this.#settings.subjects.announced(name), data, { leasesMs });
  }

  /**
   * Resolves once the server has what was announced of a service. Errors: `unauthorized` where it refused it,
   * `unavailable`.
   */
  async announced(name: string, options?: AbortOptions): Promise<void> {
    const subjects = this.#settings.subjects.announced(name);
    let denial: MicroError | undefined;
    const ignoreDenials = this.connection.onPublishDenied((subject, error) => {
      if (subjects.includes(subject)) denial ??= deniedError(subject, error);
    });
    try {
      await this.connection.flush(options);
      // The client tells of a refusal, which came before the answer to the flush, some microtasks later.
      await setImmediate();
    } finally {
      ignoreDenials();
    }
    if (denial) throw denial;
  }

  /** Asks everybody, or everybody who has to do with `name`. Errors: `unauthorized`, `unavailable`. */
  query(
    question: Uint8Array,
    options: AbortOptions & { readonly name?: string | undefined; readonly quorum?: number | undefined },
  ): Promise<LeasedRecord[]> {
    const { subjects, queryTimeoutMs, ...settings } = this.#settings;
    return this.#asking.ask(question, {
      ...settings,
      ...options,
      subjects: subjects.asked(options.name),
      timeoutMs: queryTimeoutMs,
    });
  }

  stop(cause: MicroError): void {
    this.#settling.forEach(clearTimeout);
    for (const stopListening of this.#stopListening) stopListening();
    this.#answers.stop();
    this.#answering.stop();
    this.#questions.stopAll();
    this.#announcements.stopAll();
    this.#asking.stop(cause);
    this.#inbox.endAll(cause);
    this.#inbox.stop();
  }

  /** Answers were published to a question's reply subject. */
  #answered(reply: string, count: number): void {
    if (count === 0) return;
    if (!this.#counts.delete(reply)) this.#answers.sent();
    this.#counts.set(reply, count);
    if (this.#counts.size > mostAnswered) this.#counts.delete(this.#counts.keys().next().value as string);
  }

  #onDenied(subject: string, error: MicroError): void {
    const count = this.#counts.get(subject);
    if (count !== undefined) this.#answers.refused({ subject, error, published: () => count });
  }

  #onState({ status }: NatsState): void {
    const wasConnected = this.#isConnected;
    this.#isConnected = status === 'connected';
    if (!this.#isConnected) this.#settling.forEach(clearTimeout);
    if (status === 'closed') {
      void this.connection.closed.then((cause) =>
        this.#events.onEnd(cause ?? new MicroError('closed', 'nats registry: the connection was closed')),
      );
    } else if (wasConnected && !this.#isConnected) {
      this.#inbox.endAll(new MicroError('unavailable', 'nats registry: the connection was lost', { retrySafe: true }));
    } else if (!wasConnected && this.#isConnected) {
      this.#events.onReconnect();
      this.#settling = settledAfterMs.map((ms) => setTimeout(this.#events.onSettled, ms).unref());
    }
  }
}
