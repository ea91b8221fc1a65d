import { type AbortOptions, MicroError, type ServiceRecord } from '@ts-micro/core';
import { abortable, deepEqual, longestTimerMs, randomToken, throwIfAborted } from '@ts-micro/kit';
import type { Bucket } from '../bucket/bucket.ts';
import type { BucketState } from '../bucket/bucket-stream.ts';
import type { KeyChange } from '../keys/key-change.ts';
import { keyOf } from '../keys/node-key.ts';
import { splitRecord } from '../keys/stored-node.ts';
import { type NatsKvRegistrySettings, who } from '../kv-registry-options.ts';
import { NodeWriter, type Registration } from './node-writer.ts';

export interface RegistrationsOptions {
  readonly settings: NatsKvRegistrySettings;
  /** Resolves with the bucket over the connection of now; rejects with `closed` once nothing may be registered. */
  readonly bucket: (options: AbortOptions) => Promise<Bucket>;
  /** Called with what was stored or deleted, of one service. */
  readonly onStored: (name: string, changes: readonly KeyChange[]) => void;
}

/** What one registry has registered: each node is a key of its own, renewed before the server forgets it. */
export class Registrations {
  readonly #options: RegistrationsOptions;
  readonly #writer: NodeWriter;
  readonly #registrations = new Map<string, Registration>();
  /** What is under way for a key: calls take effect in their order. */
  readonly #turns = new Map<string, Promise<void>>();
  #beat: NodeJS.Timeout | undefined;

  constructor(options: RegistrationsOptions) {
    this.#options = options;
    this.#writer = new NodeWriter(options.settings);
  }

  /** How many nodes are registered. */
  get size(): number {
    return this.#registrations.size;
  }

