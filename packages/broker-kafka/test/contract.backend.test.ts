import { testBroker } from '@ts-micro/testkit/vitest';
import { startKafka } from '@ts-micro-tools/backends';
import { afterAll } from 'vitest';
import { kafkaBroker } from '../src/index.ts';

const server = await startKafka();
afterAll(() => server[Symbol.asyncDispose]());

testBroker({
  name: 'kafka',
  open: () => kafkaBroker({ servers: server.address, sessionTimeoutMs: 4000 }),
  // A Kafka takes seconds to start, and a group seconds to agree.
  timing: { factor: 10 },
  knownFailing: [
    {
      id: 'broker/redelivery-unsettled',
      reason: 'Kafka counts no deliveries: the number begins anew with the member that has the partition next',
    },
  ],
  faults: server.faults,
  count: () => server.count(),
});
