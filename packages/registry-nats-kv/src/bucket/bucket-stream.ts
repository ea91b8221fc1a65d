import { MicroError } from '@ts-micro/core';
import type { JetStreamApi } from '@ts-micro/nats';
import type { NatsKvRegistrySettings } from '../kv-registry-options.ts';

/** What is known of a bucket that is there. */
export interface BucketInfo {
  /** Whether a key can have a time to live of its own. */
  readonly hasTtl: boolean;
  /** The clock of the server that stamps what is stored, in milliseconds; servers before 2.10 do not tell it. */
  readonly nowMs: number | undefined;
  /** When it was made: another one has another. */
  readonly created: string;
}

/** What says whether something was lost. */
export interface BucketState {
  /** See {@link BucketInfo}. */
  readonly created: string;
  /** Nothing is stored below this sequence. */
  readonly firstSequence: number;
}

export interface BucketStreamSettings extends NatsKvRegistrySettings {
  /** The name of the stream, and its subject. */
  readonly stream: string;
  readonly subject: string;
}

interface StreamInfo {
  readonly config: { readonly allow_msg_ttl?: boolean; readonly max_age?: number; readonly metadata?: object };
  readonly state: { readonly first_seq: number };
  readonly created: string;
  readonly ts?: string;
}

const hourMs = 3_600_000;
const nanoseconds = 1e6;

/** The stream that a bucket is: found, made, and brought to what is asked. */
export class BucketStream {
  readonly #api: JetStreamApi;
  readonly #settings: BucketStreamSettings;
  #maxAgeMs = Number.POSITIVE_INFINITY;

  constructor(api: JetStreamApi, settings: BucketStreamSettings) {
    this.#api = api;
    this.#settings = settings;
  }

  /** How long the server keeps a key that nobody writes again, as known last. */
  get maxAgeMs(): number {
    return this.#maxAgeMs;
  }

  /** Looks at the bucket, and makes it where that may be and there is none. */
  async look(): Promise<BucketInfo> {
    const { manage, stream } = this.#settings;
    let info: StreamInfo;
    try {
      info = await this.#api.request<StreamInfo>(`STREAM.INFO.${stream}`);
      if (manage) info = await this.#adapt(info);
    } catch (error) {
      if (!MicroError.is(error, 'not_found')) throw error;
      if (!manage) throw new MicroError('unavailable', `${error.message}; option manage is false`, { cause: error });
      info = await this.#make();
    }
    const { config, created, ts } = info;
    this.#maxAgeMs = (config.max_age || Number.POSITIVE_INFINITY) / nanoseconds;
    return {
      hasTtl: config.allow_msg_ttl === true,
      nowMs: ts === undefined ? undefined : Date.parse(ts),
      created,
    };
  }

  /** Resolves with `undefined` where there is no bucket, and makes none. */
  async state(): Promise<BucketState | undefined> {
    try {
      const { created, state } = await this.#api.request<StreamInfo>(`STREAM.INFO.${this.#settings.stream}`);
      return { created, firstSequence: state.first_seq };
    } catch (error) {
      if (MicroError.is(error, 'not_found')) return undefined;
      throw error;
    }
  }

  async #make(): Promise<StreamInfo> {
    const { maxAgeMs = hourMs, stream, subject } = this.#settings;
    const config = {
      name: stream,
      subjects: [subject],
      storage: 'file',
      num_replicas: 1,
      retention: 'limits',
      discard: 'new',
      max_consumers: -1,
      max_msgs: -1,
      max_bytes: -1,
      max_age: maxAgeMs * nanoseconds,
      max_msgs_per_subject: 1,
      duplicate_window: Math.min(maxAgeMs, 120_000) * nanoseconds,
      allow_direct: true,
      allow_rollup_hdrs: true,
      deny_delete: true,
      // Servers before 2.11 do not know it, and say so by leaving it out of what they answer.
      allow_msg_ttl: true,
      ...this.#named(),
    };
    try {
      return await this.#api.request<StreamInfo>(`STREAM.CREATE.${stream}`, config);
    } catch (error) {
      // Another registry was faster, and asked for something else.
      if (!MicroError.is(error, 'conflict')) throw error;
      return this.#api.request<StreamInfo>(`STREAM.INFO.${stream}`);
    }
  }

  /** Brings a bucket that is there to the options that are named, and to times to live where the server has them. */
  async #adapt(info: StreamInfo): Promise<StreamInfo> {
    const present = info.config as Readonly<Record<string, unknown>>;
    const isNewServer = info.config.metadata !== undefined && '_nats.level' in info.config.metadata;
    const wanted: Record<string, unknown> = { ...this.#named(), ...(isNewServer && { allow_msg_ttl: true }) };
    // The server remembers ids of messages no longer than messages.
    if (wanted.max_age !== undefined)
      wanted.duplicate_window = Math.min(Number(present.duplicate_window), Number(wanted.max_age));
    if (Object.entries(wanted).every(([name, value]) => present[name] === value)) return info;
    return this.#api.request<StreamInfo>(`STREAM.UPDATE.${this.#settings.stream}`, { ...present, ...wanted });
  }

  #named(): Readonly<Record<string, unknown>> {
    const { storage, replicas, maxBytes, maxAgeMs } = this.#settings;
    const named = {
      storage,
      num_replicas: replicas,
      max_bytes: maxBytes,
      max_age: maxAgeMs && maxAgeMs * nanoseconds,
    };
    return Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined));
  }
}
