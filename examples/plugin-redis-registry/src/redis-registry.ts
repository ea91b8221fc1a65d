import { randomUUID } from 'node:crypto';
import type { Registry, ServiceRecord } from '@ts-micro/core';
import { closeAll, Lifetime, MicroError, RecordWatcher, ServiceTable, serviceRecord } from '@ts-micro/core';
import { type RedisClient, RedisLink } from '@ts-micro-examples/redis-link';
import { type Entry, hash, look, nameOf, split, timeOf } from './nodes.ts';

type Change = { readonly put: ServiceRecord; readonly ttlMs?: number } | { readonly drop: ServiceRecord };
type Follower = { take(change: Change): void; load(redis: RedisClient): Promise<void> };

const who = 'redis registry';
const channel = '{micro}:changes';

function apply(table: ServiceTable, change: Change): void {
  if ('put' in change) table.register(change.put, table, change.ttlMs);
  else table.deregister(change.drop);
}

/** Service discovery over Redis: one hash of nodes with leases, and changes over pub/sub. Throws `invalid` where `url` is none. */
export function redisRegistry({
  url = 'redis://127.0.0.1:6379',
}: {
  readonly url?: string | undefined;
} = {}): Registry {
  const owner = randomUUID();
  const mine = new Map<string, Entry>();
  const followers = new Map<RecordWatcher, Follower>();
  const link = new RedisLink(url, who, catchUp);
  const lifetime = new Lifetime(who, (options) =>
    closeAll(followers.keys(), options).finally(() => link.end(leave, options)),
  );

  async function put(redis: RedisClient, record: ServiceRecord, ttlMs?: number): Promise<void> {
    const now = await timeOf(redis);
    const entries = split(record).map((one): [name: string, entry: Entry] => {
      const known = mine.get(nameOf(one));
      const isSame = known && JSON.stringify(known.record) === JSON.stringify(one);
      const endsAt = ttlMs === undefined ? null : now + ttlMs;
      return [nameOf(one), { owner, changedAt: isSame ? known.changedAt : now, endsAt, record: one }];
    });
    for (const [name, entry] of entries) mine.set(name, entry);
    // No transaction: Redis 7.0 writes a message to its own publisher right into the answers of one. With nodes, a version no longer
    // stands for itself.
    await Promise.all([
      redis.hDel(hash, nameOf({ ...record, nodes: [] })),
      redis.hSet(
        hash,
        entries.flatMap(([name, entry]) => [name, JSON.stringify(entry)]),
      ),
      redis.publish(channel, JSON.stringify({ put: record, ttlMs })),
    ]);
  }

  async function drop(redis: RedisClient, record: ServiceRecord): Promise<void> {
    const names = split(record).map(nameOf);
    for (const name of names) mine.delete(name);
    await Promise.all([redis.hDel(hash, names), redis.publish(channel, JSON.stringify({ drop: record }))]);
  }

  /** After an outage: changes went by, and Redis may have lost everything. */
  async function catchUp(redis: RedisClient): Promise<void> {
    const now = await timeOf(redis);
    for (const { endsAt, record } of mine.values())
      if (endsAt === null || endsAt > now) await put(redis, record, endsAt === null ? undefined : endsAt - now);
    for (const each of followers.values()) await each.load(redis);
  }

  /** Removes what nobody else has registered since. */
  async function leave(redis: RedisClient): Promise<void> {
    for (const [name, { record }] of mine) {
      const json = await redis.hGet(hash, name);
      if (json && JSON.parse(json).owner === owner) await drop(redis, record);
    }
  }

  function onChange(text: string): void {
    try {
      for (const each of followers.values()) each.take(JSON.parse(text));
    } catch {
      // Somebody else's message; an exception would end the connection.
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
      return (await link.use((redis) => look(redis, false), options)).list(name);
    },

    async listServices(options) {
      lifetime.assertOpen(options);
      return (await link.use((redis) => look(redis, false), options)).list();
    },

    async watch(options = {}) {
      lifetime.assertOpen(options);
      const { service } = options;
      if (service === '') throw new MicroError('invalid', `${who}: service name is empty`);
      let table = new ServiceTable();
      let late: Change[] | undefined;
      const stop = () => {
        table.unwatch(watcher);
        table.release(table);
      };
      const watcher: RecordWatcher = new RecordWatcher({
        what: `${who}: watcher`,
        service,
        known: () => table.list(service),
        stop: () => {
          followers.delete(watcher);
          stop();
        },
      });
      const take = (change: Change) => {
        late?.push(change);
        apply(table, change);
      };
      const load = async (redis: RedisClient) => {
        late = [];
        const fresh = await look(redis, true);
        // What came in meanwhile may be newer than the answer.
        for (const change of late) apply(fresh, change);
        late = undefined;
        stop();
        table = fresh;
        if (followers.has(watcher)) table.watch(watcher);
      };
      followers.set(watcher, { take, load });
      try {
        await link.use((redis) => redis.subscribe(channel, onChange), options);
        await link.use(load, options);
        return watcher;
      } catch (error) {
        void watcher.close();
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
