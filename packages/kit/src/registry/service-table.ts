import { type NodeRecord, type ServiceRecord, serviceRecord } from '@ts-micro/core';
import { longestTimerMs } from '../lifecycle/timers.ts';
import { deepEqual } from './deep-equal.ts';
import type { RecordWatcher } from './record-watcher.ts';

/** One node as it was last registered, in a record of its own; or a version that was registered without nodes. */
interface Registration {
  readonly record: ServiceRecord;
  readonly owner: object;
  /** On the clock of `performance.now()`. */
  readonly expiresAtMs: number;
}

/** By node id; `''` is the version that was registered without nodes. What changed last stands last and speaks for the version. */
type Version = Map<string, Registration>;

/**
 * What a registry knows: nodes with their leases, merged into records, and the watchers that are told of what changes.
 *
 * Where the nodes of one version were registered with different metadata or endpoints, the version has those that changed last.
 */
export class ServiceTable {
  /** By name, then by version. */
  readonly #services = new Map<string, Map<string, Version>>();
  readonly #watchers = new Set<RecordWatcher>();
  #isMuted = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Adds or renews the nodes of `record`. Without `ttlMs` they stay until removed; `owner` is whom {@link release} names. */
  register(record: ServiceRecord, ttlMs: number = Number.POSITIVE_INFINITY, owner: object = this): void {
    const expiresAtMs = performance.now() + ttlMs;
    this.#change(record.name, record.version, (version) => {
      for (const node of nodesOf(record)) {
        const id = node?.id ?? '';
        const registration = { record: { ...record, nodes: node ? [node] : [] }, owner, expiresAtMs };
        if (!deepEqual(version.get(id)?.record, registration.record)) version.delete(id);
        version.set(id, registration);
      }
    });
    this.#setTimer();
  }

  /** Removes the nodes of `record`. */
  deregister(record: ServiceRecord): void {
    const ids = new Set(nodesOf(record).map((node) => node?.id ?? ''));
    this.#remove(record.name, record.version, (_, id) => ids.has(id));
    this.#setTimer();
  }

  /** Removes what `owner` registered last. */
  release(owner: object): void {
    this.#removeEverywhere((registration) => registration.owner === owner);
  }

  /** Removes everything. */
  clear(): void {
    this.#removeEverywhere(() => true);
  }

  /** Copies of the records of that name, or of all. */
  list(name?: string): readonly ServiceRecord[] {
    const found = name === undefined ? [...this.#services.values()] : [this.#services.get(name) ?? new Map()];
    return found.flatMap((versions) => [...versions.values()].flatMap((version) => merge(version) ?? []));
  }

  /** Tells `watcher` what is there now, and then what changes, until {@link unwatch}. */
  watch(watcher: RecordWatcher): void {
    this.#watchers.add(watcher);
    watcher.resync();
  }

  unwatch(watcher: RecordWatcher): void {
    this.#watchers.delete(watcher);
  }

  /** Tells watchers nothing any more. */
  mute(): void {
    this.#isMuted = true;
  }

  /** Tells watchers what is there now, and again what changes. */
  unmute(): void {
    if (!this.#isMuted) return;
    this.#isMuted = false;
    for (const watcher of this.#watchers) watcher.resync();
  }

  #removeEverywhere(isGone: (registration: Registration, id: string) => boolean): void {
    for (const [name, versions] of this.#services)
      for (const version of versions.keys()) this.#remove(name, version, isGone);
    this.#setTimer();
  }

  #remove(name: string, version: string, isGone: (registration: Registration, id: string) => boolean): void {
    this.#change(name, version, (registrations) => {
      const gone = [...registrations].filter(([id, registration]) => isGone(registration, id));
      if (gone.length === 0) return;
      for (const [id] of gone) registrations.delete(id);
      // A version goes with its last node, even where it was also registered without nodes.
      if (registrations.size === 1) registrations.delete('');
    });
  }

  #change(name: string, version: string, change: (registrations: Version) => void): void {
    const versions = this.#services.get(name) ?? new Map<string, Version>();
    const registrations: Version = versions.get(version) ?? new Map();
    const before = merge(registrations);
    change(registrations);
    if (registrations.size > 0) this.#services.set(name, versions.set(version, registrations));
    else if (versions.delete(version) && versions.size === 0) this.#services.delete(name);
    this.#announce(before, merge(registrations));
  }

  #announce(before: ServiceRecord | undefined, after: ServiceRecord | undefined): void {
    const service = after ?? before;
    if (this.#isMuted || !service || deepEqual(before, after)) return;
    const type = !before ? 'create' : after ? 'update' : 'delete';
    for (const watcher of this.#watchers) watcher.tell(type, service);
  }

  // One timer for the lease that ends first. It keeps no process alive.
  #setTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    let firstMs = Number.POSITIVE_INFINITY;
    for (const versions of this.#services.values())
      for (const version of versions.values())
        for (const { expiresAtMs } of version.values()) firstMs = Math.min(firstMs, expiresAtMs);
    if (firstMs === Number.POSITIVE_INFINITY) return;
    const delayMs = Math.min(Math.max(Math.ceil(firstMs - performance.now()), 1), longestTimerMs);
    this.#timer = setTimeout(() => this.#expire(), delayMs);
    (this.#timer as { unref?(): void }).unref?.();
  }

  #expire(): void {
    const nowMs = performance.now();
    this.#removeEverywhere(({ expiresAtMs }) => expiresAtMs <= nowMs);
  }
}

function nodesOf(record: ServiceRecord): readonly (NodeRecord | undefined)[] {
  return record.nodes.length > 0 ? record.nodes : [undefined];
}

function merge(version: Version): ServiceRecord | undefined {
  const registrations = [...version.values()];
  const last = registrations.at(-1);
  return last && serviceRecord({ ...last.record, nodes: registrations.flatMap(({ record }) => record.nodes) });
}
