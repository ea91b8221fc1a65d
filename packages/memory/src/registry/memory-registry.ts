import {
  type AbortOptions,
  type Closable,
  type LookupOptions,
  type MicroError,
  type RegisterOptions,
  type Registry,
  type RegistryFeatures,
  type ServiceRecord,
  serviceRecord,
  type Watcher,
  type WatchOptions,
} from '@ts-micro/core';
import { checkServiceName, checkTtl, closeAll, Lifetime, RecordWatcher } from '@ts-micro/kit';
import { checkCount } from '../check-count.ts';
import { type MemoryNetwork, networkOf } from '../memory-network.ts';
import type { Network } from '../network.ts';

export interface MemoryRegistryOptions {
  /** The network on which it meets others. @default the one network that everybody in this process shares */
  readonly network?: MemoryNetwork | undefined;
  /** Events that may wait to be received from a watcher; beyond, one `resync` takes their place. @default 10000 */
  readonly maxQueuedEvents?: number | undefined;
}

const who = 'memory registry';

/**
 * Service discovery inside one process: the reference for the contract of {@link Registry}.
 *
 * A version whose nodes have different metadata or endpoints has those that changed last.
 * Errors: `invalid` for an option.
 */
export function memoryRegistry(options: MemoryRegistryOptions = {}): Registry {
  return new MemoryRegistry(options);
}

class MemoryRegistry implements Registry {
  readonly name = 'memory';
  readonly supports: RegistryFeatures = Object.freeze({ ttl: true, watch: true });
  readonly #network: Network;
  readonly #maxQueuedEvents: number;
  readonly #watchers = new Set<Closable>();
  readonly #lifetime: Lifetime = new Lifetime(who, (options) => this.#release(options));

  constructor({ network, maxQueuedEvents = 10_000 }: MemoryRegistryOptions) {
    checkCount(maxQueuedEvents, `${who}: maxQueuedEvents`);
    this.#network = networkOf(network, who);
    this.#maxQueuedEvents = maxQueuedEvents;
  }

  async register(service: ServiceRecord, options?: RegisterOptions): Promise<void> {
    this.#lifetime.assertOpen(options);
    const record = serviceRecord(service);
    const { ttlMs } = options ?? {};
    checkTtl(ttlMs, who);
    this.#network.assertReachable(who);
    await this.#network.later(() => this.#network.services.put(record, { ttlMs, owner: this }));
  }

  async deregister(service: ServiceRecord, options?: AbortOptions): Promise<void> {
    this.#lifetime.assertOpen(options);
    const record = serviceRecord(service);
    this.#network.assertReachable(who);
    await this.#network.later(() => this.#network.services.remove(record));
  }

  async getService(name: string, options?: LookupOptions): Promise<readonly ServiceRecord[]> {
    this.#lifetime.assertOpen(options);
    checkServiceName(name, who);
    this.#network.assertReachable(who);
    return this.#network.later(() => this.#network.services.list(name));
  }

  async listServices(options?: AbortOptions): Promise<readonly ServiceRecord[]> {
    this.#lifetime.assertOpen(options);
    this.#network.assertReachable(who);
    return this.#network.later(() => this.#network.services.list());
  }

  async watch(options: WatchOptions = {}): Promise<Watcher> {
    this.#lifetime.assertOpen(options);
    const { service } = options;
    if (service !== undefined) checkServiceName(service, who);
    this.#network.assertReachable(who);
    const { services } = this.#network;
    const watcher: RecordWatcher = new RecordWatcher({
      what: `${who}: watcher`,
      service,
      known: () => services.records(service),
      stop: () => services.unwatch(watcher),
      limit: this.#maxQueuedEvents,
    });
    services.watch(watcher);
    this.#watchers.add(watcher);
    void watcher.closed.then(() => this.#watchers.delete(watcher));
    return watcher;
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

  async #release(options: AbortOptions): Promise<void> {
    await closeAll(this.#watchers, options);
    // In its turn, so that a registration under way is removed too.
    await this.#network.later(() => this.#network.services.removeOwned(this));
  }
}
