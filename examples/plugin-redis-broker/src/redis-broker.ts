import {
  type Broker,
  checkHeaders,
  checkTopic,
  closeAll,
  HandlerSubscriber,
  Lifetime,
  type Logger,
  MicroError,
  type Subscriber,
  topicMatcher,
} from '@ts-micro/core';
import { RedisLink } from '@ts-micro-examples/redis-link';
import { decode, encode } from './envelope.ts';

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
  // What could not be unsubscribed during an outage comes back after it.
  const leftOver = new Set<() => Promise<void>>();
  const link = new RedisLink(url, who, async () => {
    for (const end of leftOver) await end().then(() => leftOver.delete(end));
  });
  const subscribers = new Set<Subscriber>();
  const lifetime = new Lifetime(who, async (options) => {
    await closeAll(subscribers, options).finally(() => link.end(async () => {}, options));
  });

  return {
    name: 'redis',
    address: link.address,
    options: { addresses: [link.address] },
    // Pub/sub gives every subscriber every message: there is nothing to make a queue of.
    supports: { queues: false, wildcards: true, maxBodyBytes },

    async connect(options) {
      lifetime.assertOpen(options);
      link.reopen();
      await link.use((redis) => redis.ping(), options);
    },

    async disconnect(options) {
      lifetime.assertOpen();
      await Promise.all(Array.from(subscribers, (each) => each.close(options)));
      await link.end(async () => {}, options).catch(() => {});
    },

    async publish(topic, message, options) {
      lifetime.assertOpen(options);
      checkTopic(topic, who);
      checkHeaders(message.headers, who);
      const { length } = message.body;
      if (length > maxBodyBytes) throw new MicroError('too_large', `${who}: ${length} bytes are over ${maxBodyBytes}`);
      const bytes = encode(message);
      await link.use((redis) => redis.publish(topic, bytes), options);
    },

    async subscribe(topic, handler, options = {}) {
      lifetime.assertOpen(options);
      const matches = topicMatcher(topic, who);
      if (options.queue !== undefined) throw new MicroError('unsupported', `${who}: Redis pub/sub has no queues`);
      const isPattern = /[*>]/.test(topic);
      const [on, off] = isPattern ? (['pSubscribe', 'pUnsubscribe'] as const) : (['subscribe', 'unsubscribe'] as const);
      // The `*` of Redis goes over dots: as its glob a pattern lets more through, and `matches` drops the rest.
      const channel = isPattern ? topic.replace(/[?[\]\\]/g, '\\$&').replace(/>$/, '*') : topic;
      const listener = (bytes: Buffer, from: Buffer) => {
        if (matches(from.toString())) subscriber.push([bytes, from]);
      };
      const unsubscribe = () => link.use((redis) => redis[off](channel, listener, true));
      const subscriber = new HandlerSubscriber<[bytes: Buffer, from: Buffer]>({
        ...options,
        what: `${who}: subscriber of "${topic}"`,
        topic,
        handler,
        eventOf: ([bytes, from]) => ({ topic: from.toString(), message: decode(bytes) }),
        logger,
        stop: () => unsubscribe().catch(() => leftOver.add(unsubscribe)),
      });
      subscribers.add(subscriber);
      void subscriber.closed.then(() => subscribers.delete(subscriber));
      try {
        await link.use((redis) => redis[on](channel, listener, true), options);
        return subscriber;
      } catch (error) {
        void subscriber.close();
        throw error;
      }
    },

    get closed() {
      return lifetime.closed;
    },
    close: (options) => lifetime.close(options),
    [Symbol.asyncDispose]: () => lifetime.close(),
  };
}
