import { startNatsWorld } from '@ts-micro/testkit/nats';
import { testBroker } from '@ts-micro/testkit/vitest';
import { afterAll } from 'vitest';
import { borrowed, owned } from './world.ts';

// The outage cases on a cluster of three nodes, over both generations of the client. One cluster for all of them: it is
// back after each.
const out = await startNatsWorld({ size: 3 });
const rolling = await startNatsWorld({ size: 3, kill: 'inTurn' });
afterAll(() => Promise.all([out[Symbol.asyncDispose](), rolling[Symbol.asyncDispose]()]));

// More than one dial in a row can meet a node that is just dying, and end by its timeout alone.
const timing = { factor: 2 };

// Nothing is refused there for long, because another node is in reach.
const refusals = ['broker/outage-publish', 'broker/outage-subscribe', 'broker/outage-is-connected'];

for (const [generation, world] of [
  ['nats 2.x', owned],
  ['@nats-io 3.x', borrowed],
] as const) {
  testBroker({
    name: `nats broker on a cluster that goes down, ${generation}`,
    only: ({ needs }) => needs.includes('faults') || needs.includes('partition'),
    cluster: true,
    timing,
    create: () => world({}, out),
  });
  testBroker({
    name: `nats broker on a cluster whose nodes are killed in turn, ${generation}`,
    only: ({ id, needs }) => needs.includes('faults') && !refusals.includes(id),
    cluster: true,
    timing,
    create: () => world({}, rolling),
  });
}
