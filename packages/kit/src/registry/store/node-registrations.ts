import type { AbortOptions, ServiceRecord } from '@ts-micro/core';
import type { NodeStore } from './node-store.ts';
import { fieldOf, splitRecord } from './stored-node.ts';

interface Registration {
  readonly record: ServiceRecord;
  /** On the clock of `performance.now()`. */
  expiresAtMs: number;
}

/**
 * The registrations of one registry: puts them into the backend, puts them back after an outage, and takes them away in
 * the end.
 */
export class NodeRegistrations {
  readonly #store: NodeStore;
  /** By the field of its node. */
  readonly #registrations = new Map<string, Registration>();
  /** What may be there though putting it failed: without a lease nobody else would take it away. */
  readonly #attempts = new Map<string, ServiceRecord>();
  readonly #putting = new Set<Promise<void>>();

  constructor(store: NodeStore) {
    this.#store = store;
  }

  async put(record: ServiceRecord, ttlMs: number | undefined, { signal }: AbortOptions): Promise<void> {
    const expiresAtMs = performance.now() + (ttlMs ?? Number.POSITIVE_INFINITY);
    const nodes = splitRecord(record);
    for (const node of nodes) {
      const known = this.#registrations.get(fieldOf(node));
      // What is registered already outlives an outage in which its owner keeps renewing it.
      if (known) known.expiresAtMs = expiresAtMs;
      else this.#attempts.set(fieldOf(node), node);
    }
    const putting = this.#store.put(record, ttlMs, { signal });
    this.#putting.add(putting);
    try {
      await putting;
    } finally {
      this.#putting.delete(putting);
    }
    for (const node of nodes) {
      this.#attempts.delete(fieldOf(node));
      this.#registrations.set(fieldOf(node), { record: node, expiresAtMs });
    }
  }

  async drop(record: ServiceRecord, { signal }: AbortOptions): Promise<void> {
    for (const field of splitRecord(record).map(fieldOf)) {
      this.#registrations.delete(field);
      this.#attempts.delete(field);
    }
    await this.#store.remove(record, { signal });
  }

  /** Puts back what still has a lease. */
  async restore(): Promise<void> {
    for (const [field, { record, expiresAtMs }] of this.#registrations) {
      const leftMs = expiresAtMs - performance.now();
      if (leftMs <= 0) this.#registrations.delete(field);
      else await this.#store.put(record, Number.isFinite(leftMs) ? leftMs : undefined, {});
    }
  }

  /** Takes away what nobody else has put since, once what is being put is there. */
  async leave(): Promise<void> {
    await Promise.allSettled(this.#putting);
    const registered = Array.from(this.#registrations.values(), ({ record }) => record);
    const records = [...registered, ...this.#attempts.values()];
    if (records.length > 0) await this.#store.removeOwn(records, {});
  }
}
