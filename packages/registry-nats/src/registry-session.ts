import { type AbortOptions, MicroError } from '@ts-micro/core';
import type { NatsConnection, NatsMessage, NatsState } from '@ts-micro/nats';
import type { NatsRegistrySettings } from './nats-registry-options.ts';
import { publishToAll } from './peer-headers.ts';
import { type Answer, query } from './query.ts';
import { ReplyInbox } from './reply-inbox.ts';
import { SubjectGroup } from './subject-group.ts';

export interface RegistrySessionEvents {
  readonly onQuestion: (message: NatsMessage) => void;
  readonly onAnnouncement: (message: NatsMessage) => void;
  /** The server refused the watch subjects. */
  readonly onWatchRefused: (error: MicroError) => void;
  /** Connected again after an outage, in which announcements were missed on both sides. */
  readonly onReconnect: () => void;
  /** The connection was closed for good, not by this session. */
  readonly onEnd: (cause: MicroError) => void;
}

/** What a registry has on one connection: the subjects it answers on, those it watches, and where answers come in. */
export class RegistrySession {
  readonly connection: NatsConnection;
  readonly questions: SubjectGroup;
  readonly announcements: SubjectGroup;
  readonly #settings: NatsRegistrySettings;
  readonly #events: RegistrySessionEvents;
  readonly #inbox: ReplyInbox;
  readonly #stopListening: () => void;
  #isConnected: boolean;

  constructor(connection: NatsConnection, settings: NatsRegistrySettings, events: RegistrySessionEvents) {
    const { logger } = settings;
    this.connection = connection;
    this.#settings = settings;
    this.#events = events;
    this.#inbox = new ReplyInbox(connection);
    this.questions = new SubjectGroup({
      connection,
      logger,
      subjects: settings.querySubjects,
      onMessage: events.onQuestion,
      onRefused: (error) => logger.error('query subject refused', { error }),
    });
    this.announcements = new SubjectGroup({
      connection,
      logger,
      subjects: settings.watchSubjects,
      onMessage: events.onAnnouncement,
      onRefused: events.onWatchRefused,
    });
    this.#isConnected = connection.state.status === 'connected';
    this.#stopListening = connection.onStateChange((state) => this.#onState(state));
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  /** Tells every watcher, stating the leases of the nodes in their order or one for all. Throws as `publish` does. */
  announce(data: Uint8Array, leasesMs?: readonly number[]): void {
    publishToAll(this.connection, this.#settings.watchSubjects, data, { leasesMs });
  }

  /** Asks everybody. */
  query(
    question: Uint8Array,
    options: AbortOptions & { readonly name?: string | undefined; readonly quorum?: number | undefined },
  ): Promise<Answer[]> {
    const { querySubjects, quietMs, queryTimeoutMs, logger } = this.#settings;
    return query(this.connection, this.#inbox, question, {
      ...options,
      subjects: querySubjects,
      quietMs,
      timeoutMs: queryTimeoutMs,
      logger,
    });
  }

  stop(cause: MicroError): void {
    this.#stopListening();
    this.questions.stop();
    this.announcements.stop();
    this.#inbox.fail(cause);
    this.#inbox.stop();
  }

  #onState({ status }: NatsState): void {
    const wasConnected = this.#isConnected;
    this.#isConnected = status === 'connected';
    if (status === 'closed') {
      void this.connection.closed.then((cause) =>
        this.#events.onEnd(cause ?? new MicroError('closed', 'nats registry: the connection was closed')),
      );
    } else if (wasConnected && !this.#isConnected) {
      this.#inbox.fail(new MicroError('unavailable', 'nats registry: the connection was lost', { retrySafe: true }));
    } else if (!wasConnected && this.#isConnected) {
      this.#events.onReconnect();
    }
  }
}
