import assert from 'node:assert/strict';
import { serviceRecord } from '@ts-micro/core';
import { etcdRegistry } from '@ts-micro/registry-etcd';
import { startEtcd } from '@ts-micro-tools/backends';
import { EtcdPeer } from '../../matrix/backends/etcd-peer.ts';
import type { Row } from '../../matrix/row.ts';
import { eventually } from '../../matrix/wait.ts';

const direction = 'registry';
// Its etcd registry is a part of v5.
const generations = ['v5'];

const node = (id: string) => ({ id, address: `127.0.0.1:${id.length}`, metadata: { protocol: 'mucp' } });

/** Discovery over etcd, with Go Micro's own etcd registry. */
export const etcdRows: readonly Row[] = [
  {
    id: 'etcd-both-ways',
    title: 'over etcd, services of Go and TypeScript find each other, merge their nodes, and see each other go',
    direction,
    generations,
    withinMs: 300_000,
    run: async () => {
      await using server = await startEtcd();
      await using go = await EtcdPeer.start(server.address);
      await using registry = etcdRegistry({ servers: server.address });
      await using watcher = await registry.watch({ service: 'greeter' });
      assert.equal((await watcher.receive())?.type, 'resync');
      await go.ask('watch');
      const endpoint = { name: 'Greeter.Hello', metadata: { stream: 'false' } };
      const ours = serviceRecord({ name: 'greeter', version: '1.0.0', endpoints: [endpoint], nodes: [node('ts/1')] });
      const theirs = { ...ours, nodes: [node('go-1')] };

      await registry.register(ours, { ttlMs: 60_000 });
      await go.line(({ event }) => JSON.stringify(event ?? '').includes('"ts/1"'));
      await watcher.receive();
      await go.ask('register', { service: theirs, ttlMs: 60_000 });
      const update = await watcher.receive();
      assert.equal(update?.type, 'update');

      const [seen] = await registry.getService('greeter');
      assert.deepEqual(seen?.nodes.map(({ id }) => id).sort(), ['go-1', 'ts/1']);
      const { services } = (await go.ask('get', { name: 'greeter' })) as { services: (typeof ours)[] };
      assert.equal(services.length, 1);
      assert.deepEqual(services[0]?.nodes.map(({ id }) => id).sort(), ['go-1', 'ts/1']);
      assert.deepEqual(services[0]?.endpoints[0]?.metadata, endpoint.metadata);
      assert.deepEqual(
        services[0]?.nodes.find(({ id }) => id === 'ts/1'),
        node('ts/1'),
      );

      await go.ask('deregister', { service: theirs });
      await eventually('the node of Go goes', async () => {
        assert.deepEqual((await registry.getService('greeter'))[0]?.nodes, [node('ts/1')]);
        return true;
      });
      await registry.deregister(ours);
      await eventually('nothing is listed by Go', async () => {
        assert.deepEqual(((await go.ask('list')) as { services: unknown }).services ?? [], []);
        return true;
      });
    },
  },
];
