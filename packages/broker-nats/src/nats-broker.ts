import {
  type AbortOptions,
  type Broker,
  type BrokerFeatures,
  type BrokerHandler,
  checkMessage,
  type Logger,
  type Message,
  MicroError,
  type PublishOptions,
  type SubscribeOptions,
  type Subscriber,
} from '@ts-micro/core';
import { BrokerBase, OptionChecks, refuseDurability, safeLogger, type WaitingBytes } from '@ts-micro/kit';
import {
  checkQueue,
  checkSubject,
  maxBodyBytes,
  type NatsConnection,
  type SharedConnection,
  SubjectFeeds,
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
/** How many subscriptions may have all that waits of the broker. */
const pendingShare = 8;

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

class ConnectedBroker extends BrokerBase implements NatsBroker {
  readonly name = 'nats';
  readonly supports: BrokerFeatures;
  readonly options: NatsBrokerSettings;
  readonly #shared: SharedConnection;
  readonly #logger: Logger;
  readonly #publisher: NatsPublisher;
  readonly #feeds = new SubjectFeeds();
  /** What waits for handlers. */
  readonly #pending: WaitingBytes;

  constructor(options: NatsBrokerOptions) {
    super(who);
    const { connect, settings, onUncertain } = checkBrokerOptions(options);
    this.#shared = shareConnection(connect);
    this.#logger = safeLogger(connect.logger);
    this.#publisher = new NatsPublisher({ ...settings, onUncertain, logger: this.#logger });
    this.#pending = { limit: pendingShare * settings.maxPendingBytes, used: 0 };
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

  get outage(): Error | undefined {
    return this.#shared.outage;
  }

  get stats(): PublishStats {
    return this.#publisher.stats;
  }

  async publish(topic: string, message: Message, options?: PublishOptions): Promise<void> {
    this.#publisher.begin();
    try {
      this.assertMayPublish(options);
      checkTopic(topic);
      checkMessage(message, Number.POSITIVE_INFINITY, who);
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
    this.assertMaySubscribe(options);
    const { queue, concurrency, onError, onLost, onRestored, signal } = options;
    checkTopic(topic, { wildcards: true });
    if (queue !== undefined) checkQueue(queue, who);
    if (concurrency !== undefined) checks.whole('concurrency', concurrency);
    refuseDurability(options, who);
    const connection = this.#connection ?? (await this.#connect(options));
    const { maxPendingMessages, maxPendingBytes, closeTimeoutMs } = this.options;
    const subscriber = new NatsSubscriber({
      connection,
      feeds: this.#feeds,
      topic,
      handler,
      queue,
      concurrency,
      onError,
      onLost,
      onRestored,
      maxPendingMessages,
      maxPendingBytes,
      pending: this.#pending,
      closeTimeoutMs,
      logger: this.#logger,
    });
    return this.keep(subscriber, () => subscriber.confirm({ signal }), options);
  }

  protected async dial(options: AbortOptions): Promise<void> {
    const connection = await this.#shared.get(options);
    await connection.ready(options);
  }

  protected finishPublishing({ signal }: AbortOptions): Promise<void> {
    const bound = AbortSignal.timeout(this.options.closeTimeoutMs);
    return this.#publisher.close({ signal: signal ? AbortSignal.any([signal, bound]) : bound });
  }

  protected hangUp(options: AbortOptions): Promise<void> {
    return this.#shared.release(options);
  }

  /** The connection in use, unless it was closed for good. */
  get #connection(): NatsConnection | undefined {
    const { current } = this.#shared;
    return current?.state.status === 'closed' ? undefined : current;
  }

  async #connect(options: AbortOptions | undefined): Promise<NatsConnection> {
    const connection = await this.#shared.get(options);
    this.assertUsable(options);
    return connection;
  }
}

function checkTopic(topic: string, rules?: SubjectRules): void {
  checkSubject(topic, `${who}: topic`, rules);
  // Where answers go: an event there would be taken for one.
  if (topic.startsWith('_INBOX.')) throw new MicroError('invalid', `${who}: topic "${topic}" is for replies`);
}
