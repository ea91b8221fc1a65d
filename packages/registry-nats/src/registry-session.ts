import { type AbortOptions, MicroError } from '@ts-micro/core';
import type { NatsConnection, NatsMessage, NatsState } from '@ts-micro/nats';
import type { NatsRegistrySettings } from './nats-registry-options.ts';
import { publishToAll } from './peer-headers.ts';
import { type Answer, query } from './query.ts';
import { ReplyInbox } from './reply-inbox.ts';
import { SubjectGroups } from './subject-groups.ts';

export interface RegistrySessionEvents {
  readonly onQuestion: (message: NatsMessage) => void;
  /** On the watch subjects with this key. */
  readonly onAnnouncement: (message: NatsMessage, key: string) => void;
  /** The server refused the watch subjects with this key. */
  readonly onWatchRefused: (error: MicroError, key: string) => void;
  /** Connected again after an outage, in which announcements were missed on both sides. */
  readonly onReconnect: () => void;
  /** The connection was closed for good, not by this session. */
  readonly onEnd: (cause: MicroError) => void;
}

/** What a registry has on one connection: the subjects it answers on, those it watches, and where answers come in. */
export class RegistrySession {
  readonly connection: NatsConnection;
  readonly #questions: SubjectGroups;
  readonly #announcements: SubjectGroups;
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
    this.#questions = new SubjectGroups({
      connection,
      logger,
      onMessage: events.onQuestion,
      onRefused: (error) => logger.error('query subject refused', { error }),
    });
    this.#announcements = new SubjectGroups({
      connection,
      logger,
      onMessage: events.onAnnouncement,
      onRefused: events.onWatchRefused,
    });
    this.#isConnected = connection.state.status === 'connected';
    this.#stopListening = connection.onStateChange((state) => this.#onState(state));
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  /** Listens to questions about a service, and for what there is. Errors: `unauthorized`, `unavailable`, `closed`. */
  async listen(name: string, options?: AbortOptions): Promise<void> {
    const { subjects } = this.#settings;
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

  /** Tells every watcher of a service, stating the leases of the nodes in their order or one for all. Throws as `publish` does. */
  announce(name: string, data: Uint8Array, leasesMs?: readonly number[]): void {
    publishToAll(this.connection, this.#settings.subjects.announced(name), data, { leasesMs });
  }

  /** Asks everybody, or everybody who has to do with `name`. */
  query(
    question: Uint8Array,
    options: AbortOptions & { readonly name?: string | undefined; readonly quorum?: number | undefined },
  ): Promise<Answer[]> {
    const { subjects, quietMs, queryTimeoutMs, logger } = this.#settings;
    return query(this.connection, this.#inbox, question, {
      ...options,
      subjects: subjects.asked(options.name),
      quietMs,
      timeoutMs: queryTimeoutMs,
      logger,
    });
  }

  stop(cause: MicroError): void {
    this.#stopListening();
    this.#questions.stopAll();
    this.#announcements.stopAll();
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
