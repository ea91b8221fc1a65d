import type {
  AbortOptions,
  LookupOptions,
  MicroError,
  RegisterOptions,
  Registry,
  ServiceRecord,
  Watcher,
} from '@ts-micro/core';
import {
  callSafely,
  checkRecordBytes,
  mergeAnswers,
  PeerWatcher,
  RateLimitedLogger,
  RegistryBase,
} from '@ts-micro/kit';
import { checkSubject, type NatsMessage, type SharedConnection, shareConnection } from '@ts-micro/nats';
import {
  checkQuorum,
  checkRegistryOptions,
  type NatsRegistryOptions,
  type NatsRegistrySettings,
} from './nats-registry-options.ts';
import { Registrations } from './registrations.ts';
import { RegistrySession } from './registry-session.ts';
import { groupKey } from './subjects/subject-groups.ts';
import { mayConcern, WatchersByKey } from './watchers-by-key.ts';
import { decodeAnnouncement, encodeCreate, encodeDelete, encodeGet, encodeList } from './wire/messages.ts';
import { usableRecord } from './wire/usable-record.ts';

const who = 'nats registry';
const closeTimeoutMs = 10_000;

/**
 * A registry without a store: every process answers queries for what is registered in it, as Go Micro's NATS registry
 * does.
 *
 * Connects at first use. Throws `invalid` naming the option.
 */
export function natsRegistry(options: NatsRegistryOptions = {}): Registry {
  return new NatsRegistry(options);
}

class NatsRegistry extends RegistryBase {
  readonly name = 'nats';
  readonly #settings: NatsRegistrySettings;
  readonly #logger: RateLimitedLogger;
  readonly #lease: SharedConnection;
  readonly #registrations: Registrations;
  readonly #watchers = new WatchersByKey();
  /** How often `register` is under way, by name. */
  readonly #registering = new Map<string, number>();
  /** Whom to tell that nodes of a service cannot be found, by name and then by the nodes registered. */
  readonly #onLost = new Map<string, Map<string, (error: MicroError) => void>>();
  #session: RegistrySession | undefined;

