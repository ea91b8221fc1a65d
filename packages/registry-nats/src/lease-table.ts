import type { NodeRecord, RegistryEvent, ServiceRecord } from '@ts-micro/core';
import { deepEqual } from '@ts-micro/kit';

/** How long a node may stay without being heard of. Times are of `performance.now()`. */
export interface Lease {
  readonly lengthMs: number;
  readonly expiresAt: number;
  /** False where the length is our guess, because the peer named none: then it is asked before the node is given up. */
  readonly isStated: boolean;
}

/** What became different for whoever looks at whole records. */
export type Change = Exclude<RegistryEvent, { readonly type: 'resync' }>;

/** Nodes whose lease ran out: `service` has only those, `change` is what that did to the record. */
export interface Expired {
  readonly service: ServiceRecord;
  readonly change: Change;
}

interface Entry {
  record: ServiceRecord;
  /** By node id; under '' the lease of a record without nodes. */
  readonly leases: Map<string, Lease>;
}

/**
 * Records by name and version, each node with a lease. Used for what is registered here and for what a watcher knows of others.
 *
 * Records in it are never written into: a change puts a new one in place, so the same object means the same content.
 */
export class LeaseTable {
  readonly #services = new Map<string, Map<string, Entry>>();

  /** Every record. */
  records(): ServiceRecord[] {
    return [...this.#entries()].map(({ record }) => record);
  }

  /** The records of one name. */
  recordsOf(name: string): ServiceRecord[] {
    return [...(this.#services.get(name)?.values() ?? [])].map(({ record }) => record);
  }

  get(name: string, version: string): ServiceRecord | undefined {
    return this.#services.get(name)?.get(version)?.record;
  }

  /** The lease of each node of a record that is in the table, in their order. A record without nodes has one. */
  leasesOf({ name, version, nodes }: ServiceRecord): Lease[] {
    const leases = this.#services.get(name)?.get(version)?.leases;
    return leaseIds(nodes).flatMap((id) => leases?.get(id) ?? []);
  }

  /** Merges the record's nodes into the one of the same name and version; the rest of the record replaces what was there. */
  put(service: ServiceRecord, leases: readonly Lease[]): Change | undefined {
    const versions = this.#services.get(service.name) ?? new Map<string, Entry>();
    this.#services.set(service.name, versions);
    const entry = versions.get(service.version);
    const nodes = mergeNodes(entry?.record.nodes ?? [], service.nodes);
    const record = { ...service, nodes };
    if (entry === undefined) {
      versions.set(service.version, { record, leases: leasesById(new Map(), service, leases) });
      return { type: 'create', service: record };
    }
    leasesById(entry.leases, service, leases);
    if (nodes.length > 0) entry.leases.delete('');
    if (deepEqual(entry.record, record)) return undefined;
    entry.record = record;
    return { type: 'update', service: record };
  }

  /** Renews only what is there already. */
  renew(service: ServiceRecord, leases: readonly Lease[]): void {
    const entry = this.#services.get(service.name)?.get(service.version);
    if (entry === undefined) return;
    const known = new Map(entry.leases);
    leasesById(entry.leases, service, leases);
    for (const id of entry.leases.keys()) if (!known.has(id)) entry.leases.delete(id);
  }

  /** Removes the nodes by id, and the record with its last one; a `service` without nodes stands for the whole record. */
  remove(service: ServiceRecord): Change | undefined {
    const entry = this.#services.get(service.name)?.get(service.version);
    if (entry === undefined) return undefined;
    if (service.nodes.length === 0) return this.#drop(entry);
    const leaving = new Set(service.nodes.map((node) => node.id));
    return this.#removeIds(entry, leaving);
  }

  /** Removes what is due at `now`; `withGuessed: false` spares leases that were not stated. */
  expire(now: number, { withGuessed = true }: { readonly withGuessed?: boolean } = {}): Expired[] {
    const expired: Expired[] = [];
    for (const entry of [...this.#entries()]) {
      const ids = new Set<string>();
      for (const [id, lease] of entry.leases) {
        if (lease.expiresAt <= now && (withGuessed || lease.isStated)) ids.add(id);
      }
      if (ids.size === 0) continue;
      const service = { ...entry.record, nodes: entry.record.nodes.filter((node) => ids.has(node.id)) };
      const change = ids.has('') ? this.#drop(entry) : this.#removeIds(entry, ids);
      if (change) expired.push({ service, change });
    }
    return expired;
  }

  /** When the next lease runs out; Infinity where none does. */
  nextExpiry(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { leases } of this.#entries()) {
      for (const lease of leases.values()) next = Math.min(next, lease.expiresAt);
    }
    return next;
  }

  /** Lets every lease end at `until`, as a guess: whoever is not heard of by then is asked. */
  doubt(until: number): void {
    for (const { leases } of this.#entries()) {
      for (const [id, lease] of leases) {
        leases.set(id, { ...lease, expiresAt: until, isStated: false });
      }
    }
  }

  *#entries(): Generator<Entry> {
    for (const versions of this.#services.values()) yield* versions.values();
  }

  #removeIds(entry: Entry, ids: ReadonlySet<string>): Change | undefined {
    const { record } = entry;
    const nodes = record.nodes.filter((node) => !ids.has(node.id));
    if (nodes.length === record.nodes.length) return undefined;
    if (nodes.length === 0) return this.#drop(entry);
    for (const id of ids) entry.leases.delete(id);
    entry.record = { ...record, nodes };
    return { type: 'update', service: entry.record };
  }

  #drop({ record }: Entry): Change {
    const versions = this.#services.get(record.name);
    versions?.delete(record.version);
    if (versions?.size === 0) this.#services.delete(record.name);
    return { type: 'delete', service: record };
  }
}

/** One node for each id: a later one takes the place of an earlier one, a new one comes last. */
function mergeNodes(present: readonly NodeRecord[], coming: readonly NodeRecord[]): readonly NodeRecord[] {
  return [...new Map([...present, ...coming].map((node) => [node.id, node])).values()];
}

function leasesById(into: Map<string, Lease>, { nodes }: ServiceRecord, leases: readonly Lease[]): Map<string, Lease> {
  leaseIds(nodes).forEach((id, index) => {
    // One lease may stand for all nodes.
    const lease = leases[index] ?? leases[0];
    if (lease) into.set(id, lease);
  });
  return into;
}

function leaseIds(nodes: readonly NodeRecord[]): string[] {
  return nodes.length > 0 ? nodes.map((node) => node.id) : [''];
}
