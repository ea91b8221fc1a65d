import { testBroker } from '@ts-micro/testkit/vitest';
import { startRedisServer } from '@ts-micro-examples/redis-server';
import { afterAll } from 'vitest';
import { redisBroker } from '../src/redis-broker.ts';

const server = await startRedisServer();
afterAll(() => server[Symbol.asyncDispose]());

// Not `halfOpen`: the client finds a dead link only while it writes nothing.
const { kill, restart, partition } = server.faults;

testBroker({
  name: 'redis',
  open: () => redisBroker({ url: `redis://${server.address}` }),
  faults: { kill, restart, partition },
});
