import {
  type AbortOptions,
  type DialOptions,
  type Listener,
  type ListenOptions,
  type Logger,
  MicroError,
  type Socket,
  type Transport,
  type TransportFeatures,
} from '@ts-micro/core';
import { ClosableBase, closeAll, type ReplyInbox, safeLogger } from '@ts-micro/kit';
import {
  AnswerRight,
  checkSubject,
  maxBodyBytes,
  type NatsConnection,
  type NatsMessage,
  type SharedConnection,
  shareConnection,
} from '@ts-micro/nats';
import { dialectToward } from './dialect.ts';
import { NatsListener } from './listener/nats-listener.ts';
import { Dialler, inboxOn } from './socket/dialler.ts';
import { checkTransportOptions, type NatsTransportOptions, type TransportSettings, who } from './transport-options.ts';

/** The address with which Go's `listen` is asked to make one up. */
const freshAddress = ':0';

/**
 * Request and response over NATS, wire compatible with Go Micro's NATS transport.
 *
 * An address is a subject; a socket is a reply subject. Connects with the first use. `supports` is what holds for
 * sockets dialled with their listener's metadata; without it, as with Go Micro, it is that of `dialect: 'go'`. Errors:
 * `invalid` for an option.
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

class NatsTransport extends ClosableBase implements Transport {
  readonly name = 'nats';
  readonly supports: TransportFeatures;
  readonly #settings: TransportSettings;
  readonly #logger: Logger;
  readonly #lease: SharedConnection;
  readonly #listeners = new Set<NatsListener>();
  #dialler: Dialler | undefined;
  /** Answers come in to another inbox than listeners' questions, as a dialler shows this one to its listener. */
  #probes: { readonly connection: NatsConnection; readonly inbox: ReplyInbox<NatsMessage> } | undefined;
  #answers: { readonly connection: NatsConnection; readonly right: AnswerRight } | undefined;

  constructor(options: NatsTransportOptions) {
    super(who);
    this.#settings = checkTransportOptions(options);
    const {
      addressPrefix,
      dialect,
      maxMessageBytes,
      maxReassemblyBytes,
      idleTimeoutMs,
      maxSockets,
      maxQueuedMessages,
      maxQueuedBytes,
      closeTimeoutMs,
      ...pluginOptions
    } = options;
    this.supports = this.#settings.dialect === 'go' ? goFeatures : nativeFeatures(this.#settings.maxMessageBytes);
    this.#logger = safeLogger(options.logger);
    this.#lease = shareConnection(pluginOptions);
  }

  get isConnected(): boolean | undefined {
    return this.#lease.isConnected;
  }

  get outage(): Error | undefined {
    return this.#lease.outage;
  }

  async dial(address: string, options: DialOptions = {}): Promise<Socket> {
    this.lifetime.assertOpen(options);
    checkSubject(address, `${who}: address`);
    const connection = await this.#connect(options);
    if (this.#dialler?.connection !== connection) {
      this.#dialler?.stop();
      this.#dialler = new Dialler(connection, this.#settings);
    }
    const dialler = this.#dialler;
    await dialler.ready(options);
    this.lifetime.assertOpen();
    return dialler.dial(address, dialectToward(options.metadata, this.#settings.dialect));
  }

  async listen(address: string = freshAddress, options: ListenOptions = {}): Promise<Listener> {
    this.lifetime.assertOpen(options);
    if (address !== freshAddress) checkSubject(address, `${who}: address`);
    this.#assertFree(address);
    const connection = await this.#connect(options);
    this.lifetime.assertOpen();
    this.#assertFree(address);
    const listener = new NatsListener({
      connection,
      address: address === freshAddress ? connection.newInbox(this.#settings.addressPrefix) : address,
      settings: this.#settings,
      logger: this.#logger,
      inbox: () => this.#probesOn(connection),
      answers: this.#answersOn(connection),
    });
    this.#listeners.add(listener);
    void listener.closed.then(() => this.#listeners.delete(listener));
    return listener;
  }

  /** Two listeners on one address would both answer; that of another process cannot be known. */
  #assertFree(address: string): void {
    for (const listener of this.#listeners)
      if (listener.address === address && listener.isOpen)
        throw new MicroError('conflict', `${who}: it listens on "${address}" already`);
  }

  async #connect(options: AbortOptions): Promise<NatsConnection> {
    const { current } = this.#lease;
    return current !== undefined && current.state.status !== 'closed' ? current : this.#lease.get(options);
  }

  #probesOn(connection: NatsConnection): ReplyInbox<NatsMessage> {
    if (this.#probes?.connection !== connection) {
      this.#probes?.inbox.stop();
      this.#probes = { connection, inbox: inboxOn(connection, this.#settings) };
    }
    return this.#probes.inbox;
  }

  #answersOn(connection: NatsConnection): AnswerRight {
    if (this.#answers?.connection !== connection) {
      this.#answers?.right.stop();
      const onLost = (error: MicroError) => {
        for (const listener of [...this.#listeners]) listener.fail(error);
      };
      const right = new AnswerRight({ connection, what: who, prefix: this.#settings.inboxPrefix, onLost });
      this.#answers = { connection, right };
    }
    return this.#answers.right;
  }

  protected async release(options: AbortOptions): Promise<void> {
    try {
      // Handlers may need their own sockets to finish, so those go last.
      await closeAll(this.#listeners, options);
    } finally {
      await closeAll(this.#dialler?.sockets ?? [], options);
      this.#dialler?.stop();
      this.#probes?.inbox.stop();
      this.#answers?.right.stop();
      await this.#lease.release(options);
    }
  }
}
