import {
  type AbortOptions,
  type Broker,
  type BrokerHandler,
  checkHeaders,
  checkTopic,
  closeAll,
  HandlerQueue,
  Lifetime,
  type Logger,
  type Message,
  MicroError,
  type SubscribeOptions,
  type Subscriber,
  topicMatcher,
} from '@ts-micro/core';
import { decode, encode } from './envelope.ts';
import { RedisConnection } from './redis-connection.ts';

export interface RedisBrokerOptions {
  /** @default 'redis://127.0.0.1:6379' */
  readonly url?: string | undefined;
  /** Told of handlers that throw where `subscribe` was given no `onError`. @default silent */
  readonly logger?: Logger | undefined;
}

const who = 'redis broker';
// Redis cuts off a subscriber for whom 32 MiB are waiting.
const maxBodyBytes = 8 * 1024 * 1024;
const closeTimeoutMs = 10_000;

/** Publish and subscribe over Redis pub/sub. Throws `invalid` for an option. */
export function redisBroker(options: RedisBrokerOptions = {}): Broker {
  return new RedisBroker(options);
}

class RedisBroker implements Broker {
  readonly name = 'redis';
  readonly address: string;
  readonly options: Broker['options'];
  // Pub/sub gives every subscriber every message: there is nothing that could be a queue.
  readonly supports: Broker['supports'] = { queues: false, wildcards: true, maxBodyBytes };
  readonly #logger: Logger | undefined;
  readonly #redis: RedisConnection;
  readonly #subscribers = new Set<Subscriber>();
  readonly #lifetime: Lifetime = new Lifetime(who, (options) => this.#release(options));

  constructor({ url = 'redis://127.0.0.1:6379', logger }: RedisBrokerOptions) {
    if (!/^rediss?:/.test(url) || !URL.canParse(url))
      throw new MicroError('invalid', `${who}: url ${url} is not redis://...`);
    this.address = new URL(url).host;
    this.options = { addresses: [this.address] };
    this.#logger = logger;
    this.#redis = new RedisConnection(url);
  }

  async connect(options?: AbortOptions): Promise<void> {
    this.#lifetime.assertOpen(options);
    this.#redis.isEnded = false;
    await this.#redis.use((client) => client.ping(), options);
  }

  async disconnect(options: AbortOptions = {}): Promise<void> {
    this.#lifetime.assertOpen();
    await this.#release(options).catch(() => {});
  }

  async publish(topic: string, message: Message, options?: AbortOptions): Promise<void> {
    this.#lifetime.assertOpen(options);
    checkTopic(topic, who);
    checkHeaders(message.headers, who);
    const { length } = message.body;
    if (length > maxBodyBytes)
      throw new MicroError('too_large', `${who}: a body of ${length} bytes is more than ${maxBodyBytes}`);
    const bytes = encode(message);
    await this.#redis.use((client) => client.publish(topic, bytes), options);
  }

  async subscribe(topic: string, handler: BrokerHandler, options: SubscribeOptions = {}): Promise<Subscriber> {
    this.#lifetime.assertOpen(options);
    const matches = topicMatcher(topic, who);
    const { queue, concurrency, onError } = options;
    if (queue !== undefined) throw new MicroError('unsupported', `${who}: Redis pub/sub has no queues`);
    const what = `${who}: subscriber of "${topic}"`;
    const eventOf = (event: { topic: string; bytes: Buffer }) => ({ topic: event.topic, message: decode(event.bytes) });
    const events = new HandlerQueue({ what, handler, eventOf, concurrency, onError, logger: this.#logger });
    const listener = (bytes: Buffer, channel: Buffer) => {
      const actual = channel.toString();
      if (lifetime.isOpen && matches(actual)) events.push({ topic: actual, bytes });
    };
    // Redis' `*` goes over dots: as a glob the pattern lets more through, and `matches` drops the rest.
    const glob = topic.replace(/[?[\]\\]/g, '\\$&').replace(/>$/, '*');
    const isPattern = /[*>]/.test(topic);
    const lifetime = new Lifetime(what, (closeOptions) => {
      this.#subscribers.delete(subscriber);
      // Not waited for: nothing is listened to any more, and in an outage nobody answers.
      this.#redis
        .use((client) =>
          isPattern ? client.pUnsubscribe(glob, listener, true) : client.unsubscribe(topic, listener, true),
        )
        .catch(() => {});
      return events.finish(closeOptions, closeTimeoutMs);
    });
    const subscriber: Subscriber = {
      topic,
      queue,
      get closed() {
        return lifetime.closed;
      },
      close: (closeOptions) => lifetime.close(closeOptions),
      [Symbol.asyncDispose]: () => lifetime.close(),
    };
    this.#subscribers.add(subscriber);
    try {
      await this.#redis.use(
        (client) => (isPattern ? client.pSubscribe(glob, listener, true) : client.subscribe(topic, listener, true)),
        options,
      );
      lifetime.assertOpen();
      return subscriber;
    } catch (error) {
      void lifetime.close();
      throw error;
    }
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

  async #release(options: AbortOptions): Promise<void> {
    await closeAll(this.#subscribers, options).finally(() => this.#redis.end(options));
  }
}