  constructor(options: NatsRegistryOptions) {
    super(who);
    const settings = checkRegistryOptions(options);
    this.#logger = new RateLimitedLogger(settings.logger);
    this.#settings = { ...settings, logger: this.#logger };
    this.#lease = shareConnection(this.#settings.connect);
    this.#registrations = new Registrations({
      defaultLeaseMs: this.#settings.defaultLeaseMs,
      logger: this.#logger,
      announce: (name, data, leasesMs) => this.#session?.announce(name, data, leasesMs),
      onGone: (name) => this.#unlisten(name),
    });
  }

  get isConnected(): boolean | undefined {
    return this.#lease.isConnected;
  }

  get outage(): Error | undefined {
    return this.#lease.outage;
  }

  protected async put(record: ServiceRecord, options: RegisterOptions): Promise<void> {
    const { ttlMs } = options;
    const { name } = record;
    for (const { id, address } of record.nodes)
      checkSubject(address, `${who}: service "${name}": node "${id}": address`);
    const data = this.#encode(record);
    this.#registering.set(name, (this.#registering.get(name) ?? 0) + 1);
    try {
      const session = await this.#open(options);
      await session.listen(name, options);
      this.lifetime.assertOpen(options);
      session.announce(name, data, [ttlMs ?? this.#settings.defaultLeaseMs]);
      this.#keepTold(record, options.onLost);
      const undo = this.#registrations.put(record, ttlMs);
      await session.announced(name, options).catch((error: unknown) => {
        undo();
        throw error;
      });
    } catch (error) {
      // What is registered already must outlive an outage in which its owner keeps renewing it.
      this.#registrations.renew(record, ttlMs);
      throw error;
    } finally {
      const others = (this.#registering.get(name) ?? 1) - 1;
      if (others > 0) this.#registering.set(name, others);
      else this.#registering.delete(name);
      if (!this.#registrations.has(name)) this.#unlisten(name);
    }
  }

  protected async remove(record: ServiceRecord, options: AbortOptions): Promise<void> {
    if (!this.#registrations.remove(record)) return;
    const session = await this.#open(options);
    session.announce(record.name, encodeDelete(record));
    // Nobody repeats it, unlike a registration, so it must have left before this resolves.
    await session.announced(record.name, options);
  }

  protected async look(name: string | undefined, options: LookupOptions): Promise<readonly ServiceRecord[]> {
    const { signal } = options;
    const quorum = name === undefined ? undefined : (options.quorum ?? this.#settings.quorum);
    if (quorum !== undefined) checkQuorum(quorum);
    const session = await this.#open(options);
    const question = name === undefined ? encodeList() : encodeGet(name);
    return mergeAnswers(await session.query(question, { name, quorum, signal }));
  }

  protected async follow(service: string | undefined, options: AbortOptions): Promise<Watcher> {
    const session = await this.#open(options);
    const subjects = this.#settings.subjects.watched(service);
    const watcher = this.#newWatcher(service, subjects);
    try {
      await session.follow(subjects, options);
      await watcher.start(options);
      this.lifetime.assertOpen();
      return watcher;
    } catch (error) {
      await watcher.close();
      throw error;
    }
  }

  /**
   * Returns what this registry has on its connection, made at first use and again where the connection was closed for
   * good.
   */
  async #open(options: AbortOptions): Promise<RegistrySession> {
    if (this.#session) return this.#session;
    const connection = await this.#lease.get(options);
    this.lifetime.assertOpen(options);
    if (this.#session) return this.#session;
    const session: RegistrySession = new RegistrySession(connection, this.#settings, {
      hasAnswer: (question) => this.#registrations.hasAnswer(question),
      onQuestion: (question, reply) => this.#registrations.answer(question, reply, connection),
      onAnnouncement: (message, key) => this.#onAnnouncement(message, key),
      onUnfindable: (error) => this.#onUnfindable(error),
      onWatchRefused: (error, key) => this.#failWatchers(this.#watchers.of(key), error),
      onReconnect: () => this.#onReconnect(),
      onSettled: () => this.#onSettled(),
      onEnd: (cause) => this.#onEnd(cause),
    });
    this.#session = session;
    const records = this.#registrations.records();
    if (records.length > 0) {
      await Promise.all(records.map(({ name }) => session.listen(name, options)));
      this.#onReconnect();
    }
    return session;
  }

  #keepTold(record: ServiceRecord, onLost: RegisterOptions['onLost']): void {
    const { name, version, nodes } = record;
    const key = JSON.stringify([version, ...nodes.map(({ id }) => id)]);
    const ofName = this.#onLost.get(name) ?? new Map<string, (error: MicroError) => void>();
    if (onLost === undefined) ofName.delete(key);
    else this.#onLost.set(name, ofName.set(key, onLost));
  }

  /** Tells those who registered; they register again, and are told again where that is of no use. */
  #onUnfindable(error: MicroError): void {
    const told = [...this.#onLost.values()].flatMap((ofName) => [...ofName.values()]);
    this.#onLost.clear();
    const onThrown = (thrown: unknown) => this.#logger.error('onLost failed', { error: thrown });
    for (const onLost of told) callSafely(() => onLost(error), onThrown);
  }

  #encode(record: ServiceRecord): Uint8Array {
    const data = encodeCreate(record);
    checkRecordBytes(record, data.length, this.#settings.maxRecordBytes, who);
    return data;
  }

  /** Nothing of that name is registered, or no longer. */
  #unlisten(name: string): void {
    if (this.#registering.has(name)) return;
    this.#onLost.delete(name);
    this.#session?.unlisten(name);
  }

  #newWatcher(service: string | undefined, subjects: readonly string[]): PeerWatcher {
    const key = groupKey(subjects);
    const question = service === undefined ? encodeList() : encodeGet(service);
    const watcher: PeerWatcher = new PeerWatcher({
      what: `${who}: watcher`,
      ...this.#settings,
      service,
      isConnected: () => this.#session?.isConnected ?? false,
      query: async ({ signal }) => (await this.#open({ signal })).query(question, { name: service, signal }),
      onClose: () => {
        if (this.#watchers.delete(key, watcher)) this.#session?.unfollow(subjects);
      },
    });
    this.#watchers.add(key, watcher);
    return watcher;
  }

  #onAnnouncement(message: NatsMessage, key: string): void {
    const { logger, maxRecordBytes } = this.#settings;
    // Most of what is announced is of services that nobody here watches.
    if (!mayConcern(message.data, this.#watchers.of(key))) return;
    const announcement = decodeAnnouncement(message.data, maxRecordBytes);
    const { name } = announcement.service;
    const interested = [...this.#watchers.of(key)].filter(({ service }) => service === undefined || service === name);
    if (interested.length === 0) return;
    const record = usableRecord(message, announcement, logger);
    if (record === undefined) return;
    for (const watcher of interested) watcher.take({ ...record, action: announcement.action });
  }

  #onReconnect(): void {
    this.#registrations.announceAll();
    for (const watcher of this.#watchers.all()) watcher.missed();
  }

  /** Tells and asks those who were not in reach right after the reconnect. */
  #onSettled(): void {
    this.#registrations.announceAll();
    for (const watcher of this.#watchers.all()) watcher.lookAgain();
  }

  #onEnd(cause: MicroError): void {
    this.#session?.stop(cause);
    this.#session = undefined;
    this.#failWatchers(this.#watchers.all(), cause);
  }

  #failWatchers(watchers: Iterable<PeerWatcher>, cause: MicroError): void {
    for (const watcher of [...watchers]) void watcher.fail(cause);
  }

  protected async release({ signal = AbortSignal.timeout(closeTimeoutMs) }: AbortOptions): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    const records = this.#registrations.records();
    this.#registrations.stop();
    try {
      if (session?.isConnected) {
        for (const record of records) session.announce(record.name, encodeDelete(record));
        await session.connection.flush({ signal });
      }
    } finally {
      await Promise.all(this.#watchers.all().map((watcher) => watcher.close()));
      session?.stop(this.lifetime.closedError());
      this.#logger.end();
      await this.#lease.release({ signal });
    }
  }
}
