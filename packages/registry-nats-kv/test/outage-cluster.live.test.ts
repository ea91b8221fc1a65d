import { serviceRecord } from '@ts-micro/core';
import { startNatsWorld } from '@ts-micro/testkit/nats';
import { testRegistry } from '@ts-micro/testkit/vitest';
import { afterAll, expect, vi } from 'vitest';
import { natsKvRegistry } from '../src/index.ts';
import { borrowed, owned } from './world.ts';

// The outage cases on clusters of three nodes, each key on all of them. Each is back after every case.
const out = await startNatsWorld({ size: 3, jetstream: true });
const rolling = await startNatsWorld({ size: 3, kill: 'inTurn', jetstream: true });
afterAll(() => Promise.all([out[Symbol.asyncDispose](), rolling[Symbol.asyncDispose]()]));

// A cluster chooses its leaders anew after each case.
const timing = { factor: 3 };

for (const [generation, world] of [
  ['nats 2.x', owned],
  ['@nats-io 3.x', borrowed],
] as const) {
  testRegistry({
    name: `nats-kv registry on a cluster that goes down, ${generation}`,
    only: ({ needs }) => needs.includes('faults') || needs.includes('partition'),
    cluster: true,
    timing,
    create: async () => {
      await ready(out.servers);
      return world({ replicas: 3 }, out);
    },
  });
  testRegistry({
    name: `nats-kv registry on a cluster whose nodes are killed in turn, ${generation}`,
    // A lookup is answered from memory there, because another node is in reach.
    only: ({ id, needs }) =>
      needs.includes('faults') && !['registry/outage-lookup', 'registry/outage-is-connected'].includes(id),
    cluster: true,
    timing,
    create: async () => {
      await ready(rolling.servers);
      return world({ replicas: 3 }, rolling);
    },
  });
}

/** Waits until a node can be registered through each server: until then leaders are chosen, after the last case. */
async function ready(servers: readonly string[]): Promise<void> {
  for (const server of servers) {
    await using registry = natsKvRegistry({ servers: server, name: 'ready', replicas: 3, requestTimeoutMs: 1000 });
    const record = serviceRecord({ name: 'ready', nodes: [{ id: server, address: server }] });
    const ask = async () => {
      await registry.register(record);
      expect(await registry.getService('ready')).toHaveLength(1);
      await registry.deregister(record);
    };
    await vi.waitFor(ask, { timeout: 90_000, interval: 100 });
  }
}
