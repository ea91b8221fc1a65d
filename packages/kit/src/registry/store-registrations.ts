import type { AbortOptions, ServiceRecord } from '@ts-micro/core';
import { deepEqual } from './deep-equal.ts';
import type { RegistryStore } from './registry-store.ts';
import { fieldOf, isLive, parseNodes, type StoredNode, splitRecord } from './stored-node.ts';

interface Registration {
  readonly node: StoredNode;
  /** On the clock of `performance.now()`. */
  expiresAtMs: number;
}

/**
 * The registrations of one registry in a store: puts it there, tells everybody, puts it back after an outage, and
 * takes it away in the end.
 */
export class StoreRegistrations {
  readonly #store: RegistryStore;
  readonly #assertOpen: () => void;
  readonly #owner = crypto.randomUUID();
  /** By the field of its node. */
  readonly #registrations = new Map<string, Registration>();

  /** `assertOpen` throws once its registry is closing: what would be put then, nobody would take away. */
  constructor(store: RegistryStore, assertOpen: () => void) {
    this.#store = store;
    this.#assertOpen = assertOpen;
  }

  async put(record: ServiceRecord, ttlMs: number | undefined, { signal }: AbortOptions): Promise<void> {
    const expiresAtMs = performance.now() + (ttlMs ?? Number.POSITIVE_INFINITY);
    const nodes = splitRecord(record);
    // What is registered already outlives an outage in which its owner keeps renewing it.
    for (const node of nodes) this.#prolong(fieldOf(node), expiresAtMs);
    const now = await this.#store.now({ signal });
    const stored = await this.#known(nodes, { signal });
    this.#assertOpen();
    const changedAt = laterThan(stored.values(), record, now);
    const texts: Record<string, string> = {};
    for (const one of nodes) {
      const field = fieldOf(one);
      const known = stored.get(field);
      const isSame = known !== undefined && isLive(known, now) && deepEqual(known.record, one);
      const endsAt = ttlMs && now + ttlMs;
      const node = { owner: this.#owner, changedAt: isSame ? known.changedAt : changedAt, endsAt, record: one };
      this.#registrations.set(field, { node, expiresAtMs });
      texts[field] = JSON.stringify(node);
    }
    await this.#store.put(texts, { signal });
    // With nodes, a version no longer stands for itself.
    if (record.nodes.length > 0) await this.#store.remove([fieldOf({ ...record, nodes: [] })], { signal });
    await this.#store.publish(JSON.stringify({ put: record, ttlMs }), { signal });
  }

  async drop(record: ServiceRecord, { signal }: AbortOptions): Promise<void> {
    const fields = splitRecord(record).map(fieldOf);
    for (const field of fields) this.#registrations.delete(field);
    await this.#store.remove(fields, { signal });
    await this.#store.publish(JSON.stringify({ drop: record }), { signal });
  }

  /** Puts back what still has a lease. */
  async restore(): Promise<void> {
    for (const [field, { node, expiresAtMs }] of this.#registrations) {
      const leftMs = expiresAtMs - performance.now();
      if (leftMs <= 0) this.#registrations.delete(field);
      else await this.put(node.record, Number.isFinite(leftMs) ? leftMs : undefined, {});
    }
  }

  /** Drops what nobody else has put since. */
  async leave(): Promise<void> {
    if (this.#registrations.size === 0) return;
    const texts = await this.#store.read({});
    for (const [field, { node }] of this.#registrations) {
      const [stored] = parseNodes([texts[field] ?? '']);
      if (stored?.owner === this.#owner) await this.drop(node.record, {});
    }
  }

  /** Returns what is registered already: as known here where all of it only needs renewing, else as stored. */
  async #known(nodes: readonly ServiceRecord[], options: AbortOptions): Promise<Map<string, StoredNode>> {
    const mine = nodes.map((node) => this.#registrations.get(fieldOf(node))?.node);
    const isRenewal = nodes.every((node, index) => deepEqual(mine[index]?.record, node));
    const known = isRenewal ? mine : parseNodes(Object.values(await this.#store.read(options)));
    return new Map(known.flatMap((node) => (node ? [[fieldOf(node.record), node]] : [])));
  }

  #prolong(field: string, expiresAtMs: number): void {
    const known = this.#registrations.get(field);
    if (known) known.expiresAtMs = expiresAtMs;
  }
}

/** A time that comes after every change of that version, even where the clock stands still or was set back. */
function laterThan(stored: Iterable<StoredNode>, { name, version }: ServiceRecord, now: number): number {
  const ofVersion = Array.from(stored).filter(({ record }) => record.name === name && record.version === version);
  return Math.max(now, ...ofVersion.map(({ changedAt }) => changedAt + 0.001));
}
