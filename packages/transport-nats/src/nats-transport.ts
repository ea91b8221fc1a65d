import {
  type AbortOptions,
  type Closable,
  type DialOptions,
  type Listener,
  type ListenOptions,
  type Logger,
  type MicroError,
  type Socket,
  silentLogger,
  type Transport,
  type TransportFeatures,
} from '@ts-micro/core';
import { Lifetime } from '@ts-micro/kit';
import {
  checkSubject,
  maxBodyBytes,
  type NatsConnection,
  type SharedConnection,
  shareConnection,
} from '@ts-micro/nats';
import { dialectToward } from './dialect.ts';
import { DialledSocket } from './dialled-socket.ts';
import { NatsListener } from './nats-listener.ts';
import { ReplyInbox } from './reply-inbox.ts';
import { checkTransportOptions, type NatsTransportOptions, type TransportSettings, who } from './transport-options.ts';

/** What Go's `listen` is given where an address is to be made up. */
const freshAddress = ':0';

/**
 * Request and response over NATS, wire compatible with Go Micro's NATS transport.
 *
 * An address is a subject; a socket is a reply subject. Connects with the first use. `supports` is what holds for sockets dialled with
 * their listener's metadata; without it, as with Go Micro, it is that of `dialect: 'go'`. Errors: `invalid` for an option.
 */
export function natsTransport(options: NatsTransportOptions = {}): Transport {
  return new NatsTransport(options);
}

const goFeatures: TransportFeatures = Object.freeze({
  closeNotice: false,
  failFast: true,
  namedAddresses: true,
  maxBodyBytes,
});

function nativeFeatures(maxBodyBytes: number): TransportFeatures {
  return Object.freeze({ ...goFeatures, closeNotice: true, maxBodyBytes });
}

class NatsTransport implements Transport {
  readonly name = 'nats';
  readonly supports: TransportFeatures;
  readonly #settings: TransportSettings;
  readonly #logger: Logger;
  readonly #lease: SharedConnection;
  readonly #lifetime: Lifetime = new Lifetime(who, (options) => this.#release(options));
  readonly #listeners = new Set<NatsListener>();
  readonly #sockets = new Set<DialledSocket>();
  #inbox: ReplyInbox | undefined;

  constructor(options: NatsTransportOptions) {
    const {
      addressPrefix,
      dialect,
      maxMessageBytes,
      maxReassemblyBytes,
      idleTimeoutMs,
      maxSockets,
      maxQueuedMessages,
      closeTimeoutMs,
      ...pluginOptions
    } = options;
    this.#settings = checkTransportOptions(options);
    this.supports = this.#settings.dialect === 'go' ? goFeatures : nativeFeatures(this.#settings.maxMessageBytes);
    this.#logger = options.logger ?? silentLogger;
    this.#lease = shareConnection(pluginOptions);
  }

  get isConnected(): boolean | undefined {
    return this.#lease.isConnected;
  }

  async dial(address: string, options: DialOptions = {}): Promise<Socket> {
    this.#lifetime.assertOpen(options);
    checkSubject(address, `${who}: address`);
    const inbox = this.#inboxOn(await this.#connect(options));
    await inbox.ready(options);
    this.#lifetime.assertOpen();
    const socket = new DialledSocket({
      inbox,
      dialect: dialectToward(options.metadata, this.#settings.dialect),
      address,
      maxQueuedMessages: this.#settings.maxQueuedMessages,
      maxMessageBytes: this.#settings.maxMessageBytes,
      onRelease: (released) => this.#sockets.delete(released),
    });
    this.#sockets.add(socket);
    return socket;
  }

  async listen(address: string = freshAddress, options: ListenOptions = {}): Promise<Listener> {
    this.#lifetime.assertOpen(options);
    if (address !== freshAddress) checkSubject(address, `${who}: address`);
    const connection = await this.#connect(options);
    this.#lifetime.assertOpen();
    const listener = new NatsListener({
      connection,
      address: address === freshAddress ? connection.newInbox(this.#settings.addressPrefix) : address,
      settings: this.#settings,
      logger: this.#logger,
      inbox: () => this.#inboxOn(connection),
    });
    this.#listeners.add(listener);
    void listener.closed.then(() => this.#listeners.delete(listener));
    return listener;
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

  async #connect(options: AbortOptions): Promise<NatsConnection> {
    const { current } = this.#lease;
    return current !== undefined && current.state.status !== 'closed' ? current : this.#lease.get(options);
  }

  #inboxOn(connection: NatsConnection): ReplyInbox {
    if (this.#inbox?.isOpen && this.#inbox.connection === connection) return this.#inbox;
    this.#inbox = new ReplyInbox(connection, this.#settings.inboxPrefix);
    return this.#inbox;
  }

  async #release(options: AbortOptions): Promise<void> {
    try {
      // Handlers may need their own sockets to finish, so those go last.
      await closeAll(this.#listeners, options);
    } finally {
      await closeAll(this.#sockets, options);
      this.#inbox?.close();
      await this.#lease.release();
    }
  }
}

/** Closes all at once; then throws what the first of them had to abandon, so that their owner ends with it too. */
async function closeAll(members: Iterable<Closable>, options: AbortOptions): Promise<void> {
  const closing = Array.from(members, async (member) => {
    await member.close(options);
    return member.closed;
  });
  const cause = (await Promise.all(closing)).find((ended) => ended !== undefined);
  if (cause) throw cause;
}
