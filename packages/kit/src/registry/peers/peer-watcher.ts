import type { AbortOptions, Logger, ServiceRecord } from '@ts-micro/core';
import { LeaseTable } from '../lease-table.ts';
import { RecordWatcher } from '../record-watcher.ts';
import type { LeasedRecord } from './leased-record.ts';

export interface PeerWatcherOptions {
  /** Begins every message: `nats registry: watcher`. */
  readonly what: string;
  /** Only this service. @default every service */
  readonly service: string | undefined;
  /** The lease in ms of a node whose peer states none, and the longest that a peer is believed. */
  readonly defaultLeaseMs: number;
  readonly maxLeaseMs: number;
  /** The most nodes, and bytes of memory, that it knows. */
  readonly maxNodes: number;
  readonly maxBytes: number;
  readonly logger: Logger;
  /** Whether peers can be heard of now. */
  readonly isConnected: () => boolean;
  /** Asks everybody for what is watched. */
  readonly query: (options: AbortOptions) => Promise<readonly LeasedRecord[]>;
  readonly onClose: () => void;
}

/** What a peer announces. */
export interface LeasedAnnouncement extends LeasedRecord {
  /** `delete` where its nodes leave, all of the version where it names none; anything else where they are there. */
  readonly action: string;
}

const retryMs = 1000;
// Time for the others to reconnect as well and to be heard of: Go Micro's client waits 2 s between attempts.
const doubtMs = 5000;
const mostHeard = 100_000;

/**
 * A whole {@link Watcher} for a registry without a store: it knows what peers announce and, at first and after a gap,
 * what everybody answers.
 *
 * - An announcement that comes in while it asks counts more than an answer about the same node, which may be older.
 * - A node whose stated lease runs out is gone. One that stated none, or too long a lease, is asked for first; all of
 *   them at once, and at most once a second.
 * - After a gap every node is in doubt: who is not heard of within 5 s is asked for and then given up. During an
 *   outage nobody is.
 */
export class PeerWatcher extends RecordWatcher {
  readonly #options: PeerWatcherOptions;
  readonly #known: LeaseTable;
  readonly #ended = new AbortController();
  /** Nodes heard of while asking; undefined while it does not. */
  #heard: Set<string> | undefined;
  #hasGap = false;
  #hasDoubt = false;
  #retry: NodeJS.Timeout | undefined;

  constructor(options: PeerWatcherOptions) {
    const { what, service, maxNodes, maxBytes, logger } = options;
    super({
      what,
      service,
      known: () => this.#known.records(),
      stop: () => {
        clearTimeout(this.#retry);
        this.#ended.abort();
        this.#known.unwatch(this);
        this.#known.clear();
        options.onClose();
      },
    });
    this.#options = options;
    this.#known = new LeaseTable({
      maxNodes,
      maxBytes,
      onDue: (now) => this.#onDue(now),
      onRefused: ({ name }) => logger.warn('nodes left out, there are too many', { service: name, maxNodes, maxBytes }),
    });
  }

  /** Asks for the first time. The first event is there once this resolves. */
  async start(options: AbortOptions): Promise<void> {
    await this.#ask(true, options);
    void this.#catchUp();
  }

  /** Takes what a peer announced. */
  take(announcement: LeasedAnnouncement): void {
    const { action, service } = announcement;
    this.#hear(service);
    if (action !== 'delete') this.#put(announcement);
    // Whatever else a Go service is configured to call it, it tells what it has. One that leaves without nodes leaves
    // with all of them.
    else if (service.nodes.length === 0) this.#known.removeVersion(service);
    else this.#known.remove(service);
  }

  /** Asks again because announcements may have been missed, until that succeeds. */
  missed(): void {
    this.#hasGap = true;
    void this.#catchUp();
  }

  /** Asks once more, for those who were not in reach when it asked last. */
  lookAgain(): void {
    this.#hasDoubt = true;
    void this.#catchUp();
  }

  async #catchUp(): Promise<void> {
    clearTimeout(this.#retry);
    while ((this.#hasGap || this.#hasDoubt) && this.#heard === undefined && !this.#ended.signal.aborted) {
      const isGap = this.#hasGap;
      this.#hasGap = false;
      this.#hasDoubt = false;
      try {
        await this.#ask(isGap, { signal: this.#ended.signal });
      } catch (error) {
        this.#hasGap ||= isGap;
        this.#hasDoubt = true;
        this.#retryLater(error);
        return;
      }
    }
  }

  #retryLater(error: unknown): void {
    if (this.#ended.signal.aborted) return;
    this.#options.logger.debug('watcher could not ask, trying again', { service: this.service, error });
    this.#retry = setTimeout(() => void this.#catchUp(), retryMs).unref();
  }

  async #ask(isGap: boolean, options: AbortOptions): Promise<void> {
    const heard = new Set<string>();
    this.#heard = heard;
    try {
      // Who does not answer right after an outage may just not be back yet.
      if (isGap) this.#known.doubt(doubtMs);
      const answers = await this.#options.query(options);
      if (this.#ended.signal.aborted) return;
      if (isGap) this.#known.unwatch(this);
      for (const answer of answers) this.#learn(answer, heard);
      if (isGap) this.#known.watch(this);
      else this.#known.expire();
    } finally {
      this.#heard = undefined;
    }
  }

  #learn({ service, leasesMs }: LeasedRecord, heard: ReadonlySet<string>): void {
    const isOld = (id?: string) => heard.has(keyOf(service)) || heard.has(keyOf(service, id));
    const fresh = service.nodes.flatMap((node, index) => (isOld(node.id) ? [] : [{ node, index }]));
    if (fresh.length === 0 && (service.nodes.length > 0 || isOld())) return;
    const nodes = fresh.map(({ node }) => node);
    this.#put({
      service: { ...service, nodes },
      leasesMs: leasesMs && fresh.map(({ index }) => leasesMs[index] ?? leasesMs[0] ?? this.#options.defaultLeaseMs),
    });
  }

  #put({ service, leasesMs }: LeasedRecord): void {
    const { defaultLeaseMs, maxLeaseMs } = this.#options;
    const stated = leasesMs ?? [];
    const isGuess = stated.length === 0 || stated.some((lengthMs) => lengthMs > maxLeaseMs);
    const ttlMs = stated.length === 0 ? defaultLeaseMs : stated.map((lengthMs) => Math.min(lengthMs, maxLeaseMs));
    this.#known.put(service, { ttlMs, isGuess });
  }

  #hear(service: ServiceRecord): void {
    if (this.#heard === undefined) return;
    const ids = service.nodes.length > 0 ? service.nodes.map(({ id }) => id) : [undefined];
    for (const id of ids) if (this.#heard.size < mostHeard) this.#heard.add(keyOf(service, id));
  }

  #onDue(now: number): number {
    if (!this.#options.isConnected()) return Number.POSITIVE_INFINITY;
    this.#known.expire(now, { withGuesses: false });
    if (this.#known.nextExpiry > now) return this.#known.nextExpiry;
    this.#hasDoubt = true;
    void this.#catchUp();
    return now + retryMs;
  }
}

/** Names a node, or without `id` a version. */
function keyOf({ name, version }: ServiceRecord, id?: string): string {
  return JSON.stringify([name, version, id]);
}
