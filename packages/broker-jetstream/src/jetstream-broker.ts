import {
  type AbortOptions,
  type Broker,
  type BrokerFeatures,
  type BrokerHandler,
  checkMessage,
  checkName,
  type Logger,
  type Message,
  MicroError,
  type PublishOptions,
  type Subscriber,
} from '@ts-micro/core';
import { abortable, BrokerBase, checkRedelivery, OptionChecks, safeLogger } from '@ts-micro/kit';
import {
  checkQueue,
  checkSubject,
  JetStreamApi,
  type NatsConnection,
  type SharedConnection,
  shareConnection,
} from '@ts-micro/nats';
import { Consumers } from './consumers.ts';
import { type EventForm, formOf } from './event-form.ts';
import {
  checkBrokerOptions,
  checkFrom,
  type JetStreamBrokerOptions,
  type JetStreamBrokerSettings,
  type JetStreamSubscribeOptions,
  who,
} from './jetstream-broker-options.ts';
import { ManagedStreams } from './managed-streams.ts';
import { PendingBytes } from './subscription/pending-bytes.ts';
import { PlainSubscriber } from './subscription/plain-subscriber.ts';
import { QueueMember } from './subscription/queue-member.ts';
import { TopicStreams } from './topic-streams.ts';

const checks = new OptionChecks(who);

/** A {@link Broker} on JetStream. */
export interface JetStreamBroker extends Broker {
  readonly options: JetStreamBrokerSettings;
  subscribe(topic: string, handler: BrokerHandler, options?: JetStreamSubscribeOptions): Promise<Subscriber>;
}

/** A connection and all that was made over it. */
interface Access {
  readonly connection: NatsConnection;
  readonly api: JetStreamApi;
  readonly streams: ManagedStreams;
  readonly consumers: Consumers;
}

/**
 * Publish and subscribe on JetStream: what is published is stored, every queue is durable, and what a handler throws at
 * comes again.
 *
 * Connects at first use. Throws `invalid` naming the option.
 */
export function jetstreamBroker(options: JetStreamBrokerOptions = {}): JetStreamBroker {
  return new StoringBroker(options);
}

class StoringBroker extends BrokerBase implements JetStreamBroker {
  readonly name = 'jetstream';
  readonly supports: BrokerFeatures;
  readonly options: JetStreamBrokerSettings;
  readonly #shared: SharedConnection;
  readonly #logger: Logger;
  readonly #topics: TopicStreams;
  readonly #form: EventForm;
  readonly #publishing = new Set<Promise<unknown>>();
  /** What plain subscriptions hold that no handler has yet. */
  readonly #pending: PendingBytes;
  /** Subscriptions that the server forbids to go on, and in which words. */
  readonly #forbidden: Map<object, MicroError> = new Map();
  /** The same of members of queues. */
  readonly #prefetched: PendingBytes;
  #access: Access | undefined;

