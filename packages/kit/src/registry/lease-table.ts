import { type NodeRecord, type ServiceRecord, serviceRecord } from '@ts-micro/core';
import { deepEqual } from './deep-equal.ts';
import { ExpiryHeap } from './expiry-heap.ts';
import { LeaseClock } from './lease-clock.ts';
import { nodeBytes } from './record-size.ts';
import type { RecordWatcher } from './record-watcher.ts';
import { type Facts, factsComparison, type LeasedNode, ServiceVersion } from './service-version.ts';
import { WatcherSet } from './watcher-set.ts';

export interface LeaseTableOptions {
  /** The most nodes held; a version without nodes counts as one. @default no limit */
  readonly maxNodes?: number | undefined;
  /** The most memory that records may take, in bytes, roughly. @default no limit */
  readonly maxBytes?: number | undefined;
  /** Called with the time when a lease has run out; returns when to look again. @default removes what is due */
  readonly onDue?: ((now: number) => number) | undefined;
  /** Called with a record of which not every node was taken, because the table is full. */
  readonly onRefused?: ((service: ServiceRecord) => void) | undefined;
}

export interface PutOptions {
  /** The lease in milliseconds: one for all nodes, or one for each in their order. @default no end */
  readonly ttlMs?: number | readonly number[] | undefined;
  /** Marks a lease that nobody stated: {@link LeaseTable.expire} can spare it. @default false */
  readonly isGuess?: boolean | undefined;
  /** The owner, for {@link LeaseTable.removeOwned}. */
  readonly owner?: object | undefined;
}

const unleased = { ttlMs: 0, isGuess: false, owner: {}, expiresAt: 0, heapIndex: -1 };

/**
 * Nodes with their leases, merged into one record for each name and version, and the watchers that are told of what
 * changes.
 *
 * - A node that is put again, unchanged, is renewed: that costs O(log n) and tells nobody.
 * - Where the nodes of one version were put with different metadata or endpoints, the version has those that changed
 *   last.
 * - Putting a record without nodes registers the version alone; that ends as soon as it gets nodes. A version goes
 *   with its last node.
 * - A full table refuses nodes that it does not know. Those it knows stay as they are, and are renewed.
 *
 * Leases run on `performance.now()`. A timer that keeps no process alive removes what is due; {@link clear} stops it.
 */
export class LeaseTable {
  readonly #options: LeaseTableOptions;
  /** By name, then by version. */
  readonly #services = new Map<string, Map<string, ServiceVersion>>();
  readonly #expiries = new ExpiryHeap<LeasedNode>();
  readonly #watchers = new WatcherSet();
  readonly #clock = new LeaseClock((now) => this.#onTime(now));
  #nodes = 0;
  #bytes = 0;
  #changes = 0;

  constructor(options: LeaseTableOptions = {}) {
    this.#options = options;
  }

  /** When the next lease runs out; `Infinity` where none does. */
  get nextExpiry(): number {
    return this.#expiries.first?.expiresAt ?? Number.POSITIVE_INFINITY;
  }

  has(name: string): boolean {
    return this.#services.has(name);
  }

  /** The record of one name and version. Shared: must not be changed. */
  get({ name, version }: Pick<ServiceRecord, 'name' | 'version'>): ServiceRecord | undefined {
    return this.#find(name, version)?.record;
  }

