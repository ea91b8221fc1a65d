import type { AbortOptions, Closable, RegisterOptions, Registry, ServiceRecord, Watcher } from '@ts-micro/core';
import { closeAll, OptionChecks, type OptionNames, RecordWatcher, RegistryBase } from '@ts-micro/kit';
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
const optionNames: OptionNames<MemoryRegistryOptions> = {
  network: true,
  maxQueuedEvents: true,
};

/**
 * Service discovery inside one process: the reference for the contract of {@link Registry}.
 *
 * A version whose nodes have different metadata or endpoints has those that changed last.
 * Errors: `invalid` for an option.
 */
export function memoryRegistry(options: MemoryRegistryOptions = {}): Registry {
  new OptionChecks(who).named(options, optionNames);
  return new MemoryRegistry(options);
}

class MemoryRegistry extends RegistryBase {
  readonly name = 'memory';
  readonly #network: Network;
  readonly #maxQueuedEvents: number;
  readonly #watchers = new Set<Closable>();

  constructor({ network, maxQueuedEvents = 10_000 }: MemoryRegistryOptions) {
    super(who);
    checkCount(maxQueuedEvents, `${who}: maxQueuedEvents`);
    this.#network = networkOf(network, who);
    this.#maxQueuedEvents = maxQueuedEvents;
  }

  protected async put(record: ServiceRecord, { ttlMs }: RegisterOptions): Promise<void> {
    this.#network.assertReachable(who);
    await this.#network.later(() => this.#network.services.put(record, { ttlMs, owner: this }));
  }

  protected async remove(record: ServiceRecord): Promise<void> {
    this.#network.assertReachable(who);
    await this.#network.later(() => this.#network.services.remove(record));
  }

  protected async look(name: string | undefined): Promise<readonly ServiceRecord[]> {
    this.#network.assertReachable(who);
    return this.#network.later(() => this.#network.services.list(name));
  }

  protected async follow(service: string | undefined): Promise<Watcher> {
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

  protected async release(options: AbortOptions): Promise<void> {
    await closeAll(this.#watchers, options);
    // In its turn, so that a registration under way is removed too.
    await this.#network.later(() => this.#network.services.removeOwned(this));
  }
}
