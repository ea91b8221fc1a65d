import {
  type AbortOptions,
  MicroError,
  type RegisterOptions,
  type Registry,
  type ServiceRecord,
  type Watcher,
} from '@ts-micro/core';
import { bounded, closeAll, RecordWatcher, RegistryBase } from '@ts-micro/kit';
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

class NatsKvRegistry extends RegistryBase {
  readonly name = 'nats-kv';
  readonly #settings: NatsKvRegistrySettings;
  readonly #shared: SharedConnection;
  readonly #registrations: Registrations;
  readonly #watchers = new Set<RecordWatcher>();
  #session: KvSession | undefined;

  constructor(options: NatsKvRegistryOptions) {
    super(who);
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

  get outage(): Error | undefined {
    return this.#shared.outage;
  }

  protected put(record: ServiceRecord, { ttlMs, signal }: RegisterOptions): Promise<void> {
    return this.#registrations.put(record, ttlMs, { signal });
  }

  protected remove(record: ServiceRecord, options: AbortOptions): Promise<void> {
    return this.#registrations.drop(record, options);
  }

  protected async look(name: string | undefined, options: AbortOptions): Promise<readonly ServiceRecord[]> {
    const feed = await (await this.#open(options)).current(name, options);
    this.lifetime.assertOpen(options);
    return feed.nodes.list(name);
  }

  protected async follow(service: string | undefined, options: AbortOptions): Promise<Watcher> {
    const feed = await (await this.#open(options)).current(service, options);
    this.lifetime.assertOpen(options);
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

  /** What is on the connection of now, made at first use and again where that was closed for good. */
  async #open(options: AbortOptions): Promise<KvSession> {
    if (this.#session !== undefined) return this.#session;
    this.lifetime.assertOpen(options);
    const connection = await this.#shared.get(options);
    // What leaves may use what is there, and opens nothing.
    if (this.#session !== undefined) return this.#session;
    this.lifetime.assertOpen(options);
    const session: KvSession = new KvSession(connection, {
      settings: this.#settings,
      onReconnect: () => void this.#registrations.restore(() => true),
      onLoad: (feed) => {
        // Somebody has emptied the bucket, or made another one.
        void this.#registrations.restore(({ record: { name }, key }) => {
          return (feed.service === undefined || feed.service === name) && !feed.nodes.isStored(key);
        });
      },
      isHolding: () => this.#registrations.size > 0,
      onState: (state) => void this.#registrations.check(state),
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

  protected async release(options: AbortOptions): Promise<void> {
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
