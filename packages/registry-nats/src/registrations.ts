import type { Logger, ServiceRecord } from '@ts-micro/core';
import { LeaseTable } from '@ts-micro/kit';
import type { NatsConnection } from '@ts-micro/nats';
import { encodeAnswer, encodeCreate, encodeDelete, type Question } from './wire/messages.ts';
import { leaseHeaders } from './wire/peer-headers.ts';

export interface RegistrationsOptions {
  /** The lease that is told of nodes registered without one. */
  readonly defaultLeaseMs: number;
  readonly logger: Logger;
  /** Tells every watcher; may throw. */
  readonly announce: (name: string, data: Uint8Array, leasesMs?: readonly number[]) => void;
  /** Nothing of that name is registered any more. */
  readonly onGone: (name: string) => void;
}

/** What went to the reply subject of a question. */
export interface Answered {
  readonly messages: number;
  readonly bytes: number;
}

/**
 * The registrations of this process: it answers for it, announces it again before its leases run out elsewhere, and
 * forgets what is not renewed.
 */
export class Registrations {
  readonly #options: RegistrationsOptions;
  readonly #table: LeaseTable = new LeaseTable({ onDue: (now) => this.#expire(now) });
  // A record of the table never changes, so it is encoded once however often it is asked for.
  readonly #answers = new WeakMap<ServiceRecord, Uint8Array>();
  #renewal: NodeJS.Timeout | undefined;

  constructor(options: RegistrationsOptions) {
    this.#options = options;
  }

  records(): ServiceRecord[] {
    return this.#table.records();
  }

  /** Returns whether anything of that name is registered. */
  has(name: string): boolean {
    return this.#table.has(name);
  }

  /** Returns whether there is anything to answer to a question. */
  hasAnswer(question: Question): boolean {
    return question.action === 'get' ? this.has(question.name) : this.records().length > 0;
  }

  /** Registers the record; returns what undoes that, unless it was registered before or is again meanwhile. */
  put(record: ServiceRecord, ttlMs: number | undefined): () => void {
    const isNew = this.#table.leasesMs(record).length === 0;
    const owner = {};
    this.#table.put(record, { ttlMs, owner });
    if (ttlMs === undefined) this.#keepRenewing();
    return () => {
      if (isNew) this.#table.removeOwned(owner);
    };
  }

  /** Prolongs the leases of what is registered already. */
  renew(record: ServiceRecord, ttlMs: number | undefined): void {
    this.#table.renew(record, { ttlMs });
  }

  /** Removes the record's nodes. Returns whether that is to be announced. */
  remove(record: ServiceRecord): boolean {
    // To a Go peer a record without nodes means all of them. That may be said only where there never were any.
    if (record.nodes.length === 0 && this.#table.get(record)?.nodes.length !== 0) return false;
    this.#table.remove(record);
    this.#checkGone(record.name);
    return true;
  }

  /** Announces everything: after an outage, in which announcements were lost and leases elsewhere ran on. */
  announceAll(): void {
    for (const record of this.records()) this.#announceAgain(record);
  }

  /** Answers a question, with one message for each version record. Never throws. */
  answer(question: Question, reply: string, connection: NatsConnection): Answered {
    let messages = 0;
    let bytes = 0;
    for (const record of this.#table.records(question.action === 'get' ? question.name : undefined)) {
      const data = this.#answers.get(record) ?? encodeAnswer(record);
      this.#answers.set(record, data);
      try {
        connection.publish(reply, data, { headers: leaseHeaders(this.#leasesMs(record)) });
        messages++;
        bytes += data.length;
      } catch (error) {
        this.#options.logger.warn('answer not sent', { service: record.name, error });
      }
    }
    return { messages, bytes };
  }

  stop(): void {
    clearInterval(this.#renewal);
    this.#table.clear();
  }

  #expire(now: number): number {
    for (const service of this.#table.expire(now)) {
      this.#tryAnnounce(service, encodeDelete(service));
      this.#checkGone(service.name);
    }
    return this.#table.nextExpiry;
  }

  #checkGone(name: string): void {
    if (!this.has(name)) this.#options.onGone(name);
  }

  #leasesMs(record: ServiceRecord): number[] {
    return this.#table.leasesMs(record).map((ttlMs) => (Number.isFinite(ttlMs) ? ttlMs : this.#options.defaultLeaseMs));
  }

  /** For what was registered without a lease: nobody elsewhere keeps a node for ever. */
  #keepRenewing(): void {
    this.#renewal ??= setInterval(() => {
      for (const record of this.records())
        if (this.#table.leasesMs(record).includes(Number.POSITIVE_INFINITY)) this.#announceAgain(record);
    }, this.#options.defaultLeaseMs / 3).unref();
  }

  #announceAgain(record: ServiceRecord): void {
    this.#tryAnnounce(record, encodeCreate(record), this.#leasesMs(record));
  }

  /** For announcements that nobody waits for. One that is lost to an outage is made good after it. */
  #tryAnnounce({ name }: ServiceRecord, data: Uint8Array, leasesMs?: readonly number[]): void {
    try {
      this.#options.announce(name, data, leasesMs);
    } catch (error) {
      this.#options.logger.debug('announcement not sent', { service: name, error });
    }
  }
}