  /**
   * The records of that name, or of all. Each is the same object until it changes, and shared: must not be changed.
   */
  records(name?: string): ServiceRecord[] {
    const services = name === undefined ? [...this.#services.values()] : [this.#services.get(name) ?? new Map()];
    return services.flatMap((versions) => [...versions.values()].map((version: ServiceVersion) => version.record));
  }

  /** Copies of the records of that name, or of all. */
  list(name?: string): ServiceRecord[] {
    return this.records(name).map(serviceRecord);
  }

  /**
   * The length of each node's lease, in the order of `record`'s nodes; a record without nodes has one. Unknown ones
   * are left out.
   */
  leasesMs(record: ServiceRecord): number[] {
    return this.#known(record).map(({ ttlMs }) => ttlMs);
  }

  /** Adds or renews the nodes of `record`, which must not be changed afterwards. */
  put(record: ServiceRecord, lease: PutOptions = {}): void {
    const version = this.#find(record.name, record.version) ?? new ServiceVersion(record);
    const before = version.facts;
    const facts = version.factsOf(record);
    const hasFacts = factsComparison(facts);
    let changed = 0;
    let isRefused = false;
    const nodes: readonly (NodeRecord | undefined)[] = record.nodes.length > 0 ? record.nodes : [undefined];
    nodes.forEach((node, index) => {
      const known = version.nodes.get(node?.id ?? '');
      const isSameNode = known !== undefined && deepEqual(known.node, node);
      const bytes = node ? nodeBytes(node) : 0;
      const isUnchanged = isSameNode && hasFacts(known.facts);
      isRefused ||= !isUnchanged && !this.#hasRoom(known, facts, bytes);
      if (isUnchanged || isRefused) {
        if (known) this.#renew(known, lease, index);
        return;
      }
      if (known) this.#forget(known);
      const added = { version, node, facts, bytes, id: node?.id ?? '', changedAt: ++this.#changes, ...unleased };
      this.#add(added);
      this.#renew(added, lease, index);
      if (!isSameNode) changed += bytes + 1;
    });
    if (record.nodes.length > 0) this.#dropVersionAlone(version);
    if (version.facts !== before) changed += facts.bytes;
    if (changed > 0) this.#watchers.tell(before ? 'update' : 'create', version.name, () => version.record, changed);
    if (isRefused) this.#options.onRefused?.(record);
  }

  /** Renews those nodes of `record` that are there. */
  renew(record: ServiceRecord, lease: PutOptions = {}): void {
    record.nodes.forEach(({ id }, index) => {
      const known = this.#find(record.name, record.version)?.nodes.get(id);
      if (known) this.#renew(known, lease, index);
    });
  }

  /** Removes the nodes of `record`; without nodes, the version where it was put without. */
  remove(record: ServiceRecord): void {
    this.#removeNodes(this.#known(record));
  }

  /** Removes a version with all its nodes. */
  removeVersion({ name, version }: Pick<ServiceRecord, 'name' | 'version'>): void {
    this.#removeNodes([...(this.#find(name, version)?.nodes.values() ?? [])]);
  }

  /** Removes what `owner` put last. */
  removeOwned(owner: object): void {
    this.#removeNodes([...this.#all()].filter((node) => node.owner === owner));
  }

  /** Removes everything. */
  clear(): void {
    this.#removeNodes([...this.#all()]);
  }

  /** Removes what is due, and returns it. `withGuesses: false` spares leases that nobody stated. */
  expire(
    now: number = performance.now(),
    { withGuesses = true }: { readonly withGuesses?: boolean } = {},
  ): ServiceRecord[] {
    const due: LeasedNode[] = [];
    const spared: LeasedNode[] = [];
    for (let first = this.#expiries.first; first && first.expiresAt <= now; first = this.#expiries.first) {
      this.#expiries.delete(first);
      (first.isGuess && !withGuesses ? spared : due).push(first);
    }
    for (const node of spared) this.#expiries.set(node, node.expiresAt);
    return this.#removeNodes(due);
  }

  /** Lets every lease end in `ttlMs`, as a guess. */
  doubt(ttlMs: number): void {
    for (const node of this.#all()) this.#renew(node, { ttlMs, isGuess: true, owner: node.owner });
  }

  /** Tells `watcher` what is there now, and then what changes, until {@link unwatch}. */
  watch(watcher: RecordWatcher): void {
    this.#watchers.add(watcher);
  }

  unwatch(watcher: RecordWatcher): void {
    this.#watchers.delete(watcher);
  }

  /** Tells watchers nothing any more. */
  mute(): void {
    this.#watchers.mute();
  }

  /** Tells watchers what is there now, and again what changes. */
  unmute(): void {
    this.#watchers.unmute();
  }

  #find(name: string, version: string): ServiceVersion | undefined {
    return this.#services.get(name)?.get(version);
  }

  #known(record: ServiceRecord): LeasedNode[] {
    const nodes = this.#find(record.name, record.version)?.nodes;
    const ids = record.nodes.length > 0 ? record.nodes.map(({ id }) => id) : [''];
    return ids.flatMap((id) => nodes?.get(id) ?? []);
  }

  *#all(): Generator<LeasedNode> {
    for (const versions of this.#services.values()) for (const { nodes } of versions.values()) yield* nodes.values();
  }

  #hasRoom(known: LeasedNode | undefined, facts: Facts, bytes: number): boolean {
    const { maxNodes = Number.POSITIVE_INFINITY, maxBytes = Number.POSITIVE_INFINITY } = this.#options;
    const grows = bytes - (known?.bytes ?? 0) + (facts.holders === 0 ? facts.bytes : 0);
    return (known !== undefined || this.#nodes < maxNodes) && this.#bytes + grows <= maxBytes;
  }

  #add(node: LeasedNode): void {
    const { version, facts } = node;
    const versions = this.#services.get(version.name) ?? new Map<string, ServiceVersion>();
    this.#services.set(version.name, versions.set(version.version, version));
    version.set(node);
    this.#nodes++;
    this.#bytes += node.bytes + (facts.holders++ === 0 ? facts.bytes : 0);
  }

