import { testRegistry } from '@ts-micro/testkit/vitest';
import { startRedisServer } from '@ts-micro-examples/redis-server';
import { afterAll } from 'vitest';
import { redisRegistry } from '../src/redis-registry.ts';

const server = await startRedisServer();
afterAll(() => server[Symbol.asyncDispose]());

// Not `halfOpen`: the client finds a dead link only while it writes nothing.
const { kill, restart, partition } = server.faults;

testRegistry({
  name: 'redis',
  open: () => redisRegistry({ url: `redis://${server.address}` }),
  faults: { kill, restart, partition },
  loseData: () => server.loseData(),
});
