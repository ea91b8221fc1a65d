import type { Logger, ServiceRecord } from '@ts-micro/core';
import type { RecordWatcher } from '@ts-micro/kit';
import { LeaseTable } from '@ts-micro/kit';
import type { KeyChange } from '../keys/key-change.ts';
import { keyOf } from '../keys/node-key.ts';
import { splitRecord } from '../keys/stored-node.ts';

export interface KnownNodesOptions {
  readonly maxNodes: number;
  readonly logger: Logger;
  /** Whether the bucket can be heard of now: nobody is given up meanwhile. */
  readonly isCurrent: () => boolean;
}

const maxBytes = 2 ** 26;
const lookAgainMs = 1000;
// A server may drop a key a little before its lease is over here.
const nearEndMs = 1000;
// Time for the others to come back from the same outage, and to renew what they had.
const doubtMs = 5000;

/** What is known of the bucket: a table of nodes, by their keys, and who watches it. */
export class KnownNodes {
  readonly #options: KnownNodesOptions;
  readonly #watchers = new Set<RecordWatcher>();
  #keys = new Map<string, Pick<KeyChange, 'sequence' | 'record'> & { readonly expiresAtMs?: number }>();
  #table: LeaseTable;

  constructor(options: KnownNodesOptions) {
    this.#options = options;
    this.#table = this.#newTable();
  }

  get isWatched(): boolean {
    return this.#watchers.size > 0;
  }

  /** False also of a key that is only not given up yet. */
  isStored(key: string): boolean {
    return (this.#keys.get(key)?.sequence ?? 0) > 0;
  }

  /** A key with a lease that was stored below this sequence, as far as is known. */
  keyBelow(firstSequence: number): { readonly key: string; readonly sequence: number } | undefined {
    const leasedAtMs = performance.now() + nearEndMs;
    for (const [key, { sequence, record, expiresAtMs = 0 }] of this.#keys) {
      const isLower = sequence > 0 && sequence < firstSequence;
      if (isLower && record !== undefined && expiresAtMs > leasedAtMs) return { key, sequence };
    }
    return undefined;
  }

  /** Copies of the records of that name, or of all. */
  list(name: string | undefined): readonly ServiceRecord[] {
    return this.#table.list(name);
  }

  /** The same, shared: they must not be changed. */
  records(name: string | undefined): readonly ServiceRecord[] {
    return this.#table.records(name);
  }

  watch(watcher: RecordWatcher): void {
    this.#watchers.add(watcher);
    this.#table.watch(watcher);
  }

  unwatch(watcher: RecordWatcher): void {
    this.#watchers.delete(watcher);
    this.#table.unwatch(watcher);
  }

  /**
   * Takes changes, those of one version as one. What is older than what is known of its key counts for nothing.
   * `isOwn`: they were not heard from the bucket yet, so that older ones may still come.
   */
  take(changes: readonly KeyChange[], { isOwn = false }: { readonly isOwn?: boolean } = {}): void {
    const removed: ServiceRecord[] = [];
    const put: KeyChange[] = [];
    for (const change of changes) {
      const { key, sequence, record } = change;
      const known = this.#keys.get(key);
      if (known !== undefined && known.sequence > sequence) continue;
      if (record !== undefined) {
        if (this.#remember(change)) put.push(change);
        continue;
      }
      if (known?.record !== undefined) removed.push(known.record);
      if (isOwn && known !== undefined) this.#keys.set(key, { sequence });
      else this.#keys.delete(key);
    }
    for (const record of joined(removed)) this.#table.remove(record);
    this.#putAll(put);
  }

  /**
   * Takes everything, at first and after a gap; watchers get a `resync`. Who was known and is neither there nor deleted
   * is given up a little later.
   */
  replace(changes: ReadonlyMap<string, KeyChange>): void {
    const before = this.#table;
    this.#keys = new Map();
    this.#table = this.#newTable();
    const isLive = (key: string) => (changes.get(key)?.ttlMs ?? 0) > 0;
    const isDeleted = (key: string) => changes.has(key) && changes.get(key)?.record === undefined;
    const doubted = before
      .records()
      .flatMap(splitRecord)
      .flatMap((record) => {
        const change = { key: keyOf(record), sequence: 0, record, ttlMs: doubtMs, changedAt: 0 };
        return isLive(change.key) || isDeleted(change.key) ? [] : [change];
      });
    const live = [...changes.values()].filter(({ record, ttlMs }) => record !== undefined && ttlMs > 0);
    for (const change of [...doubted, ...live.sort((a, b) => a.changedAt - b.changedAt)])
      if (this.#remember(change)) this.#putAll([change]);
    for (const watcher of this.#watchers) {
      before.unwatch(watcher);
      this.#table.watch(watcher);
    }
    before.clear();
  }

  clear(): void {
    this.#table.clear();
    this.#keys.clear();
  }

  /** False where there are too many. */
  #remember({ key, sequence, record, ttlMs }: KeyChange): boolean {
    if (record === undefined) return false;
    const { name, version, nodes } = record;
    const { maxNodes, logger } = this.#options;
    if (this.#keys.size >= maxNodes && !this.#keys.has(key)) {
      logger.warn('nodes left out, there are too many', { service: name, maxNodes });
      return false;
    }
    // Its id is all that removing it takes.
    const ids = nodes.map(({ id }) => ({ id, address: '', metadata: {} }));
    const stub = { name, version, metadata: {}, endpoints: [], nodes: ids };
    this.#keys.set(key, { sequence, record: stub, expiresAtMs: performance.now() + ttlMs });
    return true;
  }

  #putAll(changes: readonly KeyChange[]): void {
    const leases = new Map(changes.map(({ record, ttlMs }) => [record?.nodes[0], ttlMs]));
    for (const record of joined(changes.flatMap(({ record }) => record ?? []))) {
      const { nodes } = record;
      const ttlMs = nodes.length > 0 ? nodes.map((node) => leases.get(node) ?? 0) : (leases.get(undefined) ?? 0);
      this.#table.put(record, { ttlMs });
    }
  }

  #newTable(): LeaseTable {
    const { maxNodes, logger } = this.#options;
    const table: LeaseTable = new LeaseTable({
      maxNodes,
      maxBytes,
      onRefused: ({ name }) => logger.warn('nodes left out, there are too many', { service: name, maxBytes }),
      onDue: (now) => {
        if (!this.#options.isCurrent()) return now + lookAgainMs;
        for (const record of table.expire(now).flatMap(splitRecord)) this.#keys.delete(keyOf(record));
        return table.nextExpiry;
      },
    });
    return table;
  }
}

/** One record of those that follow each other and are of one version, with the nodes of all. */
function joined(records: readonly ServiceRecord[]): readonly ServiceRecord[] {
  const [first, ...others] = records;
  if (first === undefined) return [];
  const isOne = others.every(({ name, version, nodes }) => {
    return name === first.name && version === first.version && nodes.length === first.nodes.length;
  });
  return isOne ? [{ ...first, nodes: records.flatMap(({ nodes }) => nodes) }] : records;
}