  /** Lets go of a node that is about to be replaced or taken out of its version. */
  #forget(node: LeasedNode): void {
    this.#expiries.delete(node);
    if (this.#expiries.size === 0) this.#clock.stop();
    this.#nodes--;
    this.#bytes -= node.bytes + (--node.facts.holders === 0 ? node.facts.bytes : 0);
  }

  #dropVersionAlone(version: ServiceVersion): void {
    const alone = version.nodes.get('');
    if (alone === undefined || version.nodes.size === 1) return;
    version.delete(alone);
    this.#forget(alone);
  }

  /** Returns what is gone, as records of it. */
  #removeNodes(nodes: readonly LeasedNode[]): ServiceRecord[] {
    const leaving = new Map<ServiceVersion, Set<LeasedNode>>();
    for (const node of nodes) leaving.set(node.version, (leaving.get(node.version) ?? new Set()).add(node));
    return [...leaving].map(([version, gone]) => this.#removeFrom(version, gone));
  }

  #removeFrom(version: ServiceVersion, gone: Set<LeasedNode>): ServiceRecord {
    const service = version.recordOf(gone);
    const alone = version.nodes.get('');
    // A version goes with its last node, even where it was also put without nodes.
    if (alone && version.nodes.size === gone.size + 1) gone.add(alone);
    const isEnd = version.nodes.size === gone.size;
    const last = isEnd && !this.#watchers.isEmpty ? version.record : undefined;
    const before = version.facts;
    for (const node of gone) {
      version.delete(node);
      this.#forget(node);
    }
    if (isEnd) this.#dropVersion(version);
    if (last) this.#watchers.tell('delete', version.name, () => last);
    else if (service.nodes.length > 0 || version.facts !== before)
      this.#watchers.tell('update', version.name, () => version.record, 0);
    return service;
  }

  #dropVersion({ name, version }: ServiceVersion): void {
    const versions = this.#services.get(name);
    versions?.delete(version);
    if (versions?.size === 0) this.#services.delete(name);
  }

  #renew(
    node: LeasedNode,
    { ttlMs = Number.POSITIVE_INFINITY, isGuess = false, owner = this }: PutOptions,
    index = 0,
  ): void {
    node.ttlMs = typeof ttlMs === 'number' ? ttlMs : (ttlMs[index] ?? ttlMs[0] ?? Number.POSITIVE_INFINITY);
    node.isGuess = isGuess;
    node.owner = owner;
    const expiresAt = performance.now() + node.ttlMs;
    this.#expiries.set(node, expiresAt);
    if (this.#expiries.size === 0) this.#clock.stop();
    else this.#clock.fireBy(expiresAt);
  }

  #onTime(now: number): number {
    if (this.nextExpiry > now) return this.nextExpiry;
    if (this.#options.onDue) return this.#options.onDue(now);
    this.expire(now);
    return this.nextExpiry;
  }
}
