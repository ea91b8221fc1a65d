import { testBroker } from '@ts-micro/testkit/vitest';
import { startKafka } from '@ts-micro-tools/backends';
import { afterAll } from 'vitest';
import { kafkaBroker } from '../src/index.ts';

let server = await startKafka();
let isForOutages = false;
afterAll(() => server[Symbol.asyncDispose]());

testBroker({
  name: 'kafka',
  async create(_id, { needs }) {
    if (needs.includes('faults') && !isForOutages) {
      // One with few topics: after a kill, Kafka reads all that it has.
      isForOutages = true;
      await server[Symbol.asyncDispose]();
      server = await startKafka();
    }
    const { address, faults } = server;
    // What is lost without a word is missed after these.
    const requestTimeoutMs = needs.includes('halfOpen') ? 2000 : 5000;
    return {
      open: () => kafkaBroker({ servers: address, sessionTimeoutMs: 3000, requestTimeoutMs }),
      faults,
      count: () => server.count(),
    };
  },
  // A Kafka takes seconds to start, and a group seconds to agree.
  timing: { factor: 8 },
  knownFailing: [
    {
      id: 'broker/redelivery-unsettled',
      reason: 'Kafka counts no deliveries: the number begins anew with the member that has the partition next',
    },
  ],
});
