import {
  type AbortOptions,
  type MicroError,
  type RegistryEvent,
  type ServiceRecord,
  serviceRecord,
  type Watcher,
} from '@ts-micro/core';
import { Lifetime } from '../lifecycle/lifetime.ts';
import { Mailbox } from '../lifecycle/mailbox.ts';

export interface RecordWatcherOptions {
  /** Begins every message: `redis registry: watcher`. */
  readonly what: string;
  /** Only this service. @default every service */
  readonly service?: string | undefined;
  /** What the backend knows now of what is watched: the content of a `resync`. */
  readonly known: () => readonly ServiceRecord[];
  /** Ends the backend's work for it. */
  readonly stop: () => unknown;
  /** Events that may wait to be received; beyond, one `resync` takes their place. @default 10000 */
  readonly limit?: number | undefined;
}

/** A whole {@link Watcher}: the backend tells it what changes, and {@link resync} at first and after every gap. */
export class RecordWatcher implements Watcher {
  readonly #options: RecordWatcherOptions;
  readonly #lifetime: Lifetime;
  #events: Mailbox<RegistryEvent>;

  constructor(options: RecordWatcherOptions) {
    this.#options = options;
    this.#lifetime = new Lifetime(options.what, () => this.#release());
    this.#events = this.#mailbox();
  }

  /** Announces a change, where it is one of the service that is watched. */
  tell(type: 'create' | 'update' | 'delete', service: ServiceRecord): void {
    const wanted = this.#options.service;
    if (wanted === undefined || wanted === service.name) this.#push({ type, service: serviceRecord(service) });
  }

  /** Announces what is known now. */
  resync(): void {
    this.#push({ type: 'resync', services: this.#options.known().map(serviceRecord) });
  }

  /** Ends it because of `cause`, which a pending wait rejects with. */
  fail(cause: MicroError): Promise<void> {
    return this.#lifetime.fail(cause);
  }

  async receive(options?: AbortOptions): Promise<RegistryEvent | undefined> {
    this.#lifetime.assertOpen(options);
    return this.#events.pull(options);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<RegistryEvent, void, undefined> {
    for (let event = await this.#events.pull(); event; event = await this.#events.pull()) yield event;
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
    if (!this.#lifetime.isOpen || this.#events.push(event)) return;
    this.#events = this.#mailbox();
    this.resync();
  }

  #mailbox(): Mailbox<RegistryEvent> {
    return new Mailbox(this.#options.what, this.#options.limit ?? 10_000);
  }

  async #release(): Promise<void> {
    this.#events.end(this.#lifetime.cause, { drop: true });
    await this.#options.stop();
  }
}
