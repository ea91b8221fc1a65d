import { testBroker } from '@ts-micro/testkit/vitest';
import { startRedisServer } from '@ts-micro-examples/redis-server';
import { afterAll } from 'vitest';
import { redisBroker } from '../src/redis-broker.ts';

const server = await startRedisServer();
afterAll(() => server[Symbol.asyncDispose]());

testBroker({
  name: 'redis',
  open: () => redisBroker({ url: `redis://${server.address}` }),
  faults: server.faults,
});
