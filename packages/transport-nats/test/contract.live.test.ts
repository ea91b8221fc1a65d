import { connectNats } from '@ts-micro/nats';
import type { Harness } from '@ts-micro/testkit';
import { startNatsWorld } from '@ts-micro/testkit/nats';
import { testTransport } from '@ts-micro/testkit/vitest';
import { natsTransport } from '../src/index.ts';
import { owned } from './world.ts';

testTransport({ name: 'natsTransport', create: () => owned() });
testTransport({ name: 'natsTransport on a borrowed connection', create: sharing });
for (const dialWithMetadata of [true, false]) {
  testTransport({
    name: `natsTransport in Go Micro's dialect, dialled ${dialWithMetadata ? 'with' : 'without'} metadata`,
    dialWithMetadata,
    create: async () => withoutHalfOpen(await owned({ dialect: 'go' })),
  });
}

/** All transports have the same connection. */
async function sharing(): Promise<Harness<'transport'>> {
  const nats = await startNatsWorld();
  const connection = await connectNats({ servers: nats.servers });
  return withoutHalfOpen({
    open: () => natsTransport({ connection }),
    faults: nats.faults,
    count: nats.count,
    async [Symbol.asyncDispose]() {
      await connection.close();
      await nats[Symbol.asyncDispose]();
    },
  });
}

/** What finds out that a link is dead is the same in all of them, and takes its time. */
function withoutHalfOpen({ faults, ...rest }: Harness<'transport'>): Harness<'transport'> {
  const { kill, restart, partition } = faults ?? {};
  if (!kill || !restart || !partition) return rest;
  return { ...rest, faults: { kill, restart, partition } };
}
