import {
  type AbortOptions,
  type LookupOptions,
  MicroError,
  type RegisterOptions,
  type Registry,
  type RegistryFeatures,
  type ServiceRecord,
  type Watcher,
  type WatchOptions,
} from '@ts-micro/core';
import { bounded, checkRecord, checkServiceName, checkTtl, closeAll, Lifetime, RecordWatcher } from '@ts-micro/kit';
import { type SharedConnection, shareConnection } from '@ts-micro/nats';
import {
  checkKvRegistryOptions,
  type NatsKvRegistryOptions,
  type NatsKvRegistrySettings,
  who,
} from './kv-registry-options.ts';
import { KvSession } from './kv-session.ts';
import { Registrations } from './registering/registrations.ts';

/**
 * A registry in a key-value bucket of JetStream, which keeps it: a key for each node, and lookups from memory that
 * follow the bucket.
 *
 * Connects at first use. Throws `invalid` naming the option.
 */
export function natsKvRegistry(options: NatsKvRegistryOptions = {}): Registry {
  return new NatsKvRegistry(options);
}

class NatsKvRegistry implements Registry {
  readonly name = 'nats-kv';
  readonly supports: RegistryFeatures = Object.freeze({ ttl: true, watch: true });
  readonly #settings: NatsKvRegistrySettings;
  readonly #shared: SharedConnection;
  readonly #lifetime = new Lifetime(who, (options) => this.#release(options));
  readonly #registrations: Registrations;
  readonly #watchers = new Set<RecordWatcher>();
  #session: KvSession | undefined;

  constructor(options: NatsKvRegistryOptions) {
    this.#settings = checkKvRegistryOptions(options);
    this.#shared = shareConnection(this.#settings.connect);
    this.#registrations = new Registrations({
      settings: this.#settings,
      bucket: async (callOptions) => (await this.#open(callOptions)).bucket,
      onStored: (name, changes) => this.#session?.take(name, changes),
    });
  }

  get isConnected(): boolean | undefined {
    return this.#shared.isConnected;
  }

  get closed(): Promise<MicroError | undefined> {
    return this.#lifetime.closed;
  }

  async register(service: ServiceRecord, options: RegisterOptions = {}): Promise<void> {
    this.#lifetime.assertOpen(options);
    const { ttlMs, signal } = options;
    const record = checkRecord(service, who);
    checkTtl(ttlMs, who);
    await this.#registrations.put(record, ttlMs, { signal });
  }

  async deregister(service: ServiceRecord, options: AbortOptions = {}): Promise<void> {
    this.#lifetime.assertOpen(options);
    await this.#registrations.drop(checkRecord(service, who), options);
  }

  async getService(name: string, options: LookupOptions = {}): Promise<readonly ServiceRecord[]> {
    this.#lifetime.assertOpen(options);
    checkServiceName(name, who);
    return this.#look(name, options);
  }

  async listServices(options: AbortOptions = {}): Promise<readonly ServiceRecord[]> {
    this.#lifetime.assertOpen(options);
    return this.#look(undefined, options);
  }

  async watch(options: WatchOptions = {}): Promise<Watcher> {
    this.#lifetime.assertOpen(options);
    const { service } = options;
    if (service !== undefined) checkServiceName(service, who);
    const feed = await (await this.#open(options)).current(service, options);
    this.#lifetime.assertOpen(options);
    const watcher: RecordWatcher = new RecordWatcher({
      what: `${who}: watcher`,
      service,
      known: () => feed.nodes.records(service),
      stop: () => {
        feed.nodes.unwatch(watcher);
        this.#watchers.delete(watcher);
      },
    });
    this.#watchers.add(watcher);
    feed.nodes.watch(watcher);
    return watcher;
  }

  close(options?: AbortOptions): Promise<void> {
    return this.#lifetime.close(options);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #look(name: string | undefined, options: AbortOptions): Promise<readonly ServiceRecord[]> {
    const feed = await (await this.#open(options)).current(name, options);
    this.#lifetime.assertOpen(options);
    return feed.nodes.list(name);
  }

  /** What is on the connection of now, made at first use and again where that was closed for good. */
  async #open(options: AbortOptions): Promise<KvSession> {
    if (this.#session !== undefined) return this.#session;
    this.#lifetime.assertOpen(options);
    const connection = await this.#shared.get(options);
    // What leaves may use what is there, and opens nothing.
    if (this.#session !== undefined) return this.#session;
    this.#lifetime.assertOpen(options);
    const session: KvSession = new KvSession(connection, {
      settings: this.#settings,
      onReconnect: () => void this.#registrations.restore(() => true),
      onLoad: (feed) => {
        // Somebody has emptied the bucket, or made another one.
        void this.#registrations.restore(({ record: { name }, key }) => {
          return (feed.service === undefined || feed.service === name) && !feed.nodes.isStored(key);
        });
      },
      onEnd: (cause) => {
        session.stop();
        if (this.#session === session) this.#session = undefined;
        const error = cause ?? new MicroError('closed', `${who}: the connection was closed`);
        for (const watcher of [...this.#watchers]) void watcher.fail(error);
      },
    });
    this.#session = session;
    // Where the one before was closed for good.
    void this.#registrations.restore(() => true);
    return session;
  }

  async #release(options: AbortOptions): Promise<void> {
    const { closeTimeoutMs, logger } = this.#settings;
    try {
      await closeAll(this.#watchers, options);
      const leaving = this.#session === undefined ? Promise.resolve() : this.#registrations.leave();
      await bounded(leaving, options, closeTimeoutMs, `${who}: taking away what was registered`);
    } catch (error) {
      // In an outage the nodes go with their leases.
      if (!MicroError.is(error, 'unavailable')) throw error;
    } finally {
      this.#session?.stop();
      this.#session = undefined;
      this.#registrations.stop();
      logger.end();
      await this.#shared.release(options);
    }
  }
}
