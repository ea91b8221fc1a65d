import { createClient } from '@redis/client';
import type { AbortOptions, Broker, Logger, Subscriber } from '@ts-micro/core';
import {
  abortable,
  bounded,
  checkHeaders,
  checkTopic,
  closeAll,
  HandlerSubscriber,
  Lifetime,
  MicroError,
  topicMatcher,
} from '@ts-micro/core';
import { decode, encode } from './envelope.ts';

export interface RedisBrokerOptions {
  /** @default 'redis://127.0.0.1:6379' */
  readonly url?: string | undefined;
  /** Told of handlers that throw where `subscribe` was given no `onError`. @default silent */
  readonly logger?: Logger | undefined;
}

const who = 'redis broker';
const maxBodyBytes = 8 * 1024 * 1024; // Redis cuts off a subscriber for whom 32 MiB are waiting.

/** Publish and subscribe over Redis pub/sub. Throws `invalid` where `url` is none. */
export function redisBroker({ url = 'redis://127.0.0.1:6379', logger }: RedisBrokerOptions = {}): Broker {
  if (!/^rediss?:/.test(url) || !URL.canParse(url)) throw new MicroError('invalid', `${who}: url is no redis://...`);
  const address = new URL(url).host;
  const subscribers = new Set<Subscriber>();
  const lifetime = new Lifetime(who, end);
  let connecting: Promise<unknown> | undefined;
  let state: 'new' | 'connected' | 'over' = 'new';

  // The first attempt may fail; from then on the client comes back by itself, with its subscriptions.
  const reconnectStrategy = (tries: number, cause: Error) => (state === 'connected' ? 50 * Math.min(tries, 9) : cause);
  // Who answers no ping is gone, and nothing waits for a reconnect.
  const socket = { connectTimeout: 5000, socketTimeout: 15_000, reconnectStrategy };
  const redis = createClient({ url, socket, pingInterval: 5000, disableOfflineQueue: true });
  redis.on('error', () => {});
  redis.on('ready', () => {
    if (state === 'over') redis.destroy();
    else state = 'connected';
  });

  async function use<T>(command: () => Promise<T>, { signal }: AbortOptions = {}): Promise<T> {
    try {
      if (state === 'over') throw new MicroError('unavailable', `${who}: disconnected`, { retrySafe: true });
      connecting ??= redis.connect();
      await abortable(connecting, signal, who);
      return await abortable(command(), signal, who);
    } catch (error) {
      if (!redis.isOpen) connecting = undefined;
      const isRefused = /^(NOAUTH|WRONGPASS|NOPERM)/.test((error as Error).message);
      throw MicroError.from(error, isRefused ? 'unauthorized' : 'unavailable', who);
    }
  }

  async function end(options: AbortOptions = {}): Promise<void> {
    try {
      await closeAll(subscribers, options);
      if (redis.isReady) await bounded(redis.close(), options, 5000, `${who}: closing with messages under way`);
    } finally {
      state = 'over';
      connecting = undefined;
      redis.destroy();
    }
  }

  return {
    name: 'redis',
    address,
    options: { addresses: [address] },
    // Pub/sub gives every subscriber every message: there is nothing to make a queue of.
    supports: { queues: false, wildcards: true, maxBodyBytes },

    async connect(options) {
      lifetime.assertOpen(options);
      if (state === 'over') state = 'new';
      await use(() => redis.ping(), options);
    },

    async disconnect(options) {
      lifetime.assertOpen();
      await end(options).catch(() => {});
    },

    async publish(topic, message, options) {
      lifetime.assertOpen(options);
      checkTopic(topic, who);
      checkHeaders(message.headers, who);
      if (message.body.length > maxBodyBytes)
        throw new MicroError('too_large', `${who}: ${message.body.length} bytes are over ${maxBodyBytes}`);
      const bytes = encode(message);
      await use(() => redis.publish(topic, bytes), options);
    },

    async subscribe(topic, handler, options = {}) {
      lifetime.assertOpen(options);
      const matches = topicMatcher(topic, who);
      if (options.queue !== undefined) throw new MicroError('unsupported', `${who}: Redis pub/sub has no queues`);
      const isPattern = /[*>]/.test(topic);
      const [on, off] = isPattern ? (['pSubscribe', 'pUnsubscribe'] as const) : (['subscribe', 'unsubscribe'] as const);
      // The `*` of Redis goes over dots: as its glob a pattern lets more through, and `matches` drops the rest.
      const channel = isPattern ? topic.replace(/[?[\]\\]/g, '\\$&').replace(/>$/, '*') : topic;
      const listener = (bytes: Buffer, from: Buffer) => matches(`${from}`) && subscriber.push([bytes, from]);
      const subscriber: HandlerSubscriber<[bytes: Buffer, from: Buffer]> = new HandlerSubscriber({
        ...options,
        what: `${who}: subscriber of "${topic}"`,
        topic,
        handler,
        eventOf: ([bytes, from]: [Buffer, Buffer]) => ({ topic: `${from}`, message: decode(bytes) }),
        logger,
        stop: () => use(() => redis[off](channel, listener, true)),
      });
      subscribers.add(subscriber);
      void subscriber.closed.then(() => subscribers.delete(subscriber));
      await use(() => redis[on](channel, listener, true), options).catch((error) => {
        void subscriber.close();
        throw error;
      });
      return subscriber;
    },

    get closed() {
      return lifetime.closed;
    },
    close: (options) => lifetime.close(options),
    [Symbol.asyncDispose]: () => lifetime.close(),
  };
}
