import { type AbortOptions, MicroError } from '@ts-micro/core';
import type { JetStreamApi } from '@ts-micro/nats';
import type { StreamOptions } from './jetstream-broker-options.ts';
import type { TopicStream } from './topic-streams.ts';

interface StreamConfig {
  readonly name: string;
  readonly subjects?: readonly string[];
}

const weekMs = 7 * 24 * 3600 * 1000;
const nanoseconds = 1e6;

/** Makes the streams that are asked for, once for each connection. */
export class ManagedStreams {
  readonly #api: JetStreamApi;
  readonly #manage: boolean;
  readonly #made = new Map<string, Promise<void>>();
  readonly #ready = new Set<string>();

  constructor(api: JetStreamApi, manage: boolean) {
    this.#api = api;
    this.#manage = manage;
  }

  /** `undefined` once the stream is there; else a promise for that. Rejects as the API does. */
  ensure(stream: TopicStream): Promise<void> | undefined {
    const { name } = stream.options;
    if (!this.#manage || this.#ready.has(name)) return undefined;
    let making = this.#made.get(name);
    if (making === undefined) {
      making = this.#make(stream);
      this.#made.set(name, making);
      making.then(
        () => this.#ready.add(name),
        () => this.#made.delete(name),
      );
    }
    return making;
  }

  /** Looks again at the next `ensure`, as the server says that there is none. */
  forget({ options: { name } }: TopicStream): void {
    this.#ready.delete(name);
    this.#made.delete(name);
  }

  /** The stream that is there now: its last sequence, and when it was made, on the clock of the server. */
  async present(
    stream: TopicStream,
    options?: AbortOptions,
  ): Promise<{ readonly lastSequence: number; readonly createdMs: number }> {
    const { state, created } = await this.#api.request<{
      readonly state: { readonly last_seq: number };
      readonly created: string;
    }>(`STREAM.INFO.${stream.options.name}`, undefined, options);
    return { lastSequence: state.last_seq, createdMs: Date.parse(created) };
  }

  async #make({ options, subjects }: TopicStream): Promise<void> {
    const { name } = options;
    const asked = { name, subjects, ...configOf(options) };
    const present = await this.#config(name);
    if (present === undefined) {
      try {
        await this.#api.request(`STREAM.CREATE.${name}`, { ...defaults, ...asked });
        return;
      } catch (error) {
        // Another broker was faster.
        if (!MicroError.is(error, 'conflict') || (await this.#config(name)) === undefined) throw error;
        return;
      }
    }
    const missing = subjects.filter((subject) => !present.subjects?.includes(subject));
    const differs = Object.entries(configOf(options)).some(
      ([key, value]) => (present as unknown as Record<string, unknown>)[key] !== value,
    );
    if (missing.length === 0 && !differs) return;
    const changed = { ...present, ...configOf(options), subjects: [...(present.subjects ?? []), ...missing] };
    await this.#api.request(`STREAM.UPDATE.${name}`, changed);
  }

  async #config(name: string): Promise<StreamConfig | undefined> {
    try {
      return (await this.#api.request<{ readonly config: StreamConfig }>(`STREAM.INFO.${name}`)).config;
    } catch (error) {
      if (MicroError.is(error, 'not_found')) return undefined;
      throw error;
    }
  }
}

const defaults = {
  storage: 'file',
  num_replicas: 1,
  retention: 'limits',
  max_age: weekMs * nanoseconds,
  discard: 'old',
  max_msgs: -1,
  max_bytes: -1,
  max_consumers: -1,
};

/** Returns the wanted options under the names that the server gives them. */
function configOf(options: StreamOptions): Record<string, unknown> {
  const { storage, replicas, retention, maxAgeMs, maxBytes, maxMessages, discard, duplicateWindowMs } = options;
  const config = {
    storage,
    num_replicas: replicas,
    retention,
    max_age: maxAgeMs && maxAgeMs * nanoseconds,
    max_bytes: maxBytes,
    max_msgs: maxMessages,
    discard,
    duplicate_window: duplicateWindowMs && duplicateWindowMs * nanoseconds,
  };
  return Object.fromEntries(Object.entries(config).filter(([, value]) => value !== undefined));
}