  constructor(options: JetStreamBrokerOptions) {
    super(who);
    const { connect, settings } = checkBrokerOptions(options);
    this.#shared = shareConnection(connect);
    this.#logger = safeLogger(connect.logger);
    this.#topics = new TopicStreams(settings);
    this.#form = formOf(settings.dialect);
    this.#pending = new PendingBytes(settings.maxPendingBytes);
    this.#prefetched = new PendingBytes(settings.maxPendingBytes);
    this.supports = Object.freeze({
      queues: true,
      wildcards: settings.dialect === 'plain',
      maxBodyBytes: this.#form.maxBodyBytes,
      plainEvents: true,
      durableQueues: true,
      redelivery: true,
    });
    this.options = Object.freeze({ addresses: Object.freeze([...this.#shared.addresses]), ...settings });
  }

  get address(): string {
    return this.#shared.address;
  }

  get isConnected(): boolean | undefined {
    const { isConnected } = this.#shared;
    return isConnected === true ? this.#forbidden.size === 0 : isConnected;
  }

  get outage(): Error | undefined {
    return this.#shared.outage ?? [...this.#forbidden.values()][0];
  }

  async publish(topic: string, message: Message, options?: PublishOptions): Promise<void> {
    this.assertMayPublish(options);
    checkSubject(topic, `${who}: topic`);
    checkMessage(message, Number.POSITIVE_INFINITY, who);
    if (options?.id !== undefined) checkName(options.id, `${who}: id`);
    const { data, headers } = this.#form.encode(topic, message, options?.id);
    // What the caller changes while the stream is looked for must not change what is stored.
    const current = this.#current;
    const body = current === undefined ? new Uint8Array(data) : data;
    const publishing = this.#store(
      current ?? (await this.#connect(options)),
      topic,
      body,
      headers && { ...headers },
      options,
    );
    this.#publishing.add(publishing);
    try {
      await publishing;
    } finally {
      this.#publishing.delete(publishing);
    }
  }

  async subscribe(topic: string, handler: BrokerHandler, options: JetStreamSubscribeOptions = {}): Promise<Subscriber> {
    this.assertMaySubscribe(options, { from: true });
    const { queue, concurrency, onError, signal, from = this.options.from } = options;
    checkSubject(topic, `${who}: topic`, { wildcards: true });
    if (queue !== undefined) checkQueue(queue, who);
    if (concurrency !== undefined) checks.whole('concurrency', concurrency);
    checkFrom(from);
    const redelivery = checkRedelivery(options, who);
    const stream = this.#topics.of(topic);
    const access = this.#current ?? (await this.#connect(options));
    const { maxPendingMessages, closeTimeoutMs, prefetch, ackWaitMs } = this.options;
    const forbidden = this.#forbidden;
    const common = {
      ...access,
      form: this.#form,
      stream,
      topic,
      handler,
      concurrency,
      onError,
      from,
      closeTimeoutMs,
      forbidden,
    };
    const logger = this.#logger;
    const publishDeadLetter = (target: string, message: Message, id: string) => this.publish(target, message, { id });
    const subscriber =
      queue === undefined
        ? new PlainSubscriber({ ...common, maxPendingMessages, pending: this.#pending, logger })
        : new QueueMember({
            ...common,
            queue,
            redelivery,
            prefetch,
            pending: this.#prefetched,
            ackWaitMs,
            publishDeadLetter,
            logger,
          });
    const start = () => abortable(subscriber.start({ signal }), signal, `${who}: subscribing to "${topic}"`);
    return this.keep(subscriber, start, options);
  }

  protected async dial(options: AbortOptions): Promise<void> {
    const connection = await this.#shared.get(options);
    await connection.ready(options);
  }

  protected async finishPublishing({ signal }: AbortOptions): Promise<void> {
    // Each has a bound of its own.
    await abortable(Promise.allSettled(this.#publishing), signal, who).catch(() => undefined);
  }

  protected hangUp(options: AbortOptions): Promise<void> {
    this.#access?.api.close();
    this.#access = undefined;
    return this.#shared.release(options);
  }

  async #store(
    access: Access,
    topic: string,
    body: Uint8Array,
    headers: Message['headers'] | undefined,
    options: PublishOptions | undefined,
  ): Promise<void> {
    const stream = this.#topics.of(topic);
    const making = access.streams.ensure(stream);
    let data = body;
    if (making !== undefined) {
      data = new Uint8Array(body);
      await abortable(making, options?.signal, `${who}: publishing on "${topic}"`);
    }
    try {
      await access.api.publish(stream.subjectOf(topic), data, { headers }, options);
    } catch (error) {
      // Nobody takes the subject: the stream may be gone, and the next publish makes it again.
      if (MicroError.is(error, 'unavailable') && error.retrySafe) access.streams.forget(stream);
      throw error;
    }
  }

  /** The connection in use and all that was made over it; `undefined` where it was closed for good. */
  get #current(): Access | undefined {
    const { current } = this.#shared;
    if (current === undefined || current.state.status === 'closed') return undefined;
    if (this.#access?.connection === current) return this.#access;
    this.#access?.api.close();
    const { requestTimeoutMs: timeoutMs, domain, manage, ackWaitMs } = this.options;
    const api = new JetStreamApi({ connection: current, what: who, domain, timeoutMs });
    const streams = new ManagedStreams(api, manage);
    this.#access = { connection: current, api, streams, consumers: new Consumers({ api, streams, manage, ackWaitMs }) };
    return this.#access;
  }

  async #connect(options: AbortOptions | undefined): Promise<Access> {
    await this.#shared.get(options);
    this.assertUsable(options);
    const access = this.#current;
    if (access === undefined) throw new MicroError('unavailable', `${who}: the connection was closed`);
    return access;
  }
}
