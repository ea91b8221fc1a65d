import {
  type AbortOptions,
  type LookupOptions,
  MicroError,
  type RegisterOptions,
  type Registry,
  type RegistryFeatures,
  type ServiceRecord,
  serviceRecord,
  type Watcher,
  type WatchOptions,
} from '@ts-micro/core';
import { bounded } from '../../lifecycle/bounded.ts';
import { closeAll } from '../../lifecycle/close-all.ts';
import { Lifetime } from '../../lifecycle/lifetime.ts';
import { FollowingWatcher } from '../following-watcher.ts';
import { LeaseTable } from '../lease-table.ts';
import { checkServiceName, checkTtl } from '../registry-rules.ts';
import { NodeRegistrations } from './node-registrations.ts';
import type { NodeChange, NodeStore } from './node-store.ts';

export interface NodeRegistryOptions {
  /** Names it in flags and node metadata: `redis`. */
  readonly name: string;
  readonly store: NodeStore;
  /** How long closing waits for the store to take away what was registered here, in milliseconds. @default 5000 */
  readonly closeTimeoutMs?: number | undefined;
}

const retryMs = 500;

/**
 * A whole {@link Registry} over a backend that holds nodes with leases for all instances. A node belongs to the
 * instance that registered it last; where the nodes of a version were registered with different metadata or endpoints,
 * it has those that changed last.
 */
export class NodeRegistry implements Registry {
  readonly name: string;
  readonly supports: RegistryFeatures = Object.freeze({ ttl: true, watch: true });
  readonly #who: string;
  readonly #store: NodeStore;
  readonly #closeTimeoutMs: number;
  readonly #registrations: NodeRegistrations;
  readonly #watchers = new Set<FollowingWatcher>();
  /** The moment that a table was read at. */
  readonly #revisions = new WeakMap<LeaseTable, number>();
  readonly #lifetime: Lifetime;
  #retry: ReturnType<typeof setTimeout> | undefined;

  constructor({ name, store, closeTimeoutMs = 5000 }: NodeRegistryOptions) {
    this.name = name;
    this.#who = `${name} registry`;
    this.#store = store;
    this.#registrations = new NodeRegistrations(store);
    this.#closeTimeoutMs = closeTimeoutMs;
    this.#lifetime = new Lifetime(this.#who, (options) => this.#release(options));
  }

  async register(service: ServiceRecord, options: RegisterOptions = {}): Promise<void> {
    this.#lifetime.assertOpen(options);
    const record = serviceRecord(service);
    checkTtl(options.ttlMs, this.#who);
    await this.#registrations.put(record, options.ttlMs, options);
    // What is there as it begins to close is taken away by that.
    this.#lifetime.assertOpen();
  }

  async deregister(service: ServiceRecord, options: AbortOptions = {}): Promise<void> {
    this.#lifetime.assertOpen(options);
    await this.#registrations.drop(serviceRecord(service), options);
  }

  async getService(name: string, options: LookupOptions = {}): Promise<readonly ServiceRecord[]> {
    this.#lifetime.assertOpen(options);
    checkServiceName(name, this.#who);
    return (await this.#look(name, options)).list(name);
  }

  async listServices(options: AbortOptions = {}): Promise<readonly ServiceRecord[]> {
    this.#lifetime.assertOpen(options);
    return (await this.#look(undefined, options)).list();
  }

  async watch(options: WatchOptions = {}): Promise<Watcher> {
    this.#lifetime.assertOpen(options);
    const { service } = options;
    if (service !== undefined) checkServiceName(service, this.#who);
    const stop = () => this.#watchers.delete(watcher);
    const watcher: FollowingWatcher = new FollowingWatcher({ what: `${this.#who}: watcher`, service, stop });
    this.#watchers.add(watcher);
    await watcher.load(async () => {
      await this.#store.follow(this.#hear, options);
      return this.#look(service, options, true);
    });
    return watcher;
  }

  /**
   * For its backend, whenever that can be reached again after an outage, and after changes were missed: puts back what
   * was lost, and watchers announce a `resync`. Tried until it succeeds.
   */
  async resume(): Promise<void> {
    clearTimeout(this.#retry);
    try {
      await this.#registrations.restore();
      for (const watcher of this.#watchers) await watcher.load(() => this.#look(watcher.service, {}, true));
    } catch {
      if (!this.#lifetime.isOpen) return;
      clearTimeout(this.#retry);
      this.#retry = setTimeout(() => void this.resume(), retryMs);
      (this.#retry as { unref?(): void }).unref?.();
    }
  }

  get closed(): Promise<MicroError | undefined> {
    return this.#lifetime.closed;
  }

  close(options?: AbortOptions): Promise<void> {
    return this.#lifetime.close(options);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** A table that `lasts` forgets nodes as their leases end. */
  async #look(service: string | undefined, { signal }: AbortOptions, lasts = false): Promise<LeaseTable> {
    const { nodes, revision } = await this.#store.read(service, { signal });
    const table = new LeaseTable();
    for (const { record, leftMs } of nodes) table.put(record, { ttlMs: lasts ? leftMs : undefined });
    if (revision !== undefined) this.#revisions.set(table, revision);
    return table;
  }

  readonly #hear = ({ type, record, ttlMs, revision = Number.POSITIVE_INFINITY }: NodeChange): void => {
    for (const watcher of this.#watchers) {
      if (watcher.service !== undefined && watcher.service !== record.name) continue;
      watcher.follow((table) => {
        // Older than what was read: made again it would undo what came after it.
        if (revision <= (this.#revisions.get(table) ?? -1)) return;
        if (type === 'put') table.put(record, { ttlMs });
        else table.remove(record);
      });
    }
  };

  async #release(options: AbortOptions): Promise<void> {
    clearTimeout(this.#retry);
    try {
      await closeAll(this.#watchers, options);
      const leaving = this.#registrations.leave();
      await bounded(leaving, options, this.#closeTimeoutMs, `${this.#who}: taking away what was registered`);
    } catch (error) {
      // During an outage the nodes go with their leases.
      if (!MicroError.is(error, 'unavailable')) throw error;
    } finally {
      await this.#store.close(options);
    }
  }
}
