import type { AbortOptions, ServiceRecord } from '@ts-micro/core';

/** A node in a record of its own, or a version without nodes, as the backend holds it. */
export interface HeldNode {
  readonly record: ServiceRecord;
  /** What is left of its lease in milliseconds, where the backend does not tell that it has ended. @default no end */
  readonly leftMs?: number | undefined;
}

/** Everything at one moment. */
export interface NodesHeld {
  /** What changed last comes last. */
  readonly nodes: readonly HeldNode[];
  /** The moment on the backend's count of changes: changes up to it are in `nodes`. @default not known */
  readonly revision?: number | undefined;
}

/** What became of the nodes of one record, or of a version without nodes. */
export interface NodeChange {
  readonly type: 'put' | 'remove';
  readonly record: ServiceRecord;
  /** The lease in milliseconds, where the backend does not tell that it has ended. @default no end */
  readonly ttlMs?: number | undefined;
  /** Its place in the backend's count of changes. @default not known */
  readonly revision?: number | undefined;
}

/**
 * The needs of a `NodeRegistry`: nodes with leases that all instances share, and a way to follow their changes. Whose
 * clock ends a lease, and how changes get about, is the backend's affair: leases and a watch of its own, or what
 * `StoreRegistry` makes of texts, a clock and a feed.
 *
 * Each call rejects with a `MicroError`: `unavailable`, within a bound, where the backend cannot be reached; and ends
 * with its signal.
 */
export interface NodeStore {
  /** Every node, or those of one service. */
  read(service: string | undefined, options: AbortOptions): Promise<NodesHeld>;
  /**
   * Adds the nodes of a record or replaces them, and from now on they are this instance's. A node that this instance
   * put last, and that has not changed, is only renewed. A record without nodes is a version alone, until it gets
   * nodes.
   */
  put(record: ServiceRecord, ttlMs: number | undefined, options: AbortOptions): Promise<void>;
  /** Removes the nodes of a record, whoever put them. */
  remove(record: ServiceRecord, options: AbortOptions): Promise<void>;
  /** Removes those nodes of the records that nobody has put since this instance did. */
  removeOwn(records: readonly ServiceRecord[], options: AbortOptions): Promise<void>;
  /**
   * Resolves once `listener`, which never throws, hears of every change from then on. Called for each watcher with the
   * same listener, which then hears of each change once. After a gap the owner is told (`NodeRegistry.resume`).
   */
  follow(listener: (change: NodeChange) => void, options: AbortOptions): Promise<unknown>;
  /** Lets go of the backend, whatever is under way. */
  close(options: AbortOptions): Promise<unknown>;
}
