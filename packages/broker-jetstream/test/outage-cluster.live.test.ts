import { connectNats, JetStreamApi } from '@ts-micro/nats';
import { startNatsWorld } from '@ts-micro/testkit/nats';
import { testBroker } from '@ts-micro/testkit/vitest';
import { afterAll, expect, vi } from 'vitest';
import { borrowed, owned } from './world.ts';

// The outage cases on a cluster of three nodes, each message on all of them. One cluster for all of them: it is back
// after each.
const rolling = await startNatsWorld({ size: 3, kill: 'inTurn', jetstream: true });
afterAll(() => rolling[Symbol.asyncDispose]());

const options = { stream: { replicas: 3 } };

// Nothing is refused there for long, because another node is in reach.
const refusals = ['broker/outage-publish', 'broker/outage-subscribe', 'broker/outage-is-connected'];

for (const [generation, world] of [
  ['nats 2.x', owned],
  ['@nats-io 3.x', borrowed],
] as const) {
  testBroker({
    name: `jetstream broker on a cluster whose nodes are killed in turn, ${generation}`,
    only: ({ id, needs }) => needs.includes('faults') && !refusals.includes(id),
    cluster: true,
    timing: { factor: 3 },
    create: async () => {
      await ready();
      const harness = await world(options, rolling);
      const { faults } = harness;
      if (faults === undefined) return harness;
      // A cluster chooses its leaders anew after each node, which may take it half a minute: the time of brokers begins
      // when there is one that answers.
      const restart = async () => {
        await faults.restart();
        await ready();
      };
      return { ...harness, faults: { ...faults, restart } };
    },
  });
}

/** Waits until the cluster has a leader that answers. */
async function ready(): Promise<void> {
  await using connection = await connectNats({ servers: rolling.servers });
  const api = new JetStreamApi({ connection, what: 'test', timeoutMs: 1000 });
  const ask = () => api.request('STREAM.NAMES', {});
  await vi.waitFor(async () => expect(await ask()).toBeDefined(), { timeout: 60_000, interval: 100 });
  api.close();
}
