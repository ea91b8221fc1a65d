import { testRegistry } from '@ts-micro/testkit/vitest';
import { startRedisServer } from '@ts-micro-examples/redis-server';
import { afterAll } from 'vitest';
import { redisRegistry } from '../src/redis-registry.ts';

const server = await startRedisServer();
afterAll(() => server[Symbol.asyncDispose]());

testRegistry({
  name: 'redis',
  open: () => redisRegistry({ url: `redis://${server.address}` }),
  faults: server.faults,
});
