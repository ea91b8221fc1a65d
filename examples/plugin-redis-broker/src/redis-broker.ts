import type { AbortOptions, Broker, BrokerHandler, Logger, Message, PublishOptions, Subscriber } from '@ts-micro/core';
import { checkMessage, checkTopic, MicroError, type SubscribeOptions, topicMatcher } from '@ts-micro/core';
import { BrokerBase, HandlerSubscriber, refuseDurability } from '@ts-micro/kit';
import { decode, encode } from './envelope.ts';
import { redisConnection } from './redis-connection.ts';

export interface RedisBrokerOptions {
  /** @default 'redis://127.0.0.1:6379' */
  readonly url?: string | undefined;
  /** Told of handlers that throw where `subscribe` was given no `onError`. @default silent */
  readonly logger?: Logger | undefined;
}

const who = 'redis broker';
// Redis cuts off a subscriber for whom 32 MiB are waiting.
const maxBodyBytes = 8 * 1024 * 1024;

/** Publish and subscribe over Redis pub/sub. Throws `invalid` where `url` is none. */
export function redisBroker({ url = 'redis://127.0.0.1:6379', logger }: RedisBrokerOptions = {}): Broker {
  return new RedisBroker(url, logger);
}

class RedisBroker extends BrokerBase implements Broker {
  readonly name = 'redis';
  readonly address: string;
  readonly options: Broker['options'];
  // Pub/sub gives every subscriber every message: there is nothing to make a queue of.
  readonly supports: Broker['supports'] = { queues: false, wildcards: true, maxBodyBytes };
  readonly #connection: ReturnType<typeof redisConnection>;
  readonly #logger: Logger | undefined;

  constructor(url: string, logger: Logger | undefined) {
    super(who);
    this.#connection = redisConnection(url, who);
    this.#logger = logger;
    this.address = new URL(url).host;
    this.options = { addresses: [this.address] };
  }

  async publish(topic: string, message: Message, options?: PublishOptions): Promise<void> {
    this.assertMayPublish(options);
    checkTopic(topic, who);
    checkMessage(message, maxBodyBytes, who);
    refuseDurability({ id: options?.id }, who);
    const bytes = encode(message);
    await this.#connection.use((redis) => redis.publish(topic, bytes), options);
  }

  async subscribe(topic: string, handler: BrokerHandler, options: SubscribeOptions = {}): Promise<Subscriber> {
    this.assertMaySubscribe(options);
    const matches = topicMatcher(topic, who);
    if (options.queue !== undefined) throw new MicroError('unsupported', `${who}: Redis pub/sub has no queues`);
    refuseDurability(options, who);
    const isPattern = /[*>]/.test(topic);
    const [on, off] = isPattern ? (['pSubscribe', 'pUnsubscribe'] as const) : (['subscribe', 'unsubscribe'] as const);
    // The `*` of Redis goes over dots: as its glob a pattern lets more through, and `matches` drops the rest.
    const channel = isPattern ? topic.replace(/[?[\]\\]/g, '\\$&').replace(/>$/, '*') : topic;
    const listener = (bytes: Buffer, from: Buffer) => {
      if (matches(from.toString())) subscriber.push([bytes, from]);
    };
    let unsubscribe = (): unknown => undefined;
    const subscriber = new HandlerSubscriber<[bytes: Buffer, from: Buffer]>({
      ...options,
      what: `${who}: subscriber of "${topic}"`,
      topic,
      handler,
      bytesOf: ([bytes]) => bytes.length,
      eventOf: ([bytes, from]) => ({ topic: from.toString(), message: decode(bytes) }),
      logger: this.#logger,
      stop: () => unsubscribe(),
    });
    const start = () =>
      this.#connection.use((redis) => {
        unsubscribe = () => {
          // Again where the connection is lost over it, because the client will subscribe again by itself.
          const left = redis[off](channel, listener, true).catch(() => redis.isOpen && !redis.isReady && unsubscribe());
          return redis.isReady ? left : undefined;
        };
        return redis[on](channel, listener, true);
      }, options);
    return this.keep(subscriber, start, options);
  }

  protected dial(options: AbortOptions): Promise<unknown> {
    this.#connection.reopen();
    return this.#connection.use((redis) => redis.ping(), options);
  }

  /** The end of the connection waits for it. */
  protected finishPublishing(): void {}

  protected hangUp(options: AbortOptions): Promise<void> {
    return this.#connection.end(options);
  }
}
