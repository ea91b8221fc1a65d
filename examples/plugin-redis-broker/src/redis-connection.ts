import { createClient } from '@redis/client';
import { MicroError } from '@ts-micro/core';
import { LazyConnection } from '@ts-micro/kit';

type RedisClient = ReturnType<typeof createClient>;

/** Once connected it comes back by itself, with its subscriptions. Throws `invalid` where `url` is none. */
export function redisConnection(url: string, what: string): LazyConnection<RedisClient> {
  if (!/^rediss?:/.test(url) || !URL.canParse(url)) throw new MicroError('invalid', `${what}: url is no redis://...`);
  const left = new WeakSet<RedisClient>();
  return new LazyConnection({
    what,
    async dial() {
      let wasReady = false;
      const reconnectStrategy = (tries: number, cause: Error) => (wasReady ? 50 * Math.min(tries, 10) : cause);
      // Who answers no ping is gone, and no command waits for a reconnect.
      const socket = { connectTimeout: 5000, socketTimeout: 15_000, reconnectStrategy };
      const redis: RedisClient = createClient({
        url,
        socket,
        pingInterval: 5000,
        disableOfflineQueue: true,
        // From when a command is given, not from when it is written: behind a burst it waits longer than the usual 5 s.
        commandOptions: { timeout: 30_000 },
      });
      redis.on('error', () => {});
      redis.on('ready', () => {
        // A client that was let go of while it reconnected may come back all the same.
        if (left.has(redis)) redis.destroy();
        wasReady = true;
      });
      return redis.connect();
    },
    isReady: (redis) => redis.isReady,
    close: (redis) => redis.close(),
    destroy(redis) {
      left.add(redis);
      redis.destroy();
    },
    codeOf: (error) => (/^(NOAUTH|WRONGPASS|NOPERM)/.test((error as Error).message) ? 'unauthorized' : 'unavailable'),
  });
}
