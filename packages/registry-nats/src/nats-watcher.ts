import {
  type AbortOptions,
  type Logger,
  type MicroError,
  type RegistryEvent,
  serviceRecord,
  type Watcher,
} from '@ts-micro/core';
import { Lifetime, Mailbox } from '@ts-micro/kit';
import { type Change, type Lease, LeaseTable } from './lease-table.ts';
import type { Answer } from './query.ts';
import type { Announcement } from './record-decoding.ts';

export interface NatsWatcherOptions {
  /** Only this service. */
  readonly service: string | undefined;
  /** The lease of a node whose peer named none. */
  readonly defaultLeaseMs: number;
  readonly logger: Logger;
  /** Asks everybody for what is watched. */
  readonly query: (options: AbortOptions) => Promise<readonly Answer[]>;
  /** Told when a lease runs out. */
  readonly onExpiry: (time: number) => void;
  readonly onClose: () => void;
}

/** An announcement and the leases it stated. */
export type LeasedAnnouncement = Announcement & { readonly leasesMs: readonly number[] | undefined };

const mailboxLimit = 1000;
const retryMs = 1000;
// Time for the others to reconnect as well and to be heard of: Go Micro's client waits 2 s between attempts.
const doubtMs = 5000;

/**
 * What one watcher knows, and the changes to it.
 *
 * It knows from announcements and, at first and after a gap, from asking everybody. While it asks, announcements wait: an answer may
 * be older than an announcement that came in before it.
 */
export class NatsWatcher implements Watcher {
  readonly service: string | undefined;
  readonly #options: NatsWatcherOptions;
  readonly #known = new LeaseTable();
  readonly #mailbox = new Mailbox<RegistryEvent>('nats registry: watcher', mailboxLimit);
  readonly #lifetime = new Lifetime('nats registry: watcher', () => this.#release());
  readonly #ended = new AbortController();
  /** Announcements that came in while asking; undefined while it does not. */
  #waiting: LeasedAnnouncement[] | undefined = [];
  #hasGap = false;
  #hasDoubt = false;
  #hasOverflowed = false;
  #retry: NodeJS.Timeout | undefined;

  constructor(options: NatsWatcherOptions) {
    this.#options = options;
    this.service = options.service;
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

  /** Ends it because of `cause`, which a pending wait rejects with. */
  fail(cause: MicroError): void {
    void this.#lifetime.fail(cause);
  }

  async receive(options?: AbortOptions): Promise<RegistryEvent | undefined> {
    this.#lifetime.assertOpen(options);
    return this.#next(options);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<RegistryEvent, void, undefined> {
    for (let event = await this.#next(); event !== undefined; event = await this.#next()) yield event;
  }

  /** Asks for the first time; the first event is there once this resolves. */
  async start(options: AbortOptions): Promise<void> {
    this.#learn(await this.#options.query(options), true);
    if (this.#hasGap) void this.#ask();
  }

  /** Takes what a peer announced. */
  take(announcement: LeasedAnnouncement): void {
    if (this.#waiting) this.#waiting.push(announcement);
    else this.#tell(this.#apply(announcement));
  }

  /** Asks again because announcements may have been missed, until that succeeds. */
  resync(): void {
    this.#hasGap = true;
    void this.#ask();
  }

  /** Gives up the nodes that are due; where the lease was a guess only after asking. Returns when to look again. */
  expire(now: number): number {
    // What is waiting may renew a lease.
    if (this.#waiting) return Number.POSITIVE_INFINITY;
    for (const { change } of this.#known.expire(now, { withGuessed: false })) this.#tell(change);
    const next = this.#known.nextExpiry();
    if (next > now) return next;
    this.#hasDoubt = true;
    void this.#ask();
    return Number.POSITIVE_INFINITY;
  }

  async #ask(): Promise<void> {
    clearTimeout(this.#retry);
    while ((this.#hasGap || this.#hasDoubt) && this.#waiting === undefined && this.#lifetime.isOpen) {
      const isGap = this.#hasGap;
      this.#hasGap = false;
      this.#hasDoubt = false;
      this.#waiting = [];
      try {
        this.#learn(await this.#options.query({ signal: this.#ended.signal }), isGap);
      } catch (error) {
        this.#hasGap ||= isGap;
        this.#hasDoubt = true;
        for (const announcement of this.#endWaiting()) this.#tell(this.#apply(announcement));
        this.#retryLater(error);
        return;
      }
    }
  }

  #retryLater(error: unknown): void {
    if (!this.#lifetime.isOpen) return;
    this.#options.logger.debug('watcher could not ask, trying again', { service: this.service, error });
    this.#retry = setTimeout(() => void this.#ask(), retryMs);
    this.#retry.unref();
  }

  #learn(answers: readonly Answer[], isGap: boolean): void {
    const now = performance.now();
    // Who does not answer right after an outage may just not be back yet.
    if (isGap) this.#known.doubt(now + doubtMs);
    const changes = [
      ...answers.map((answer) => this.#known.put(answer.service, this.#leases(answer, now))),
      ...this.#endWaiting().map((announcement) => this.#apply(announcement)),
    ];
    if (isGap) {
      this.#push(() => this.#everything());
    } else {
      changes.push(...this.#known.expire(now).map((expired) => expired.change));
      for (const change of changes) this.#tell(change);
    }
    this.#options.onExpiry(this.#known.nextExpiry());
  }

  #endWaiting(): readonly LeasedAnnouncement[] {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    return waiting;
  }

  #apply(announcement: LeasedAnnouncement): Change | undefined {
    if (announcement.action === 'delete') return this.#known.remove(announcement.service);
    // Whatever else a Go service is configured to call it, it tells what it has.
    const leases = this.#leases(announcement, performance.now());
    const change = this.#known.put(announcement.service, leases);
    for (const lease of leases) this.#options.onExpiry(lease.expiresAt);
    return change;
  }

  #leases({ leasesMs }: Pick<Answer, 'leasesMs'>, now: number): Lease[] {
    const isStated = leasesMs !== undefined;
    return (leasesMs ?? [this.#options.defaultLeaseMs]).map((lengthMs) => ({
      lengthMs,
      expiresAt: now + lengthMs,
      isStated,
    }));
  }

  #tell(change: Change | undefined): void {
    if (change) this.#push(() => ({ type: change.type, service: serviceRecord(change.service) }));
  }

  /** Where nobody reads, changes stop being kept one by one: a `resync` stands for those that did not fit. */
  #push(copy: () => RegistryEvent): void {
    this.#hasOverflowed ||= !this.#mailbox.push(copy());
  }

  #next(options?: AbortOptions): Promise<RegistryEvent | undefined> {
    if (!this.#hasOverflowed || this.#mailbox.size > 0 || options?.signal?.aborted) return this.#mailbox.pull(options);
    this.#hasOverflowed = false;
    return Promise.resolve(this.#everything());
  }

  #everything(): RegistryEvent {
    return { type: 'resync', services: this.#known.records().map(serviceRecord) };
  }

  #release(): void {
    clearTimeout(this.#retry);
    this.#ended.abort();
    this.#hasOverflowed = false;
    this.#mailbox.end(this.#lifetime.cause, { drop: true });
    this.#options.onClose();
  }
}
