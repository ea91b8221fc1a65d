import {
  type AbortOptions,
  type Broker,
  type BrokerFeatures,
  type BrokerHandler,
  checkHeaders,
  type Logger,
  type Message,
  MicroError,
  type PublishOptions,
  type SubscribeOptions,
  type Subscriber,
} from '@ts-micro/core';
import { abortable, Lifetime, OptionChecks, refuseDurability, safeLogger, throwIfAborted } from '@ts-micro/kit';
import {
  checkQueue,
  checkSubject,
  maxBodyBytes,
  type NatsConnection,
  type SharedConnection,
  type SubjectRules,
  shareConnection,
} from '@ts-micro/nats';
import { encodeMessage } from './message-dialect.ts';
import { checkBrokerOptions, type NatsBrokerOptions, type NatsBrokerSettings } from './nats-broker-options.ts';
import { NatsPublisher } from './nats-publisher.ts';
import { NatsSubscriber } from './nats-subscriber.ts';
import type { PublishStats } from './publish-stats.ts';

const who = 'nats broker';
const checks = new OptionChecks(who);

/** A {@link Broker} on NATS. */
export interface NatsBroker extends Broker {
  readonly options: NatsBrokerSettings;
  /** Counts what became of every message that was to be published. */
  readonly stats: PublishStats;
}

/**
 * Publish and subscribe on NATS subjects, in Go Micro's envelope by default.
 *
 * Connects at first use. Throws `invalid` naming the option.
 */
export function natsBroker(options: NatsBrokerOptions = {}): NatsBroker {
  return new ConnectedBroker(options);
}

class ConnectedBroker implements NatsBroker {
  readonly name = 'nats';
  readonly supports: BrokerFeatures;
  readonly options: NatsBrokerSettings;
  readonly #shared: SharedConnection;
  readonly #logger: Logger;
  readonly #publisher: NatsPublisher;
  readonly #lifetime = new Lifetime(who, (options) => this.#release(options));
  readonly #subscribers = new Set<NatsSubscriber>();
  #isDisconnected = false;
  #isFinishing = false;
  #leaving: Promise<MicroError | undefined> | undefined;

  constructor(options: NatsBrokerOptions) {
    const { connect, settings, onUncertain } = checkBrokerOptions(options);
    this.#shared = shareConnection(connect);
    this.#logger = safeLogger(connect.logger);
    this.#publisher = new NatsPublisher({ ...settings, onUncertain, logger: this.#logger });
    const plainEvents = settings.dialect === 'native';
    this.supports = { queues: true, wildcards: true, maxBodyBytes, plainEvents };
    this.options = Object.freeze({ addresses: Object.freeze([...this.#shared.addresses]), ...settings });
  }

  get address(): string {
    return this.#shared.address;
  }

  get isConnected(): boolean | undefined {
    return this.#shared.isConnected;
  }

  get stats(): PublishStats {
    return this.#publisher.stats;
  }

  get closed(): Promise<MicroError | undefined> {
    return this.#lifetime.closed;
  }

  async connect(options: AbortOptions = {}): Promise<void> {
    this.#lifetime.assertOpen(options);
    if (this.#leaving) await abortable(this.#leaving, options.signal, `${who}: connecting`);
    const connection = await this.#shared.get(options);
    await connection.ready(options);
    this.#lifetime.assertOpen(options);
    this.#isDisconnected = false;
  }

  async disconnect(options: AbortOptions = {}): Promise<void> {
    this.#lifetime.assertOpen();
    await this.#leave(options);
  }

  async publish(topic: string, message: Message, options?: PublishOptions): Promise<void> {
    this.#publisher.begin();
    try {
      // A close waits for running handlers, and what they have to tell must still get out.
      if (this.#isFinishing) throwIfAborted(options?.signal, who);
      else this.#assertUsable(options);
      checkTopic(topic);
      checkHeaders(message.headers, who);
      if (options?.id !== undefined) refuseDurability(options, who);
      const { data, options: publishOptions } = encodeMessage(message, this.options.dialect);
      const connection = this.#connection ?? (await this.#connect(options));
      const written = this.#publisher.publish(connection, topic, data, publishOptions, options);
      if (written !== undefined) await written;
    } catch (error) {
      this.#publisher.refuse();
      throw error;
    }
  }

  async subscribe(topic: string, handler: BrokerHandler, options: SubscribeOptions = {}): Promise<Subscriber> {
    this.#assertUsable(options);
    const { queue, concurrency, onError, onLost, onRestored, signal } = options;
    checkTopic(topic, { wildcards: true });
    if (queue !== undefined) checkQueue(queue, who);
    if (concurrency !== undefined) checks.whole('concurrency', concurrency);
    refuseDurability(options, who);
    const connection = this.#connection ?? (await this.#connect(options));
    const { maxPendingMessages, closeTimeoutMs } = this.options;
    const subscriber = new NatsSubscriber({
      connection,
      topic,
      handler,
      queue,
      concurrency,
      onError,
      onLost,
      onRestored,
      maxPendingMessages,
      closeTimeoutMs,
      logger: this.#logger,
    });
    this.#subscribers.add(subscriber);
    void subscriber.closed.then(() => this.#subscribers.delete(subscriber));
    try {
      await subscriber.confirm({ signal });
    } catch (error) {
      await subscriber.close(options);
      throw error;
    }
    return subscriber;
  }

  close(options?: AbortOptions): Promise<void> {
    return this.#lifetime.close(options);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** The connection in use, unless it was closed for good. */
  get #connection(): NatsConnection | undefined {
    const { current } = this.#shared;
    return current?.state.status === 'closed' ? undefined : current;
  }

  async #connect(options: AbortOptions | undefined): Promise<NatsConnection> {
    const connection = await this.#shared.get(options);
    this.#assertUsable(options);
    return connection;
  }

  #assertUsable(options: AbortOptions | undefined): void {
    this.#lifetime.assertOpen(options);
    if (this.#isDisconnected) throw new MicroError('unavailable', `${who} is disconnected`, { retrySafe: true });
  }

  async #release(options: AbortOptions): Promise<void> {
    const abandoned = await this.#leave(options);
    if (abandoned) throw abandoned;
  }

  /** Ends every subscription and gives the connection back. Resolves with what a subscriber had to abandon. */
  #leave(options: AbortOptions): Promise<MicroError | undefined> {
    this.#leaving ??= this.#endAll(options).finally(() => {
      this.#leaving = undefined;
    });
    return this.#leaving;
  }

  async #endAll(options: AbortOptions): Promise<MicroError | undefined> {
    this.#isDisconnected = true;
    this.#isFinishing = true;
    const causes = await Promise.all(
      [...this.#subscribers].map(async (subscriber) => {
        await subscriber.close(options);
        return subscriber.closed;
      }),
    );
    const bound = AbortSignal.timeout(this.options.closeTimeoutMs);
    await this.#publisher.close({ signal: options.signal ? AbortSignal.any([options.signal, bound]) : bound });
    this.#isFinishing = false;
    await this.#shared.release();
    return causes.find((cause) => cause !== undefined);
  }
}

function checkTopic(topic: string, rules?: SubjectRules): void {
  checkSubject(topic, `${who}: topic`, rules);
  // Where answers go: an event there would be taken for one.
  if (topic.startsWith('_INBOX.')) throw new MicroError('invalid', `${who}: topic "${topic}" is for replies`);
}
