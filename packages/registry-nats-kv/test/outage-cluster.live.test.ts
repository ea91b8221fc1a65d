import { connectNats, JetStreamApi } from '@ts-micro/nats';
import { startNatsWorld } from '@ts-micro/testkit/nats';
import { testRegistry } from '@ts-micro/testkit/vitest';
import { afterAll, expect, vi } from 'vitest';
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
    timing,
    create: async () => {
      await ready(out.servers);
      return world({ replicas: 3 }, out);
    },
  });
  testRegistry({
    name: `nats-kv registry on a cluster whose nodes are killed in turn, ${generation}`,
    // A lookup is answered from memory there, because another node is in reach.
    only: ({ id, needs }) => needs.includes('faults') && id !== 'registry/outage-lookup',
    timing,
    create: async () => {
      await ready(rolling.servers);
      return world({ replicas: 3 }, rolling);
    },
  });
}

/** Waits until the cluster has a leader that answers. */
async function ready(servers: readonly string[]): Promise<void> {
  await using connection = await connectNats({ servers });
  const api = new JetStreamApi({ connection, what: 'test', timeoutMs: 1000 });
  const ask = () => api.request('STREAM.NAMES', {});
  await vi.waitFor(async () => expect(await ask()).toBeDefined(), { timeout: 60_000, interval: 100 });
  api.close();
}
