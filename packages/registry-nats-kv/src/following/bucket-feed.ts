import { type AbortOptions, type Logger, MicroError } from '@ts-micro/core';
import { abortable } from '@ts-micro/kit';
import type { JetStreamApi } from '@ts-micro/nats';
import type { Bucket } from '../bucket/bucket.ts';
import type { BucketState } from '../bucket/bucket-stream.ts';
import { type DeliveredKey, KeyConsumer } from '../bucket/key-consumer.ts';
import type { KeyChange } from '../keys/key-change.ts';
import { tokenOf } from '../keys/node-key.ts';
import { decodeNode } from '../keys/stored-node.ts';
import { type NatsKvRegistrySettings, who } from '../kv-registry-options.ts';
import { Batches } from './batches.ts';
import { KnownNodes } from './known-nodes.ts';

export interface BucketFeedOptions {
  readonly api: JetStreamApi;
  readonly bucket: Bucket;
  /** Only this service. */
  readonly service: string | undefined;
  readonly settings: NatsKvRegistrySettings;
  /** Called each time that everything was loaded. */
  readonly onLoad: (feed: BucketFeed) => void;
}

/** A change, and when it was stored on the clock of the server. */
type Delivered = KeyChange & Pick<DeliveredKey, 'storedAtMs'>;

const firstRetryMs = 100;
const longestRetryMs = 5000;
const againMs = 200;
const mostLoadingBytes = 2 ** 26;

/**
 * Knows the keys of one service, or all keys: it loads them, follows every change, and loads them again wherever one
 * may be missing.
 */
export class BucketFeed {
  readonly service: string | undefined;
  readonly nodes: KnownNodes;
  readonly #options: BucketFeedOptions;
  readonly #logger: Logger;
  readonly #batches = new Batches((changes) => this.nodes.take(changes));
  #consumer: KeyConsumer | undefined;
  #loading: Promise<void> | undefined;
  #isCurrent = false;
  /** When the bucket was made that it follows. */
  #created = '';
  #isClosed = false;
  #retry: NodeJS.Timeout | undefined;
  #retryMs = firstRetryMs;
  #again: NodeJS.Timeout | undefined;

