import type { Logger, Registry } from '@ts-micro/core';
import { StoreRegistry } from '@ts-micro/kit';
import { redisConnection } from './redis-connection.ts';

export interface RedisRegistryOptions {
  /** @default 'redis://127.0.0.1:6379' */
  readonly url?: string | undefined;
  /** Told of messages that are none of a registry's. @default silent */
  readonly logger?: Logger | undefined;
}

const hash = '{micro}:nodes';
const channel = '{micro}:changes';

/** Service discovery over Redis: a hash of nodes, and changes over pub/sub. Throws `invalid` where `url` is none. */
export function redisRegistry({ url = 'redis://127.0.0.1:6379', logger }: RedisRegistryOptions = {}): Registry {
  const connection = redisConnection(url, 'redis registry', () => void registry.resume());
  const registry = new StoreRegistry({
    name: 'redis',
    logger,
    store: {
      read: (options) => connection.use((redis) => redis.hGetAll(hash), options),
      put: (texts, options) => connection.use((redis) => redis.hSet(hash, { ...texts }), options),
      remove: (names, options) => connection.use((redis) => redis.hDel(hash, [...names]), options),
      async now(options) {
        const [seconds, microseconds] = await connection.use((redis) => redis.time(), options);
        return Number(seconds) * 1000 + Number(microseconds) / 1000;
      },
      publish: (text, options) => connection.use((redis) => redis.publish(channel, text), options),
      subscribe: (listener, options) => connection.use((redis) => redis.subscribe(channel, listener), options),
      close: (options) => connection.end(options),
    },
  });
  return registry;
}
