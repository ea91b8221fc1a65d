import { testTransport } from '@ts-micro/testkit/vitest';
import { startRabbitmq } from '@ts-micro-tools/backends';
import { afterAll } from 'vitest';
import { rabbitmqTransport } from '../src/index.ts';

const server = await startRabbitmq();
afterAll(() => server[Symbol.asyncDispose]());

testTransport({
  name: 'rabbitmq',
  open: () => rabbitmqTransport({ servers: server.address }),
  // A RabbitMQ takes seconds to start.
  timing: { factor: 10 },
  faults: server.faults,
  count: () => server.count(),
});
