import { randomUUID } from 'node:crypto';
import type { Registry, ServiceRecord } from '@ts-micro/core';
import { closeAll, FollowingWatcher, Lifetime, MicroError, serviceRecord } from '@ts-micro/core';
import { type RedisClient, RedisLink, timeOf } from '@ts-micro-examples/redis-link';
import { type Entry, hash, look, nameOf, split } from './nodes.ts';

export type RedisRegistryOptions = { readonly url?: string | undefined };

const who = 'redis registry';
const channel = '{micro}:changes';

/** Service discovery over Redis: one hash of nodes with leases, and changes over pub/sub. Throws `invalid` where `url` is none. */
export function redisRegistry({ url = 'redis://127.0.0.1:6379' }: RedisRegistryOptions = {}): Registry {
  const owner = randomUUID();
  const mine = new Map<string, Entry>();
  const watchers = new Set<FollowingWatcher>();
  const link = new RedisLink(url, who, catchUp);
  const feed = link.feed(channel, (text) => {
    const { put, ttlMs, drop } = JSON.parse(text);
    for (const watcher of watchers)
      watcher.follow((table) => (put ? table.register(put, ttlMs) : table.deregister(drop)));
  });
  const lifetime = new Lifetime(who, (options) => closeAll(watchers, options).finally(() => link.end(leave, options)));

  async function put(redis: RedisClient, record: ServiceRecord, ttlMs?: number): Promise<void> {
    const now = await timeOf(redis);
    const fields: Record<string, string> = {};
    for (const one of split(record)) {
      const name = nameOf(one);
      const known = mine.get(name);
      const isSame = known && JSON.stringify(known.record) === JSON.stringify(one);
      const entry = { owner, changedAt: isSame ? known.changedAt : now, endsAt: ttlMs && now + ttlMs, record: one };
      mine.set(name, entry);
      fields[name] = JSON.stringify(entry);
    }
    // With nodes, a version no longer stands for itself. No MULTI: Redis 7.0 writes a message to its own sender amid the answers.
    const nodeless = nameOf({ ...record, nodes: [] });
    const message = JSON.stringify({ put: record, ttlMs });
    await Promise.all([redis.hDel(hash, nodeless), redis.hSet(hash, fields), redis.publish(channel, message)]);
  }

  async function drop(redis: RedisClient, record: ServiceRecord): Promise<void> {
    const names = split(record).map(nameOf);
    for (const name of names) mine.delete(name);
    await Promise.all([redis.hDel(hash, names), redis.publish(channel, JSON.stringify({ drop: record }))]);
  }

  /** After an outage: Redis may have lost everything, and changes went by. */
  async function catchUp(redis: RedisClient): Promise<void> {
    const now = await timeOf(redis);
    for (const [name, { endsAt, record }] of mine)
      if (endsAt !== undefined && endsAt <= now) mine.delete(name);
      else await put(redis, record, endsAt && endsAt - now);
    for (const watcher of watchers) await watcher.load(() => look(redis, true));
  }

  /** Drops what nobody else has put since. */
  async function leave(redis: RedisClient): Promise<void> {
    for (const [name, { record }] of mine) {
      const json = await redis.hGet(hash, name);
      if (json && JSON.parse(json).owner === owner) await drop(redis, record);
    }
  }

  return {
    name: 'redis',
    supports: { ttl: true, watch: true },

    async register(service, options = {}) {
      lifetime.assertOpen(options);
      const record = serviceRecord(service);
      const { ttlMs } = options;
      if (ttlMs !== undefined && !(Number.isFinite(ttlMs) && ttlMs > 0))
        throw new MicroError('invalid', `${who}: ttlMs is ${String(ttlMs)}, not a positive number`);
      await link.use((redis) => put(redis, record, ttlMs), options);
    },

    async deregister(service, options) {
      lifetime.assertOpen(options);
      const record = serviceRecord(service);
      await link.use((redis) => drop(redis, record), options);
    },

    async getService(name, options) {
      lifetime.assertOpen(options);
      if (name === '') throw new MicroError('invalid', `${who}: service name is empty`);
      return (await link.use(look, options)).list(name);
    },

    async listServices(options) {
      lifetime.assertOpen(options);
      return (await link.use(look, options)).list();
    },

    async watch(options = {}) {
      lifetime.assertOpen(options);
      const { service } = options;
      if (service === '') throw new MicroError('invalid', `${who}: service name is empty`);
      const stop = () => watchers.delete(watcher);
      const watcher: FollowingWatcher = new FollowingWatcher({ what: `${who}: watcher`, service, stop });
      watchers.add(watcher);
      await watcher.load(async () => {
        await feed(options);
        return link.use((redis) => look(redis, true), options);
      });
      return watcher;
    },

    get closed() {
      return lifetime.closed;
    },
    close: (options) => lifetime.close(options),
    [Symbol.asyncDispose]: () => lifetime.close(),
  };
}
