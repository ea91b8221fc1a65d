import { expect, test } from 'vitest';
import { startNatsServer, startNatsCluster } from '../src/nats.ts';

test('x', async () => {
  const t = performance.now();
  await using server = await startNatsServer();
  console.log(server.url, performance.now() - t, await server.counts());
  await server.kill();
  await server.restart();
  const t1 = performance.now();
  await using cluster = await startNatsCluster();
  console.log(cluster.servers, performance.now() - t1);
  expect(1).toBe(1);
});
