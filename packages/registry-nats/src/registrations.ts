import type { Logger, ServiceRecord } from '@ts-micro/core';
import type { NatsConnection, NatsMessage } from '@ts-micro/nats';
import { type Lease, LeaseTable } from './lease-table.ts';
import { leaseHeaders } from './peer-headers.ts';
import { decodeQuestion } from './record-decoding.ts';
import { encodeAnswer, encodeCreate, encodeDelete } from './record-encoding.ts';

export interface RegistrationsOptions {
  /** The lease that is told of nodes registered without one. */
  readonly defaultLeaseMs: number;
  readonly logger: Logger;
  /** Tells every watcher; may throw. */
  readonly announce: (name: string, data: Uint8Array, leasesMs?: readonly number[]) => void;
  /** Nothing of that name is registered any more. */
  readonly onGone: (name: string) => void;
  /** Told when a lease runs out. */
  readonly onExpiry: (time: number) => void;
}

/** What is registered in this process: it answers for it, announces it again before its leases run out elsewhere, and forgets what is not renewed. */
export class Registrations {
  readonly #options: RegistrationsOptions;
  readonly #table = new LeaseTable();
  // A record in a table never changes, so its bytes need encoding once however often it is asked for.
  readonly #answers = new WeakMap<ServiceRecord, Uint8Array>();
  #renewal: NodeJS.Timeout | undefined;

  constructor(options: RegistrationsOptions) {
    this.#options = options;
  }

  records(): ServiceRecord[] {
    return this.#table.records();
  }

  /** Whether anything of that name is registered. */
  has(name: string): boolean {
    return this.#table.recordsOf(name).length > 0;
  }

  /** Announces the record as it is. Throws where that cannot be. */
  announce(record: ServiceRecord, ttlMs: number | undefined): void {
    this.#options.announce(record.name, encodeCreate(record), [this.#lease(ttlMs).lengthMs]);
  }

  put(record: ServiceRecord, ttlMs: number | undefined): void {
    const lease = this.#lease(ttlMs);
    this.#table.put(record, [lease]);
    this.#options.onExpiry(lease.expiresAt);
    if (ttlMs === undefined) this.#keepRenewing();
  }

  /** Prolongs the leases of what is registered already. */
  renew(record: ServiceRecord, ttlMs: number | undefined): void {
    this.#table.renew(record, [this.#lease(ttlMs)]);
  }

  /** Removes the record's nodes and says whether that is to be announced. */
  remove(record: ServiceRecord): boolean {
    const present = this.#table.get(record.name, record.version);
    // To a Go peer a record without nodes means all of them; that may be said only where there never were any.
    if (record.nodes.length === 0 && present?.nodes.length !== 0) return false;
    this.#table.remove(record);
    this.#checkGone(record.name);
    return true;
  }

  /** Forgets what is due. Returns when to look again. */
  expire(now: number): number {
    for (const { service } of this.#table.expire(now)) {
      this.#tryAnnounce(service, encodeDelete(service));
      this.#checkGone(service.name);
    }
    return this.#table.nextExpiry();
  }

  /** After an outage, in which announcements were lost and leases elsewhere ran on. */
  announceAll(): void {
    for (const record of this.records()) this.#announceAgain(record);
  }

  /** Answers a query, with one message for each version record. Throws `malformed`. */
  answer(message: NatsMessage, connection: NatsConnection): void {
    const { reply } = message;
    const question = decodeQuestion(message.data);
    if (question === undefined || reply === undefined) return;
    const records = question.action === 'list' ? this.#table.records() : this.#table.recordsOf(question.name);
    for (const record of records) {
      const data = this.#answers.get(record) ?? encodeAnswer(record);
      this.#answers.set(record, data);
      try {
        connection.publish(reply, data, { headers: leaseHeaders(this.#leasesMs(record)) });
      } catch (error) {
        this.#options.logger.warn('answer not sent', { service: record.name, error });
      }
    }
  }

  stop(): void {
    clearInterval(this.#renewal);
  }

  #checkGone(name: string): void {
    if (!this.has(name)) this.#options.onGone(name);
  }

  #lease(ttlMs: number | undefined): Lease {
    return {
      lengthMs: ttlMs ?? this.#options.defaultLeaseMs,
      expiresAt: ttlMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + ttlMs,
      isStated: true,
    };
  }

  #leasesMs(record: ServiceRecord): number[] {
    return this.#table.leasesOf(record).map((lease) => lease.lengthMs);
  }

  /** For what was registered without a lease: nobody elsewhere keeps a node for ever. */
  #keepRenewing(): void {
    if (this.#renewal !== undefined) return;
    this.#renewal = setInterval(() => {
      for (const record of this.records()) {
        const isEndless = ({ expiresAt }: Lease) => expiresAt === Number.POSITIVE_INFINITY;
        if (this.#table.leasesOf(record).some(isEndless)) this.#announceAgain(record);
      }
    }, this.#options.defaultLeaseMs / 3);
    this.#renewal.unref();
  }

  #announceAgain(record: ServiceRecord): void {
    this.#tryAnnounce(record, encodeCreate(record), this.#leasesMs(record));
  }

  /** For announcements that nobody waits for; one that is lost to an outage is made good after it. */
  #tryAnnounce({ name }: ServiceRecord, data: Uint8Array, leasesMs?: readonly number[]): void {
    try {
      this.#options.announce(name, data, leasesMs);
    } catch (error) {
      this.#options.logger.debug('announcement not sent', { service: name, error });
    }
  }
}
