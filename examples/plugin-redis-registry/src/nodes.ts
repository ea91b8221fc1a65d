import { type ServiceRecord, ServiceTable } from '@ts-micro/core';
import { type RedisClient, timeOf } from '@ts-micro-examples/redis-link';

/** A node in a record of its own, or a version without nodes. Times are in milliseconds, on Redis' clock. */
export type Entry = { owner: string; changedAt: number; endsAt: number | undefined; record: ServiceRecord };

/** Where the entries are, by {@link nameOf}. */
export const hash = '{micro}:nodes';

export function nameOf({ name, version, nodes }: ServiceRecord): string {
  return JSON.stringify([name, version, nodes[0]?.id ?? '']);
}

export function split(record: ServiceRecord): readonly ServiceRecord[] {
  return record.nodes.length > 0 ? record.nodes.map((node) => ({ ...record, nodes: [node] })) : [record];
}

/** What is registered now; a table that lasts forgets nodes as their leases end. */
export async function look(redis: RedisClient, lasting = false): Promise<ServiceTable> {
  const [values, now] = await Promise.all([redis.hVals(hash), timeOf(redis)]);
  const entries = values.map((json): Entry => JSON.parse(json)).sort((a, b) => a.changedAt - b.changedAt);
  const table = new ServiceTable();
  for (const { record, endsAt = Number.POSITIVE_INFINITY } of entries) {
    if (endsAt > now) table.register(record, lasting ? endsAt - now : undefined);
    // So long ago that nobody registers it at this moment.
    else if (endsAt < now - 86_400_000) await redis.hDel(hash, nameOf(record));
  }
  return table;
}
