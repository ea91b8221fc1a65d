import {
  type AbortOptions,
  type Logger,
  type LookupOptions,
  MicroError,
  type RegisterOptions,
  type Registry,
  type RegistryFeatures,
  type ServiceRecord,
  serviceRecord,
  silentLogger,
  type Watcher,
  type WatchOptions,
} from '@ts-micro/core';
import { bounded } from '../lifecycle/bounded.ts';
import { closeAll } from '../lifecycle/close-all.ts';
import { Lifetime } from '../lifecycle/lifetime.ts';
import { RateLimitedLogger } from '../lifecycle/rate-limited-logger.ts';
import { FollowingWatcher } from './following-watcher.ts';
import type { LeaseTable } from './lease-table.ts';
import { checkServiceName, checkTtl } from './registry-rules.ts';
import type { RegistryStore } from './registry-store.ts';
import { StoreRegistrations } from './store-registrations.ts';
import { parseNodes, staleFields, tableOf } from './stored-node.ts';

export interface StoreRegistryOptions {
  /** Names it in flags and node metadata: `redis`. */
  readonly name: string;
  readonly store: RegistryStore;
  /** How long closing waits for the store to take away what was registered here, in milliseconds. @default 5000 */
  readonly closeTimeoutMs?: number | undefined;
  /** Told of messages that are none of a registry's. @default silent */
  readonly logger?: Logger | undefined;
}

const retryMs = 500;

/**
 * A whole {@link Registry} over a store that all instances share. Leases run on the store's clock. A node belongs to
 * the instance that registered it last; where the nodes of a version were registered with different metadata or
 * endpoints, it has those that changed last.
 */
export class StoreRegistry implements Registry {
  readonly name: string;
  readonly supports: RegistryFeatures = Object.freeze({ ttl: true, watch: true });
  readonly #who: string;
  readonly #store: RegistryStore;
  readonly #closeTimeoutMs: number;
  readonly #logger: RateLimitedLogger;
  readonly #registrations: StoreRegistrations;
  readonly #watchers = new Set<FollowingWatcher>();
  readonly #lifetime: Lifetime;
  #retry: ReturnType<typeof setTimeout> | undefined;

  constructor({ name, store, closeTimeoutMs = 5000, logger = silentLogger }: StoreRegistryOptions) {
    this.name = name;
    this.#who = `${name} registry`;
    this.#store = store;
    this.#registrations = new StoreRegistrations(store, () => this.#lifetime.assertOpen());
    this.#closeTimeoutMs = closeTimeoutMs;
    this.#logger = new RateLimitedLogger(logger);
    this.#lifetime = new Lifetime(this.#who, (options) => this.#release(options));
  }

  async register(service: ServiceRecord, options: RegisterOptions = {}): Promise<void> {
    this.#lifetime.assertOpen(options);
    const record = serviceRecord(service);
    checkTtl(options.ttlMs, this.#who);
    await this.#registrations.put(record, options.ttlMs, options);
  }

  async deregister(service: ServiceRecord, options: AbortOptions = {}): Promise<void> {
    this.#lifetime.assertOpen(options);
    await this.#registrations.drop(serviceRecord(service), options);
  }

  async getService(name: string, options: LookupOptions = {}): Promise<readonly ServiceRecord[]> {
    this.#lifetime.assertOpen(options);
    checkServiceName(name, this.#who);
    return (await this.#look(options)).list(name);
  }

  async listServices(options: AbortOptions = {}): Promise<readonly ServiceRecord[]> {
    this.#lifetime.assertOpen(options);
    return (await this.#look(options)).list();
  }

  async watch(options: WatchOptions = {}): Promise<Watcher> {
    this.#lifetime.assertOpen(options);
    const { service } = options;
    if (service !== undefined) checkServiceName(service, this.#who);
    const stop = () => this.#watchers.delete(watcher);
    const watcher: FollowingWatcher = new FollowingWatcher({ what: `${this.#who}: watcher`, service, stop });
    this.#watchers.add(watcher);
    await watcher.load(async () => {
      await this.#store.subscribe(this.#hear, options);
      return this.#look(options, true);
    });
    return watcher;
  }

  /**
   * For its backend, whenever that can be reached again after an outage: puts back what was lost, and watchers
   * announce a `resync`. Tried until it succeeds.
   */
  async resume(): Promise<void> {
    clearTimeout(this.#retry);
    try {
      await this.#registrations.restore();
      for (const watcher of this.#watchers) await watcher.load(() => this.#look({}, true));
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

  async #look({ signal }: AbortOptions, lasts = false): Promise<LeaseTable> {
    const [texts, now] = await Promise.all([this.#store.read({ signal }), this.#store.now({ signal })]);
    const nodes = parseNodes(Object.values(texts));
    const stale = staleFields(nodes, now);
    if (stale.length > 0) await this.#store.remove(stale, { signal });
    return tableOf(nodes, now, lasts);
  }

  readonly #hear = (text: string): void => {
    try {
      const { put, ttlMs, drop } = JSON.parse(text);
      const record = serviceRecord(put ?? drop);
      checkTtl(ttlMs, this.#who);
      for (const watcher of this.#watchers)
        watcher.follow((table) => (put ? table.put(record, { ttlMs }) : table.remove(record)));
    } catch (error) {
      this.#logger.warn(`${this.#who}: malformed message ignored`, { error });
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
      this.#logger.end();
    }
  }
}
