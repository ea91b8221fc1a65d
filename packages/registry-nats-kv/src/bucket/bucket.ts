import { type AbortOptions, MicroError } from '@ts-micro/core';
import { abortable } from '@ts-micro/kit';
import type { JetStreamApi } from '@ts-micro/nats';
import { fixedWidth } from '../keys/stored-node.ts';
import { type NatsKvRegistrySettings, who } from '../kv-registry-options.ts';
import { type BucketInfo, type BucketState, BucketStream } from './bucket-stream.ts';

/** A key as the bucket has it last. Sequence 0: it has none. */
export interface BucketEntry {
  readonly sequence: number;
  /** Absent where the key was deleted. */
  readonly data?: Uint8Array | undefined;
}

/** How a key is written. */
export interface WriteHow {
  /** The sequence that the key must have. */
  readonly expected?: number | undefined;
  /** See {@link batchHeader}. */
  readonly batch?: string | undefined;
}

/** Where a key was stored. */
export interface StoredKey {
  readonly sequence: number;
  /** When the bucket was made, as known last. */
  readonly created: string;
}

interface StoredMessage {
  readonly message: { readonly seq: number; readonly hdrs?: string; readonly data?: string };
}

/** How long the mark of a deleted key stays, for watchers that are cut off meanwhile. */
const markTtl = '600s';
/** Marks the keys of one registration of several nodes, which is one change: `<id> <how many>`. */
export const batchHeader = 'Ts-Micro-Batch';
// Ten years: the server takes no number that is too large for it.
const longestTtlSeconds = 315_360_000;
const noBytes = new Uint8Array(0);

/** A key-value bucket, over one connection. Every call rejects as {@link JetStreamApi} does. */
export class Bucket {
  readonly prefix: string;
  readonly stream: string;
  readonly #api: JetStreamApi;
  readonly #domain: string | undefined;
  readonly #bucketStream: BucketStream;
  #info: Promise<BucketInfo> | undefined;
  #created = '';

  constructor(api: JetStreamApi, settings: NatsKvRegistrySettings) {
    this.#api = api;
    this.#domain = settings.domain;
    this.prefix = `$KV.${settings.bucket}.`;
    this.stream = `KV_${settings.bucket}`;
    this.#bucketStream = new BucketStream(api, { ...settings, stream: this.stream, subject: `${this.prefix}>` });
  }

  /** How long the server keeps a key that nobody writes again, as known last. */
  get maxAgeMs(): number {
    return this.#bucketStream.maxAgeMs;
  }

  /** Looks at the bucket, and makes it where that may be and there is none. */
  look(): Promise<BucketInfo> {
    const looking = this.#bucketStream.look();
    this.#info = looking;
    looking.then(
      ({ created }) => {
        this.#created = created;
      },
      () => this.#forget(looking),
    );
    return looking;
  }

  /** Asks what there is; resolves with `undefined` where there is no bucket, and makes none. */
  async state(): Promise<BucketState | undefined> {
    const state = await this.#bucketStream.state();
    // What is known of the one before says nothing of another.
    if (state !== undefined && state.created !== this.#created) this.#info = undefined;
    this.#created = state?.created ?? this.#created;
    return state;
  }

  /**
   * Stores a value. Rejects with `conflict` where `expected` is given and is not the
   * sequence that the key has.
   */
  async put(
    key: string,
    data: Uint8Array,
    { ttlMs, ...how }: WriteHow & { readonly ttlMs: number },
    options: AbortOptions,
  ): Promise<StoredKey> {
    const seconds = Math.min(Math.ceil(ttlMs / 1000), longestTtlSeconds);
    return this.#publish(key, data, { ...how, ttl: `${seconds}s` }, options);
  }

  /** Deletes a key; resolves with the sequence of the mark. Rejects with `conflict` as {@link put}. */
  async remove(key: string, how: WriteHow, options: AbortOptions): Promise<number> {
    const { sequence } = await this.#publish(key, noBytes, { ...how, ttl: markTtl, operation: 'DEL' }, options);
    return sequence;
  }

  async get(key: string, options: AbortOptions): Promise<BucketEntry> {
    const request = { last_by_subj: this.prefix + key };
    try {
      const answer = await this.#api.request<StoredMessage>(`STREAM.MSG.GET.${this.stream}`, request, options);
      const { seq: sequence, hdrs = '', data = '' } = answer.message;
      const isMark = /^(KV-Operation|Nats-Marker-Reason):/m.test(Buffer.from(hdrs, 'base64').toString('latin1'));
      return isMark ? { sequence } : { sequence, data: Buffer.from(data, 'base64') };
    } catch (error) {
      if (MicroError.is(error, 'not_found')) return { sequence: 0 };
      throw error;
    }
  }

  async #publish(
    key: string,
    data: Uint8Array,
    how: WriteHow & { readonly ttl: string; readonly operation?: string },
    options: AbortOptions,
  ): Promise<StoredKey> {
    const subject = (this.#domain === undefined ? '' : this.#api.prefix) + this.prefix + key;
    for (let isAgain = false; ; isAgain = true) {
      const info = this.#info ?? this.look();
      const { hasTtl } = await abortable(info, options.signal, who);
      // Of before it is written: at worst it is written once more.
      const created = this.#created;
      const headers: Record<string, string> = {
        ...(how.expected !== undefined && { 'Nats-Expected-Last-Subject-Sequence': fixedWidth(how.expected) }),
        ...(how.operation !== undefined && { 'KV-Operation': how.operation }),
        ...(how.batch !== undefined && { [batchHeader]: how.batch }),
        ...(hasTtl && { 'Nats-TTL': how.ttl }),
      };
      try {
        const { seq: sequence } = await this.#api.publish(subject, data, { headers }, options);
        return { sequence, created };
      } catch (error) {
        if (MicroError.is(error, 'conflict')) throw error;
        // Whatever was known of the bucket may be over: nobody takes the key where somebody has deleted it.
        this.#forget(info);
        if (isAgain || !MicroError.is(error, 'unavailable') || !error.retrySafe) throw error;
      }
    }
  }

  #forget(info: Promise<BucketInfo>): void {
    if (this.#info === info) this.#info = undefined;
  }
}
