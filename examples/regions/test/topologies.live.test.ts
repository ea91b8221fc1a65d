import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectNats } from '@ts-micro/nats';
import { natsRegistry } from '@ts-micro/registry-nats';
import {
  findNatsServer,
  type NatsServer,
  startChaosProxy,
  startNatsCluster,
  startNatsServer,
} from '@ts-micro/testkit/nats';
import { describe, expect, test } from 'vitest';
import { openRegion, type Region, whoAnswers, whoIsKnown } from '../src/region.ts';
import { joined, startSupercluster } from '../src/supercluster.ts';

const all = 'north-1, north-2, south-1, south-2';

/** What docs/topologies.md says, on real servers. */
describe('a cluster', () => {
  test('spreads a queue over all its servers, whichever is near', async () => {
    await using cluster = await startNatsCluster();
    const [first, second, third] = cluster.urls as [string, string, string];
    await using one = await openRegion('one', first);
    await using two = await openRegion('two', second);
    await using three = await openRegion('three', third);
    const regions = [one, two, three];
    await expect
      .poll(async () => {
        await one.client.publish('greeter.say', { text: 'hello' });
        return regions.every(({ heard }) => heard.length >= 20);
      })
      .toBe(true);
  });

  test('goes on with one server left of three', async () => {
    await using cluster = await startNatsCluster();
    await using region = await openRegion('north', cluster.servers);
    for (const node of cluster.nodes.slice(1)) {
      await node.kill();
      await expect.poll(() => whoAnswers(region.client).catch(String)).toMatch(/^north-1 \d+, north-2 \d+$/);
    }
  });
});

describe('gateways', () => {
  test('make one pool of two regions with the subjects of Go Micro', async () => {
    await using servers = await startSupercluster();
    await using north = await openRegion('north', servers.north.address);
    await using south = await openRegion('south', servers.south.address);
    for (const { registry } of [north, south]) await expect.poll(() => whoIsKnown(registry)).toBe(all);
    await expect.poll(() => whoAnswers(north.client)).toMatch(/north-1 .*north-2 .*south-1 .*south-2/);
    await servers.south.kill();
    await expect.poll(() => whoIsKnown(north.registry)).toBe('north-1, north-2');
    await expect.poll(() => whoAnswers(north.client)).toMatch(/^north-1 \d+, north-2 \d+$/);
  });

  test('keep a queue in its region while a member is there, and go on to another then', async () => {
    await using servers = await startSupercluster();
    await using north = await openRegion('north', servers.north.address);
    await using south = await openRegion('south', servers.south.address);
    await sayHundred(north, () => north.heard.length);
    expect(south.heard).toEqual([]);
    await north.stop();
    await sayHundred(north, () => south.heard.length);
    expect(north.heard).toHaveLength(100);
  });

  test('tell clients of no servers beyond their own region', async () => {
    await using servers = await startSupercluster();
    await using connection = await connectNats({ servers: servers.north.address });
    expect(connection.state.servers).toEqual([servers.north.address]);
  });

  test('over a long way want a longer silence', async () => {
    await using north = await startNatsServer({ config: 'gateway { name: north, listen: "127.0.0.1:-1" }' });
    const { gateway } = (await north.monitor('varz')) as { gateway: { port: number } };
    await using proxy = await startChaosProxy({ target: `127.0.0.1:${gateway.port}` });
    const remote = `{ name: north, url: "${proxy.url}" }`;
    await using south = await startNatsServer({
      config: `gateway { name: south, listen: "127.0.0.1:-1", gateways: [${remote}] }`,
    });
    await joined(north, 'south');
    await joined(south, 'north');
    await using inNorth = await openRegion('north', north.address);
    await using _inSouth = await openRegion('south', south.address);
    await expect.poll(() => whoIsKnown(inNorth.registry)).toBe(all);
    // What the south answers takes this long.
    proxy.delay(1000);
    await using patient = natsRegistry({ servers: north.address, quietMs: 3000, queryTimeoutMs: 10_000 });
    expect(await whoIsKnown(inNorth.registry)).toBe('north-1, north-2');
    expect(await whoIsKnown(patient)).toBe(all);
  });
});

describe('a leaf node', () => {
  test('is one pool with its hub, of whose servers its clients learn nothing, and lives on without it', async () => {
    await using hub = await startNatsServer({ config: 'leafnodes { listen: "127.0.0.1:-1" }' });
    await using leaf = await startLeaf(hub);
    await using inHub = await openRegion('north', hub.address);
    await using inLeaf = await openRegion('south', leaf.address);
    for (const { registry } of [inHub, inLeaf]) await expect.poll(() => whoIsKnown(registry)).toBe(all);
    await using connection = await connectNats({ servers: leaf.address });
    expect(connection.state.servers).toEqual([leaf.address]);
    await hub.kill();
    await expect.poll(() => whoIsKnown(inLeaf.registry)).toBe('south-1, south-2');
    expect(await whoAnswers(inLeaf.client)).toMatch(/^south-1 \d+, south-2 \d+$/);
  });

  test('that denies the subjects of the registry is a pool of its own, and still reaches a known address', async () => {
    const subjects = '["micro.nats.>", "micro.registry.nats.>"]';
    await using hub = await startNatsServer({ config: 'leafnodes { listen: "127.0.0.1:-1" }' });
    await using leaf = await startLeaf(hub, `deny_imports: ${subjects}, deny_exports: ${subjects}`);
    await using inHub = await openRegion('north', hub.address);
    await using inLeaf = await openRegion('south', leaf.address);
    const [record] = await inHub.registry.getService('greeter');
    const address = record?.nodes[0]?.address as string;
    // Its subscription is on its way to the leaf for a moment.
    await expect
      .poll(() => inLeaf.client.call('greeter', 'Greeter.WhoAmI', {}, { address }).catch(String))
      .toMatchObject({ id: expect.stringContaining('north-') });
    expect(await whoIsKnown(inHub.registry)).toBe('north-1, north-2');
    expect(await whoIsKnown(inLeaf.registry)).toBe('south-1, south-2');
  });
});

test('every configuration of docs/topologies.md is one that nats-server takes', () => {
  const page = readFileSync(new URL('../../../docs/topologies.md', import.meta.url), 'utf8');
  const blocks = [...page.matchAll(/^```conf (\S+)\n(.*?)^```/gms)];
  expect(blocks.map(([, name]) => name)).toEqual(['zone-a.conf', 'north-a.conf', 'hub.conf', 'leaf.conf']);
  const folder = mkdtempSync(join(tmpdir(), 'ts-micro-topologies-'));
  try {
    for (const [, name, config] of blocks) {
      const file = join(folder, name as string);
      writeFileSync(file, config as string);
      const { status, stderr } = spawnSync(findNatsServer(), ['-t', '-c', file], { encoding: 'utf8', timeout: 20_000 });
      expect({ name, status, stderr }).toMatchObject({ name, status: 0 });
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

async function startLeaf(hub: NatsServer, options: string = ''): Promise<NatsServer> {
  const { leaf } = (await hub.monitor('varz')) as { leaf: { port: number } };
  const remote = `{ url: "nats://127.0.0.1:${leaf.port}", ${options} }`;
  const server = await startNatsServer({ config: `leafnodes { remotes: [${remote}] }` });
  await expect.poll(async () => (await hub.monitor('leafz')).leafnodes).toBe(1);
  return server;
}

async function sayHundred(region: Region, heard: () => number): Promise<void> {
  for (let number = 1; number <= 100; number++) await region.client.publish('greeter.say', { text: `${number}` });
  await expect.poll(heard).toBe(100);
}