  /** Rejects with `conflict` where another registry has registered one of the nodes since this one did. */
  async put(record: ServiceRecord, ttlMs: number | undefined, options: AbortOptions): Promise<void> {
    // What is registered already outlives an outage in which its owner renews it in vain.
    for (const node of splitRecord(record)) {
      const known = this.#registrations.get(keyOf(node));
      if (known !== undefined) prolong(known, ttlMs);
    }
    const { defaultLeaseMs } = this.#options.settings;
    const batch = this.#batch(record.nodes.length);
    await this.#inTurn(record, options, async (key, node) => {
      const bucket = await this.#options.bucket(options);
      const registration = this.#registrations.get(key) ?? unstored(key, node);
      if (!deepEqual(registration.record, node)) registration.since = undefined;
      registration.record = node;
      const change = await this.#writer.store(bucket, registration, {
        ...options,
        batch,
        ttlMs: ttlMs ?? defaultLeaseMs,
      });
      prolong(registration, ttlMs);
      this.#registrations.set(key, registration);
      this.#keepBeating(bucket);
      return change;
    });
    // With nodes, a version no longer stands for itself.
    const alone = { ...record, nodes: [] };
    if (record.nodes.length > 0 && this.#registrations.has(keyOf(alone))) await this.drop(alone, options);
  }

  async drop(record: ServiceRecord, options: AbortOptions): Promise<void> {
    const isWhole = splitRecord(record).every((node) => this.#registrations.has(keyOf(node)));
    const batch = this.#batch(isWhole ? record.nodes.length : 0);
    await this.#inTurn(record, options, async (key) => {
      const sequence = this.#registrations.get(key)?.sequence;
      this.#registrations.delete(key);
      return this.#writer.delete(await this.#options.bucket(options), { key, sequence }, { ...options, batch });
    });
  }

  /** Stores again what has a lease still, of what `isMissing` says. Never rejects. */
  async restore(isMissing: (registration: Registration) => boolean): Promise<void> {
    await Promise.all([...this.#registrations.values()].filter(isMissing).map((each) => this.#renew(each)));
  }

  /** Stores again what the bucket has no longer; `undefined`: there is none. Never rejects. */
  async check(state: BucketState | undefined): Promise<void> {
    await this.restore(({ sequence, bucketCreated, rival }) => {
      const isThere = state !== undefined && state.created === bucketCreated && sequence >= state.firstSequence;
      // What a rival has replaced is the rival's to store.
      return !isThere && rival === undefined;
    });
  }

  /** Deletes everything that no other registry has written since. */
  async leave(): Promise<void> {
    clearInterval(this.#beat);
    await Promise.all(this.#turns.values());
    const left = [...this.#registrations.values()].map(({ record }) => this.drop(record, {}));
    for (const result of await Promise.allSettled(left)) if (result.status === 'rejected') throw result.reason;
  }

  /** Forgets everything: it goes with its leases. */
  stop(): void {
    clearInterval(this.#beat);
    this.#registrations.clear();
  }

  /** Runs `work` for each node, behind what is under way for its key. */
  async #inTurn(
    record: ServiceRecord,
    { signal }: AbortOptions,
    work: (key: string, node: ServiceRecord) => Promise<KeyChange | undefined>,
  ): Promise<void> {
    const turns = splitRecord(record).map((node) => {
      const key = keyOf(node);
      const turn = (this.#turns.get(key) ?? Promise.resolve()).then(() => {
        throwIfAborted(signal, who);
        return work(key, node);
      });
      const settled = turn.then(
        () => {},
        () => {},
      );
      this.#turns.set(key, settled);
      void settled.then(() => {
        if (this.#turns.get(key) === settled) this.#turns.delete(key);
      });
      return turn;
    });
    const changes = Promise.all(turns).then((all) => {
      this.#options.onStored(
        record.name,
        all.filter((change) => change !== undefined),
      );
    });
    await abortable(changes, signal, who);
  }

  async #renew(registration: Registration): Promise<void> {
    const { logger, defaultLeaseMs } = this.#options.settings;
    const place = { service: registration.record.name, node: registration.record.nodes[0]?.id };
    try {
      await this.#inTurn(registration.record, {}, async (key) => {
        if (this.#registrations.get(key) !== registration) return undefined;
        const bucket = await this.#options.bucket({});
        const leftMs = registration.expiresAtMs - performance.now();
        const ttlMs = leftMs === Number.POSITIVE_INFINITY ? defaultLeaseMs : leftMs;
        const isOver = ttlMs <= 0;
        const change = isOver ? undefined : await this.#writer.store(bucket, registration, { ttlMs, isRenewal: true });
        if (change === undefined) this.#registrations.delete(key);
        if (change === undefined && !isOver)
          logger.info('node is renewed no longer: it was deregistered elsewhere', place);
        return change;
      });
    } catch (error) {
      if (!MicroError.is(error, 'closed')) logger.warn('node not renewed', { ...place, error });
    }
  }

  #batch(nodes: number): string | undefined {
    return nodes > 1 ? `${randomToken()} ${nodes}` : undefined;
  }

  /** Renews what nobody else renews, three times in what the server or a reader gives it. */
  #keepBeating({ maxAgeMs }: Bucket): void {
    if (this.#beat !== undefined) return;
    const beatMs = Math.min(this.#options.settings.defaultLeaseMs / 3, maxAgeMs / 3, longestTimerMs);
    this.#beat = setInterval(() => {
      const now = performance.now();
      void this.restore(({ expiresAtMs, storedAtMs }) => {
        return expiresAtMs === Number.POSITIVE_INFINITY || expiresAtMs <= now || now - storedAtMs > maxAgeMs / 3;
      });
      if (this.#registrations.size > 0) return;
      clearInterval(this.#beat);
      this.#beat = undefined;
    }, beatMs).unref();
  }
}

function unstored(key: string, record: ServiceRecord): Registration {
  return { key, record, expiresAtMs: 0, storedAtMs: 0, sequence: 0 };
}

function prolong(registration: Registration, ttlMs: number = Number.POSITIVE_INFINITY): void {
  registration.expiresAtMs = performance.now() + ttlMs;
}
