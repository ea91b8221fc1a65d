import { expect, test, vi } from 'vitest';
import { startNatsCluster } from '../src/nats.ts';

test('three nodes are routed to each other when the cluster is started', async () => {
  await using cluster = await startNatsCluster();
  expect(cluster.nodes).toHaveLength(3);
  expect(cluster.servers).toBe(cluster.nodes.map((node) => node.address).join(','));
  expect(cluster.urls).toEqual(cluster.nodes.map((node) => node.url));
  for (const node of cluster.nodes) {
    // A server tells clients of another one a moment after it has the route to it.
    await vi.waitFor(
      async () => {
        const { connect_urls } = await node.monitor('varz');
        expect(new Set(connect_urls as string[])).toEqual(new Set(cluster.nodes.map((each) => each.address)));
      },
      { timeout: 15_000, interval: 20 },
    );
  }
});

test('a node that was killed comes back into the cluster', async () => {
  await using cluster = await startNatsCluster();
  for (const node of cluster.nodes) {
    await node.kill();
    await cluster.formed();
    await node.restart();
    await cluster.formed();
  }
  for (const node of cluster.nodes) {
    const { routes } = (await node.monitor('routez')) as { routes: { remote_id: string }[] };
    expect(new Set(routes.map((route) => route.remote_id)).size).toBe(2);
  }
});

test('a cluster of one is invalid', async () => {
  await expect(startNatsCluster({ size: 1 })).rejects.toMatchObject({ code: 'invalid' });
});
