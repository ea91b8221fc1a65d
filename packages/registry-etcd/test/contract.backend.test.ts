import { testRegistry } from '@ts-micro/testkit/vitest';
import { startEtcd } from '@ts-micro-tools/backends';
import { afterAll } from 'vitest';
import { etcdRegistry } from '../src/index.ts';

const server = await startEtcd();
afterAll(() => server[Symbol.asyncDispose]());

testRegistry({
  name: 'etcd',
  open: () => etcdRegistry({ servers: server.address }),
  // etcd counts leases in seconds.
  timing: { ttlStepMs: 1000 },
  faults: server.faults,
  count: () => server.count(),
});
