import type { Broker, Logger, Subscriber } from '@ts-micro/core';
import { checkMessage, checkTopic, MicroError, topicMatcher } from '@ts-micro/core';
import { closeAll, HandlerSubscriber, Lifetime, refuseDurability } from '@ts-micro/kit';
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
  const connection = redisConnection(url, who);
  const address = new URL(url).host;
  const subscribers = new Set<Subscriber>();
  const lifetime = new Lifetime(who, (options) =>
    closeAll(subscribers, options).finally(() => connection.end(options)),
  );

  return {
    name: 'redis',
    address,
    options: { addresses: [address] },
    // Pub/sub gives every subscriber every message: there is nothing to make a queue of.
    supports: { queues: false, wildcards: true, maxBodyBytes },

    async connect(options) {
      lifetime.assertOpen(options);
      connection.reopen();
      await connection.use((redis) => redis.ping(), options);
    },

    async disconnect(options) {
      lifetime.assertOpen();
      const ending = connection.end(options).catch(() => {});
      await Promise.all([ending, ...Array.from(subscribers, (each) => each.close(options))]);
    },

    async publish(topic, message, options) {
      lifetime.assertOpen(options);
      checkTopic(topic, who);
      checkMessage(message, maxBodyBytes, who);
      refuseDurability({ id: options?.id }, who);
      const bytes = encode(message);
      await connection.use((redis) => redis.publish(topic, bytes), options);
    },

    async subscribe(topic, handler, options = {}) {
      lifetime.assertOpen(options);
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
        logger,
        stop: () => unsubscribe(),
      });
      subscribers.add(subscriber);
      void subscriber.closed.then(() => subscribers.delete(subscriber));
      const subscribing = connection.use((redis) => {
        unsubscribe = () => {
          // Again where the connection is lost over it, because the client will subscribe again by itself.
          const left = redis[off](channel, listener, true).catch(() => redis.isOpen && !redis.isReady && unsubscribe());
          return redis.isReady ? left : undefined;
        };
        return redis[on](channel, listener, true);
      }, options);
      await subscribing.catch((error) => {
        void subscriber.close();
        throw error;
      });
      return subscriber;
    },

    closed: lifetime.closed,
    close: (options) => lifetime.close(options),
    [Symbol.asyncDispose]: () => lifetime.close(),
  };
}
