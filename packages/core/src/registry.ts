import type { AbortOptions } from './abort.ts';
import type { Closable, Plugin } from './closable.ts';
import type { MicroError } from './error.ts';
import type { ServiceRecord } from './service-record.ts';

/** Says what a registry can do. It refuses the rest with `unsupported`. */
export interface RegistryFeatures {
  /** `register(..., { ttlMs })`: a node that is not registered again in time disappears. */
  readonly ttl: boolean;
  readonly watch: boolean;
}

export interface RegisterOptions extends AbortOptions {
  /**
   * The lease: how many milliseconds the nodes stay without being registered again.
   * @default until deregistered, or the registry closes
   */
  readonly ttlMs?: number | undefined;
  /**
   * Called when the backend takes away what the nodes are found by, as a server does that no longer lets this side
   * answer: they may not be found until they are registered again. With the server's words. A backend that never hears
   * of such a thing does not call it. @default nobody is told
   */
  readonly onLost?: ((error: MicroError) => void) | undefined;
}

export interface WatchOptions extends AbortOptions {
  /** Only this service. @default every service */
  readonly service?: string | undefined;
}

export interface LookupOptions extends AbortOptions {
  /**
   * Answer as soon as one version has this many nodes, though more may exist. (Go Micro: `Quorum`.)
   * @default as complete as the backend can be
   */
  readonly quorum?: number | undefined;
}

/**
 * Tells what changed. `resync` carries everything that the watcher knows now: it is the first event, and comes again
 * after every gap in which changes may have been missed. The others carry one service and version as it is now
 * (`delete`: as it was last).
 */
export type RegistryEvent =
  | { readonly type: 'resync'; readonly services: readonly ServiceRecord[] }
  | { readonly type: 'create' | 'update' | 'delete'; readonly service: ServiceRecord };

/**
 * Finds services, and lets them be found. (Go Micro: `registry.Registry`.)
 *
 * A record without nodes registers the version alone, until it gets nodes. Registering at once from several callers
 * is safe; of one node, the registration that takes effect last counts.
 *
 * Contract:
 * - a registered service is seen from another registry instance, complete
 * - nodes of one version from two registries are merged
 * - registering a node again replaces it and does not duplicate it
 * - registering adds to the nodes already there
 * - versions are kept apart
 * - deregistering removes only the nodes it names
 * - a version goes with its last node
 * - a version without nodes can be registered and deregistered
 * - deregistering what is not there succeeds
 * - an unknown name gives an empty list
 * - `listServices` gives every service and version once
 * - a node disappears after `ttlMs` without being registered again
 * - a lease is not much longer than its `ttlMs`
 * - a node registered again in time stays
 * - a node without `ttlMs` stays
 * - closing a registry removes what it registered
 * - records handed out are copies
 * - a record given to `register` may be changed afterwards
 * - metadata named `__proto__` and `constructor` is plain metadata
 * - names are compared exactly
 * - a record without a name, or a node without id or address, is refused with `invalid`
 * - a `ttlMs` that is not a positive number is refused with `invalid`
 * - registering and looking up at once from many callers gives each a complete answer
 * - a lookup with a `quorum` gives at least that many nodes of one version where they exist
 * - not being able to ask is an error and never an empty list
 * - any program of registering, deregistering and closing ends as it was made, for all who look and watch
 *
 * Outage contract:
 * - a registered node is seen again after an outage
 * - a lookup during an outage rejects with `unavailable`
 * - a watcher announces a `resync` after an outage
 * - a change after an outage is announced
 * - closing a registry during an outage does not hang
 * - a registry recovers from a cut network
 * - a node that was deregistered stays gone through an outage
 * - what an outage brings back keeps its lease
 * - `isConnected`, where it is known, is false during an outage and true after it
 * - a connection that is lost without a word is found out
 * - a call ends at its deadline though nobody answers
 *
 * Contract of lost data:
 * - a registered node is seen again where the server lost its data
 * - a node that was deregistered stays gone where the server lost its data
 *
 * Contract of foreign data and credentials:
 * - bytes that another program put there hide no service
 * - credentials that the server refuses are `unauthorized`
 */
export interface Registry extends Plugin {
  readonly supports: RegistryFeatures;
  /**
   * Adds or renews the record's nodes, merging into the record of the same name and version. Errors: `invalid`,
   * `unsupported`, `unavailable`, `closed`; `conflict` where the backend can tell that another registry has registered
   * a node of these since this one did.
   */
  register(service: ServiceRecord, options?: RegisterOptions): Promise<void>;
  /**
   * Removes the record's nodes by id, and the record with its last node. Errors: `invalid`, `unavailable`, `closed`.
   */
  deregister(service: ServiceRecord, options?: AbortOptions): Promise<void>;
  /**
   * Resolves with the records of that name, one for each version, or with an empty list. Errors: `invalid`,
   * `unavailable`, `unauthorized`, `closed`.
   */
  getService(name: string, options?: LookupOptions): Promise<readonly ServiceRecord[]>;
  /** Resolves with every record, one for each name and version. Errors: `unavailable`, `unauthorized`, `closed`. */
  listServices(options?: AbortOptions): Promise<readonly ServiceRecord[]>;
  /**
   * Follows changes. Resolves once none is missed any more. Errors: `unsupported`, `unavailable`, `unauthorized`,
   * `closed`.
   */
  watch(options?: WatchOptions): Promise<Watcher>;
}

/**
 * Gives the changes of services, one for each `receive`, in order.
 *
 * Contract:
 * - the first event is a `resync` with the records as known
 * - a new version is a `create`, a changed one an `update`, a gone one a `delete`, in order
 * - a node that joins or leaves a version that stays is an `update`
 * - a lease that runs out is announced
 * - registering again without a change is not announced
 * - a watcher of one service hears only of that service
 * - a change made right after `watch` has resolved is announced
 * - a change made while `watch` is under way is in the `resync` or announced
 * - every watcher gets every change
 * - closing a watcher ends a pending wait
 * - an aborted `receive` loses no event
 * - closing a registry ends its watchers
 * - a watcher that nobody reads does not delay another
 * - where more events wait than a watcher holds, one `resync` takes the place of all of them
 */
export interface Watcher extends Closable, AsyncIterable<RegistryEvent> {
  /** Resolves with the next change, or with `undefined` where the watcher is closed meanwhile. Errors: `closed`. */
  receive(options?: AbortOptions): Promise<RegistryEvent | undefined>;
}
