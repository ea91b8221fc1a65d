import {
  type AbortOptions,
  type MicroError,
  type RegistryEvent,
  type ServiceRecord,
  serviceRecord,
  type Watcher,
} from '@ts-micro/core';
import { ClosableBase } from '../lifecycle/closable-base.ts';
import { isTurnOver, nextTurnOfLoop } from '../lifecycle/event-loop.ts';
import { Mailbox } from '../lifecycle/mailbox.ts';
import { pause } from '../lifecycle/timers.ts';
import { recordBytes } from './record-size.ts';

export interface RecordWatcherOptions {
  /** Begins every message: `redis registry: watcher`. */
  readonly what: string;
  /** Only this service. @default every service */
  readonly service?: string | undefined;
  /**
   * Returns the records that are watched as the backend knows them now: the content of a `resync`. They are not changed
   * afterwards.
   */
  readonly known: () => readonly ServiceRecord[];
  /** Ends the backend's work for it. */
  readonly stop: () => unknown;
  /** Events that may wait to be received; beyond, one `resync` takes their place. @default 10000 */
  readonly limit?: number | undefined;
  /** The memory that they may take when they are received, in bytes, roughly; beyond, the same. @default 16 MiB */
  readonly limitBytes?: number | undefined;
}

/**
 * An event before it is copied for who receives it. A `resync` without records tells what is known when it is
 * received.
 */
interface Waiting {
  readonly type: RegistryEvent['type'];
  readonly services?: readonly ServiceRecord[] | undefined;
  readonly bytes: number;
}

const costlyMs = 1;
const restPerCopy = 20;
const longestRestMs = 250;

/**
 * A whole {@link Watcher}: the backend tells it what changes, and {@link resync} at first and after every gap.
 *
 * It holds the records it is told and copies them when they are received, so none may be changed afterwards. Where
 * more waits than it holds, one `resync` takes the place of all that waited; it tells what is known when it is
 * received, so until then nothing more waits.
 */
export class RecordWatcher extends ClosableBase implements Watcher {
  /** The one service that it watches, or every one. */
  readonly service: string | undefined;
  readonly #options: RecordWatcherOptions;
  #waiting: Mailbox<Waiting>;
  #bytes = 0;
  /** Whether the `resync` that stands for everything waits. */
  #isBehind = false;
  /** How long it took to copy the last event. */
  #copyMs = 0;

  constructor(options: RecordWatcherOptions) {
    super(options.what);
    this.service = options.service;
    this.#options = options;
    this.#waiting = this.#mailbox();
  }

  /**
   * Whether a change of that service would be announced: it is watched, and no `resync` that will tell it waits
   * already.
   */
  wants(name: string): boolean {
    return this.lifetime.isOpen && !this.#isBehind && (this.service === undefined || this.service === name);
  }

  /**
   * Announces a change, where it is one of the service that is watched. `bytes` is the memory that the event takes.
   */
  tell(type: 'create' | 'update' | 'delete', service: ServiceRecord, bytes: number = recordBytes(service)): void {
    if (this.wants(service.name)) this.#push({ type, services: [service], bytes });
  }

  /** Announces what is known now. */
  resync(): void {
    if (!this.lifetime.isOpen || this.#isBehind) return;
    const services = this.#options.known();
    this.#push({ type: 'resync', services, bytes: 64 * services.length });
  }

  /** Ends it because of `cause`, which a pending wait rejects with. */
  fail(cause: MicroError): Promise<void> {
    return this.lifetime.fail(cause);
  }

  async receive(options?: AbortOptions): Promise<RegistryEvent | undefined> {
    this.lifetime.assertOpen(options);
    return this.#next(options);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<RegistryEvent, void, undefined> {
    for (let event = await this.#next(); event; event = await this.#next()) yield event;
  }

  #push(event: Waiting): void {
    const { limitBytes = 2 ** 24 } = this.#options;
    // One event is held however large it is.
    const hasRoom = this.#waiting.size === 0 || this.#bytes + event.bytes <= limitBytes;
    if (hasRoom && this.#waiting.push(event)) {
      this.#bytes += event.bytes;
      return;
    }
    // Nobody waits where events do, so the mailbox can be replaced.
    this.#waiting = this.#mailbox();
    this.#waiting.push({ type: 'resync', bytes: 0 });
    this.#bytes = 0;
    this.#isBehind = true;
  }

  async #next(options?: AbortOptions): Promise<RegistryEvent | undefined> {
    // Copying large records one after the other, for who reads them all, must not keep everything else waiting.
    if (isTurnOver()) await nextTurnOfLoop();
    // Where changes of large versions come without end, reading them is to leave the process most of its time.
    if (this.#copyMs >= costlyMs && this.#waiting.size > 0)
      await pause(Math.min(this.#copyMs * restPerCopy, longestRestMs), options);
    const next = await this.#waiting.pull(options);
    if (next === undefined) return undefined;
    const beganAt = performance.now();
    const event = this.#copyOf(next);
    this.#copyMs = performance.now() - beganAt;
    return event;
  }

  #copyOf({ type, services, bytes }: Waiting): RegistryEvent | undefined {
    this.#bytes = Math.max(this.#bytes - bytes, 0);
    const [service] = services ?? [];
    if (type !== 'resync') return service && { type, service: serviceRecord(service) };
    if (services === undefined) this.#isBehind = false;
    return { type, services: (services ?? this.#options.known()).map(serviceRecord) };
  }

  #mailbox(): Mailbox<Waiting> {
    return new Mailbox(this.#options.what, this.#options.limit ?? 10_000);
  }

  protected async release(): Promise<void> {
    this.#waiting.end(this.lifetime.cause, { drop: true });
    await this.#options.stop();
  }
}
