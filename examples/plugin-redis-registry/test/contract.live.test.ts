import { setTimeout as sleep } from 'node:timers/promises';
import { startChaosProxy } from '@ts-micro/testkit/nats';
import { testRegistry } from '@ts-micro/testkit/vitest';
import { RedisServer } from '@ts-micro-examples/redis-server';
import { afterAll } from 'vitest';
import { redisRegistry } from '../src/redis-registry.ts';

const server = await RedisServer.start();
const proxy = await startChaosProxy({ target: server.address });
afterAll(() => Promise.all([proxy[Symbol.asyncDispose](), server[Symbol.asyncDispose]()]));

testRegistry({
  name: 'redis',
  open: () => redisRegistry({ url: `redis://${proxy.address}` }),
  faults: {
    kill: () => server.kill(),
    restart: () => server.restart(),
    async partition(ms) {
      proxy.cut();
      await sleep(ms);
      proxy.heal();
    },
  },
});
