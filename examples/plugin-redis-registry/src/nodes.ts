import { type ServiceRecord, ServiceTable } from '@ts-micro/core';
import type { RedisClient } from '@ts-micro-examples/redis-link';

/** A node in a record of its own, or a version without nodes, as Redis keeps it. Times are in milliseconds, on Redis' clock. */
export interface Entry {
  readonly owner: string;
  readonly changedAt: number;
  readonly endsAt: number | null;
  readonly record: ServiceRecord;
}

/** The hash of all entries. */
export const hash = '{micro}:nodes';

export function nameOf({ name, version, nodes }: ServiceRecord): string {
  return JSON.stringify([name, version, nodes[0]?.id ?? '']);
}

export function split(record: ServiceRecord): readonly ServiceRecord[] {
  return record.nodes.length > 0 ? record.nodes.map((node) => ({ ...record, nodes: [node] })) : [record];
}

export async function timeOf(redis: RedisClient): Promise<number> {
  const [seconds, microseconds] = await redis.time();
  return Number(seconds) * 1000 + Number(microseconds) / 1000;
}

/** What is registered now. `lasting` says whether it will forget nodes as their leases end. */
export async function look(redis: RedisClient, lasting: boolean): Promise<ServiceTable> {
  const [values, now] = await Promise.all([redis.hVals(hash), timeOf(redis)]);
  const entries = values.map((json): Entry => JSON.parse(json)).sort((a, b) => a.changedAt - b.changedAt);
  const table = new ServiceTable();
  for (const { record, endsAt } of entries) {
    const leftMs = (endsAt ?? Number.POSITIVE_INFINITY) - now;
    if (leftMs > 0) table.register(record, table, lasting ? leftMs : undefined);
    // Long gone, so that nobody registers it at this moment.
    else if (leftMs < -86_400_000) await redis.hDel(hash, nameOf(record));
  }
  return table;
}