  constructor(options: BucketFeedOptions) {
    const { service, settings } = options;
    this.service = service;
    this.#options = options;
    this.#logger = settings.logger;
    this.nodes = new KnownNodes({ ...settings, isCurrent: () => this.#isCurrent });
  }

  /** Resolves once everything is known. Rejects with `unavailable` at once where the bucket cannot be heard of. */
  async ready({ signal }: AbortOptions = {}): Promise<void> {
    if (!this.#isConnected) throw new MicroError('unavailable', `${who}: not connected`, { retrySafe: true });
    if (this.#isCurrent) return;
    this.#loading ??= this.#load().finally(() => {
      this.#loading = undefined;
    });
    await abortable(this.#loading, signal, who);
  }

  /** What comes from now on is not known of: the connection was lost. */
  interrupt(): void {
    this.#isCurrent = false;
    this.#batches.clear();
    this.#consumer?.stop({ isGone: !this.#isConnected });
    this.#consumer = undefined;
  }

  /** Loads everything again, because something may be missing; tried until it succeeds. */
  recover(): void {
    this.interrupt();
    clearTimeout(this.#retry);
    if (this.#isClosed || !this.#isConnected) return;
    this.ready().catch((error: unknown) => {
      if (this.#isClosed) return;
      this.#logger.warn('bucket cannot be followed, trying again', { service: this.service, error });
      clearTimeout(this.#retry);
      // Half of it by chance, so that not all registries ask at once.
      this.#retry = setTimeout(() => this.recover(), this.#retryMs * (0.5 + Math.random() / 2)).unref();
      this.#retryMs = Math.min(2 * this.#retryMs, longestRetryMs);
    });
  }

  /** Loads everything again where the bucket has lost what is known; `undefined`: there is none. */
  async check(state: BucketState | undefined): Promise<void> {
    clearTimeout(this.#again);
    if (!this.#isCurrent) return;
    if (state !== undefined && state.created === this.#created && !(await this.#hasLost(state))) return;
    if (!this.#isCurrent) return;
    this.#logger.info('bucket was emptied or deleted, it is loaded again', { service: this.service });
    this.recover();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#again);
    clearTimeout(this.#retry);
    this.interrupt();
    this.nodes.clear();
  }

  async #hasLost(state: BucketState): Promise<boolean> {
    for (;;) {
      const known = this.nodes.keyBelow(state.firstSequence);
      if (known === undefined) return false;
      const { sequence } = await this.#options.bucket.get(known.key, {});
      if (!this.#isCurrent) return false;
      // Another was delivered meanwhile.
      if (this.nodes.keyBelow(known.sequence + 1) === undefined) continue;
      if (sequence === 0) return true;
      // Stored again and not delivered yet. Others that are known may be lost. Another check may have come so far too.
      clearTimeout(this.#again);
      this.#again = setTimeout(() => void this.check(state).catch(() => {}), againMs).unref();
      return false;
    }
  }

  get #isConnected(): boolean {
    return this.#options.api.connection.state.status === 'connected';
  }

  async #load(): Promise<void> {
    const { api, bucket, service, settings, onLoad } = this.#options;
    this.#consumer?.stop();
    const first = new Map<string, Delivered>();
    let room = mostLoadingBytes;
    const consumer: KeyConsumer = new KeyConsumer({
      api,
      bucket,
      keys: service === undefined ? '>' : `${tokenOf(service)}.>`,
      timeoutMs: settings.requestTimeoutMs,
      onKey: (delivered) => {
        const change = this.#read(delivered);
        if (change === undefined || this.#consumer !== consumer) return;
        if (this.#isCurrent) this.#batches.take(change, delivered.batch);
        else if (room > 0 && (first.size < settings.maxNodes || first.has(change.key))) first.set(change.key, change);
        room -= delivered.data.length;
      },
      onGap: (cause) => {
        // A load that is under way rejects with it.
        if (this.#consumer !== consumer || !this.#isCurrent) return;
        this.#logger.debug('bucket is loaded again', { service, error: cause });
        this.recover();
      },
    });
    this.#consumer = consumer;
    try {
      const { serverMs, created } = await consumer.start();
      if (this.#consumer !== consumer) throw new MicroError('unavailable', `${who}: loading was interrupted`);
      this.#created = created;
      this.nodes.replace(new Map([...first].map(([key, change]) => [key, aged(change, serverMs)])));
    } catch (error) {
      consumer.stop();
      throw error;
    }
    this.#isCurrent = true;
    this.#retryMs = firstRetryMs;
    onLoad(this);
  }

  #read({ key, sequence, storedAtMs, data, isDeleted }: DeliveredKey): Delivered | undefined {
    const { service, settings } = this.#options;
    const place = { key, sequence, storedAtMs };
    if (isDeleted) return { ...place, ttlMs: 0, changedAt: sequence };
    try {
      if (data.length > settings.maxRecordBytes) throw new MicroError('too_large', `${data.length} bytes`);
      const { record, ttlMs, since = sequence } = decodeNode(data, key);
      return { ...place, record, ttlMs, changedAt: since };
    } catch (error) {
      this.#logger.warn('malformed value in the bucket ignored', { key: key.slice(0, 200), service, error });
      // What it replaced is there no longer.
      return { ...place, ttlMs: 0, changedAt: sequence };
    }
  }
}

/** With what is left of its lease; a server whose clock went back makes none longer. */
function aged({ storedAtMs, ttlMs, ...change }: Delivered, serverMs: number): KeyChange {
  return { ...change, ttlMs: ttlMs - Math.max(serverMs - storedAtMs, 0) };
}
