import type { AbortOptions, MicroError } from '@ts-micro/core';
import { copiesOf } from '../link/waiting-message.ts';
import type { NatsConnection, NatsMessage, NatsSubscribeOptions, NatsSubscription } from './connection.ts';

/** A subscriber's part of a feed. */
type ReaderOptions = Omit<NatsSubscribeOptions, 'queue'>;

/**
 * The subscriptions of one owner, such as a broker. Those of one subject without a queue are one on the server, which
 * sends each message once; each gets bytes of its own, and nothing that was published before it came.
 */
export class SubjectFeeds {
  readonly #feeds = new Map<string, SubjectFeed>();

  subscribe(connection: NatsConnection, subject: string, options: NatsSubscribeOptions): NatsSubscription {
    if (options.queue !== undefined) return connection.subscribe(subject, options);
    const known = this.#feeds.get(subject);
    const mark = known?.connection === connection && !known.isLost ? connection.mark() : undefined;
    if (known !== undefined && mark !== undefined) return known.join(options, mark);
    const feed: SubjectFeed = new SubjectFeed(connection, subject, () => {
      if (this.#feeds.get(subject) === feed) this.#feeds.delete(subject);
    });
    this.#feeds.set(subject, feed);
    return feed.join(options);
  }
}

/** One subscription on the server, and all who read it. */
class SubjectFeed {
  readonly connection: NatsConnection;
  readonly subject: string;
  readonly subscription: NatsSubscription;
  readonly #readers = new Set<FeedReader>();
  readonly #onEnded: () => void;
  #lostBy: MicroError | undefined;

  constructor(connection: NatsConnection, subject: string, onEnded: () => void) {
    this.connection = connection;
    this.subject = subject;
    this.#onEnded = onEnded;
    this.subscription = connection.subscribe(subject, {
      onMessage: (message) => this.#deliver(message),
      onError: (error) => {
        onEnded();
        return tellAll(this.#take(), ({ onError }) => onError?.(error));
      },
      onLost: (error) => {
        this.#lostBy = error;
        return tellAll(this.#readers, ({ onLost }) => onLost?.(error));
      },
      onRestored: () => {
        this.#lostBy = undefined;
        return tellAll(this.#readers, ({ onRestored }) => onRestored?.());
      },
    });
  }

  get isLost(): boolean {
    return this.#lostBy !== undefined;
  }

  /** `mark` tells when a reader that comes later may be given what comes; without it, at once. */
  join(options: ReaderOptions, mark?: () => boolean): NatsSubscription {
    const reader = new FeedReader(this, options, mark);
    this.#readers.add(reader);
    return reader;
  }

  async confirm(options: AbortOptions | undefined): Promise<void> {
    await this.subscription.confirm(options);
    if (this.#lostBy !== undefined) throw this.#lostBy;
  }

  isRead(by: FeedReader): boolean {
    return this.#readers.has(by);
  }

  async drain(reader: FeedReader, options: AbortOptions | undefined): Promise<void> {
    try {
      if (this.#readers.size > 1) return await this.connection.flush(options);
      // Who comes from now on needs another one.
      this.#onEnded();
      await this.subscription.drain(options);
    } finally {
      this.leave(reader);
    }
  }

  leave(reader: FeedReader): void {
    if (!this.#readers.delete(reader) || this.#readers.size > 0) return;
    this.#onEnded();
    this.subscription.unsubscribe();
  }

  #deliver(message: NatsMessage): void {
    let isFirst = true;
    let copy: (() => NatsMessage) | undefined;
    for (const reader of this.#readers) {
      if (!reader.takes()) continue;
      if (!isFirst) copy ??= copiesOf(message);
      reader.options.onMessage(copy?.() ?? message);
      isFirst = false;
    }
  }

  #take(): FeedReader[] {
    const readers = [...this.#readers];
    this.#readers.clear();
    return readers;
  }
}

/** Tells each of them at once, whatever the others throw; rejects with the first of that, for the log. */
async function tellAll(readers: Iterable<FeedReader>, tell: (options: ReaderOptions) => unknown): Promise<void> {
  await Promise.all([...readers].map(async ({ options }) => tell(options)));
}

class FeedReader implements NatsSubscription {
  readonly options: ReaderOptions;
  readonly #feed: SubjectFeed;
  #mark: (() => boolean) | undefined;

  constructor(feed: SubjectFeed, options: ReaderOptions, mark: (() => boolean) | undefined) {
    this.#feed = feed;
    this.options = options;
    this.#mark = mark;
  }

  get subject(): string {
    return this.#feed.subject;
  }

  /** Nothing that was published before it subscribed. */
  takes(): boolean {
    if (this.#mark?.() === false) return false;
    this.#mark = undefined;
    return true;
  }

  async confirm(options?: AbortOptions): Promise<void> {
    await this.#feed.confirm(options);
  }

  async drain(options?: AbortOptions): Promise<void> {
    if (this.#feed.isRead(this)) await this.#feed.drain(this, options);
  }

  unsubscribe(): void {
    this.#feed.leave(this);
  }
}
