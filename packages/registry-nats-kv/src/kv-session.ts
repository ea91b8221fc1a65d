import type { AbortOptions, MicroError } from '@ts-micro/core';
import { JetStreamApi, type NatsConnection } from '@ts-micro/nats';
import { Bucket } from './bucket/bucket.ts';
import type { BucketState } from './bucket/bucket-stream.ts';
import { BucketFeed } from './following/bucket-feed.ts';
import type { KeyChange } from './keys/key-change.ts';
import { type NatsKvRegistrySettings, who } from './kv-registry-options.ts';

export interface KvSessionOptions {
  readonly settings: NatsKvRegistrySettings;
  /** Called each time that the connection is back. */
  readonly onReconnect: () => void;
  /** Called each time that a feed has loaded everything. */
  readonly onLoad: (feed: BucketFeed) => void;
  /** Whether anything is registered. */
  readonly isHolding: () => boolean;
  /** Called every few seconds with what there is; `undefined`: no bucket. */
  readonly onState: (state: BucketState | undefined) => void;
  /** Called where the connection was closed by its owner, or for good. */
  readonly onEnd: (cause: MicroError | undefined) => void;
}

/** From so many services on, all of them are followed by one feed. */
const mostFeeds = 16;
/** How long a feed is kept that nobody watches, since its last lookup. */
const idleMs = 60_000;
/** How often the bucket is asked whether it has lost something: a consumer is not told. */
const askMs = 3000;

/** What a registry has on one connection: the bucket, and the feeds of the services that are looked up or watched. */
export class KvSession {
  readonly connection: NatsConnection;
  readonly bucket: Bucket;
  readonly #options: KvSessionOptions;
  readonly #api: JetStreamApi;
  /** By service; under `undefined` that of all. */
  readonly #feeds = new Map<string | undefined, BucketFeed>();
  readonly #idle = new Map<BucketFeed, NodeJS.Timeout>();
  readonly #unfollow: () => void;
  readonly #asking: NodeJS.Timeout;
  #isEnded = false;

  constructor(connection: NatsConnection, options: KvSessionOptions) {
    const { settings, onReconnect, onEnd } = options;
    this.connection = connection;
    this.#options = options;
    this.#api = new JetStreamApi({
      connection,
      what: who,
      domain: settings.domain,
      timeoutMs: settings.requestTimeoutMs,
    });
    this.bucket = new Bucket(this.#api, settings);
    this.#unfollow = connection.onStateChange(({ status }) => {
      if (status === 'reconnecting') for (const feed of this.#feeds.values()) feed.interrupt();
      if (status !== 'connected') return;
      for (const feed of this.#feeds.values()) feed.recover();
      onReconnect();
    });
    this.#asking = setTimeout(() => void this.#ask(), askMs).unref();
    void connection.closed.then((cause) => {
      if (!this.#isEnded) onEnd(cause);
    });
  }

  /** Returns the feed that knows this service, or all; made where there is none. */
  feed(service: string | undefined): BucketFeed {
    const everything = this.#feeds.get(undefined);
    const known = everything ?? this.#feeds.get(service);
    if (known !== undefined) return known;
    const only = this.#feeds.size < mostFeeds ? service : undefined;
    const { settings, onLoad } = this.#options;
    const feed = new BucketFeed({ api: this.#api, bucket: this.bucket, service: only, settings, onLoad });
    this.#feeds.set(only, feed);
    return feed;
  }

  /** Resolves with a feed that knows this service, or all, as it is now. Rejects as {@link BucketFeed.ready} does. */
  async current(service: string | undefined, options: AbortOptions): Promise<BucketFeed> {
    const feed = this.feed(service);
    try {
      await feed.ready(options);
    } finally {
      this.#touch(feed);
    }
    return feed;
  }

  /** Takes what was stored here, before the bucket tells of it. */
  take(name: string, changes: readonly KeyChange[]): void {
    for (const feed of this.#feeds.values())
      if (feed.service === undefined || feed.service === name) feed.nodes.take(changes, { isOwn: true });
  }

  stop(): void {
    this.#isEnded = true;
    this.#unfollow();
    clearTimeout(this.#asking);
    for (const timer of this.#idle.values()) clearTimeout(timer);
    for (const feed of this.#feeds.values()) feed.close();
    this.#api.close();
  }

  async #ask(): Promise<void> {
    const { isHolding, onState } = this.#options;
    try {
      if (this.connection.state.status !== 'connected' || (this.#feeds.size === 0 && !isHolding())) return;
      const state = await this.bucket.state();
      if (this.#isEnded) return;
      onState(state);
      await Promise.all([...this.#feeds.values()].map((feed) => feed.check(state)));
    } catch {
      // Whoever needs the bucket is told by what it does; this is asked again.
    } finally {
      if (!this.#isEnded) this.#asking.refresh();
    }
  }

  /** Lets go of it after a while in which it was of no use. */
  #touch(feed: BucketFeed): void {
    if (this.#isEnded) return;
    const known = this.#idle.get(feed);
    if (known !== undefined) {
      known.refresh();
      return;
    }
    const timer = setTimeout(() => {
      if (feed.nodes.isWatched) {
        timer.refresh();
        return;
      }
      this.#idle.delete(feed);
      for (const [service, each] of this.#feeds) if (each === feed) this.#feeds.delete(service);
      feed.close();
    }, idleMs).unref();
    this.#idle.set(feed, timer);
  }
}
