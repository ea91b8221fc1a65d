import {
  type AbortOptions,
  Lifetime,
  Mailbox,
  type MicroError,
  type RegistryEvent,
  type ServiceRecord,
  serviceRecord,
  type Watcher,
} from '@ts-micro/core';
import type { ServiceTable } from './service-table.ts';

const who = 'memory registry: watcher';

export class MemoryWatcher implements Watcher {
  readonly #table: ServiceTable;
  readonly #service: string | undefined;
  readonly #maxQueuedEvents: number;
  readonly #lifetime: Lifetime = new Lifetime(who, () => this.#release());
  #mailbox: Mailbox<RegistryEvent>;

  /** Watches one service, or all. */
  constructor(table: ServiceTable, service: string | undefined, maxQueuedEvents: number) {
    this.#table = table;
    this.#service = service;
    this.#maxQueuedEvents = maxQueuedEvents;
    this.#mailbox = new Mailbox(who, maxQueuedEvents);
    table.watch(this);
  }

  /** Queues a change, where it concerns this watcher. */
  tell(type: 'create' | 'update' | 'delete', service: ServiceRecord): void {
    if (this.#service !== undefined && this.#service !== service.name) return;
    this.#push({ type, service: serviceRecord(service) });
  }

  /** Queues what is there now. */
  resync(): void {
    this.#push({ type: 'resync', services: this.#table.list(this.#service) });
  }

  async receive(options?: AbortOptions): Promise<RegistryEvent | undefined> {
    this.#lifetime.assertOpen(options);
    return this.#mailbox.pull(options);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<RegistryEvent, void, undefined> {
    for (let event = await this.#mailbox.pull(); event; event = await this.#mailbox.pull()) yield event;
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

  // Where nobody reads, what waits gives way to one `resync`, which says as much. Nobody waits on a full mailbox, so it can be replaced.
  #push(event: RegistryEvent): void {
    if (this.#mailbox.push(event)) return;
    this.#mailbox = new Mailbox(who, this.#maxQueuedEvents);
    this.resync();
  }

  #release(): void {
    this.#table.unwatch(this);
    this.#mailbox.end(undefined, { drop: true });
  }
}
