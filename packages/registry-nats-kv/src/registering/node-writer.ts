import { type AbortOptions, MicroError, type ServiceRecord } from '@ts-micro/core';
import { checkRecordBytes } from '@ts-micro/kit';
import type { Bucket, BucketEntry } from '../bucket/bucket.ts';
import type { KeyChange } from '../keys/key-change.ts';
import { decodeNode, encodeNode, type StoredNode } from '../keys/stored-node.ts';
import { type NatsKvRegistrySettings, who } from '../kv-registry-options.ts';

/** A node that is registered here. */
export interface Registration {
  readonly key: string;
  record: ServiceRecord;
  /** On the clock of `performance.now()`; `Infinity` where it is renewed here. */
  expiresAtMs: number;
  storedAtMs: number;
  /** That of the value which was stored last; 0 before. */
  sequence: number;
  /** When the bucket was made in which that is. */
  bucketCreated?: string | undefined;
  /** That at which the record was stored first. */
  since?: number | undefined;
  /** The value of another registry that took its place, and when its lease is over at the latest. */
  rival?: { readonly sequence: number; readonly expiresAtMs: number } | undefined;
}

/** How a node is written. */
export interface WriteOptions extends AbortOptions {
  /** See `batchHeader`. */
  readonly batch?: string | undefined;
}

// Of as many registries that write one node at once, each is the last one in turn.
const mostTries = 20;

/** Writes the nodes of one registry, each where nobody else has written it since. */
export class NodeWriter {
  readonly #settings: NatsKvRegistrySettings;
  readonly #owner = crypto.randomUUID();

  constructor(settings: NatsKvRegistrySettings) {
    this.#settings = settings;
  }

  /**
   * Stores a node; resolves with the change, or with `undefined` where it is to be renewed, and was deleted by somebody
   * else. Rejects with `conflict` where another registry has stored it since.
   */
  async store(
    bucket: Bucket,
    registration: Registration,
    {
      isRenewal = false,
      batch,
      ttlMs,
      ...options
    }: WriteOptions & { readonly isRenewal?: boolean; readonly ttlMs: number },
  ): Promise<KeyChange | undefined> {
    const { key, record } = registration;
    let { sequence, bucketCreated } = registration;
    for (let tries = 1; ; tries++) {
      try {
        const value = this.#encode(registration, ttlMs);
        const stored = await bucket.put(key, value, { expected: sequence, batch, ttlMs }, options);
        ({ sequence, created: bucketCreated } = stored);
        break;
      } catch (error) {
        if (!MicroError.is(error, 'conflict') || tries === mostTries) throw error;
        const current = await bucket.get(key, options);
        const isDeleted = current.data === undefined && current.sequence !== 0;
        if (isRenewal && isDeleted) return undefined;
        this.#assertReplaceable(registration, current);
        if (current.data === undefined) registration.since = undefined;
        sequence = current.sequence;
      }
    }
    const { since = sequence } = registration;
    const storedAtMs = performance.now();
    Object.assign(registration, { sequence, bucketCreated, since, rival: undefined, storedAtMs });
    return { key, sequence, record, ttlMs, changedAt: since };
  }

  /**
   * Deletes a node; resolves with the change. Does nothing where there is none, or where it was registered here, with
   * that sequence, and another registry has stored it since.
   */
  async delete(
    bucket: Bucket,
    { key, sequence }: { readonly key: string; readonly sequence: number | undefined },
    { batch, ...options }: WriteOptions,
  ): Promise<KeyChange | undefined> {
    let expected = sequence;
    for (let tries = 1; ; tries++) {
      if (expected === undefined) {
        const current = await bucket.get(key, options);
        const isOthers = sequence !== undefined && this.#read(key, current)?.owner !== this.#owner;
        if (current.data === undefined || isOthers) return undefined;
        expected = current.sequence;
      }
      try {
        const mark = await bucket.remove(key, { expected, batch }, options);
        return { key, sequence: mark, ttlMs: 0, changedAt: mark };
      } catch (error) {
        if (!MicroError.is(error, 'conflict') || tries === mostTries) throw error;
        expected = undefined;
      }
    }
  }

  /** Throws `conflict` where a newer one of another registry is there, whose lease may run still. */
  #assertReplaceable(registration: Registration, current: BucketEntry): void {
    const { key, record, sequence, rival } = registration;
    const node = this.#read(key, current);
    if (node === undefined || node.owner === this.#owner) return;
    const id = record.nodes[0]?.id;
    if (sequence === 0) {
      this.#settings.logger.info('node of another registry replaced', { service: record.name, node: id });
      return;
    }
    if (rival?.sequence === current.sequence && performance.now() > rival.expiresAtMs) return;
    if (rival?.sequence !== current.sequence)
      registration.rival = { sequence: current.sequence, expiresAtMs: performance.now() + node.ttlMs };
    const words = `service "${record.name}": node "${id}" was registered by another registry since`;
    throw new MicroError('conflict', `${who}: ${words}`);
  }

  #encode({ since, record }: Registration, ttlMs: number): Uint8Array {
    const { maxRecordBytes } = this.#settings;
    const data = encodeNode({ owner: this.#owner, ttlMs, since, record });
    checkRecordBytes(record, data.length, maxRecordBytes, who);
    return data;
  }

  #read(key: string, { data }: BucketEntry): StoredNode | undefined {
    try {
      return data && decodeNode(data, key);
    } catch {
      return undefined;
    }
  }
}
