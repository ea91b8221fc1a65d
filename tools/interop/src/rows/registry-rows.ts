import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { RegistryEvent, ServiceRecord } from '@ts-micro/core';
import { createClient } from '@ts-micro/service';
import type { Row } from '../matrix/row.ts';
import type { Stage } from '../matrix/stage.ts';
import { eventually, sleep } from '../matrix/wait.ts';
import type { PeerLine } from '../peer-process.ts';

const direction = 'registry';

function freshName(): string {
  return `mixed.${randomUUID().slice(0, 8)}`;
}

/** What a Go registry answers. */
async function goGet(stage: Stage, service: string): Promise<ServiceRecord[]> {
  const client = await stage.goClient();
  const { services, error } = await client.command({ op: 'get', service });
  assert.equal(error, undefined);
  return (services ?? []) as ServiceRecord[];
}

/** Asks until it holds: a Go lookup is over after 100 ms, whatever a loaded machine still has to say. */
function goSees(stage: Stage, service: string, check: (records: readonly ServiceRecord[]) => void): Promise<boolean> {
  return eventually(`${service} as Go sees it`, async () => {
    check(await goGet(stage, service));
    return true;
  });
}

/** The same for a lookup of ours, which is over a quiet moment after the last answer. */
function tsSees(stage: Stage, service: string, check: (records: readonly ServiceRecord[]) => void): Promise<boolean> {
  return eventually(`${service} as TypeScript sees it`, async () => {
    const { registry } = await stage.tsClient();
    check(await registry.getService(service));
    return true;
  });
}

async function goList(stage: Stage): Promise<string[]> {
  const client = await stage.goClient();
  const { services } = await client.command({ op: 'list' });
  return ((services ?? []) as ServiceRecord[]).map(({ name }) => name);
}

function nodeIds(records: readonly ServiceRecord[]): string[] {
  return records
    .flatMap(({ nodes }) => nodes ?? [])
    .map(({ id }) => id)
    .sort();
}

function registryLines(lines: readonly PeerLine[], name: string): { action: unknown; service: ServiceRecord }[] {
  return lines
    .filter(({ event, service }) => event === 'registry' && (service as ServiceRecord | null)?.name === name)
    .map(({ action, service }) => ({ action, service: service as ServiceRecord }));
}

/** Lookups, announcements and heartbeats between Go and TypeScript. */
export const registryRows: readonly Row[] = [
  {
    id: 'ts-sees-go',
    title: 'TypeScript finds a Go service, complete, and lists it',
    direction,
    run: async (stage) => {
      const server = await stage.goServer();
      const { registry } = await stage.tsClient();
      const [record, ...more] = await registry.getService(stage.goService);
      assert.equal(more.length, 0);
      assert.equal(record?.version, '1.0.0');
      assert.deepEqual(
        record?.nodes.map(({ id, address, metadata }) => [id, address, metadata.protocol, metadata.transport]),
        [[server.ready.id, server.ready.address, 'mucp', 'nats']],
      );
      const names = record?.endpoints.map(({ name }) => name) ?? [];
      for (const name of ['Greeter.Hello', 'Greeter.Count']) assert.ok(names.includes(name), names.join(', '));
      // A list ends a quiet moment after the last answer, and a loaded machine may keep an answer back for longer.
      await eventually('the service in a list', async () =>
        (await registry.listServices()).some(({ name }) => name === stage.goService),
      );
    },
  },
  {
    id: 'go-sees-ts',
    title: 'Go finds a TypeScript service, each node once, with what Go clients need, and lists it',
    direction,
    run: async (stage) => {
      const { service } = await stage.tsServer();
      await goSees(stage, stage.tsService, (records) => {
        assert.deepEqual([records.length, nodeIds(records)], [1, [service.node?.id]]);
        const metadata = records[0]?.nodes[0]?.metadata ?? {};
        assert.deepEqual([metadata.protocol, metadata.transport, metadata.server], ['mucp', 'nats', 'mucp']);
        const names = records[0]?.endpoints.map(({ name }) => name) ?? [];
        for (const name of ['Greeter.Hello', 'Greeter.Count']) assert.ok(names.includes(name), names.join(', '));
      });
      await eventually('the service in a list', async () => (await goList(stage)).includes(stage.tsService));
    },
  },
  {
    id: 'ts-watches-go',
    title: 'a TypeScript watcher hears of a Go service coming and going, and not of its heartbeats',
    direction,
    run: async (stage) => {
      const { registry } = await stage.tsClient();
      // A Go process that stops often exits before its farewell is written: only one that was on the wire can be heard.
      for (let attempt = 0; attempt < 10; attempt++) {
        const name = freshName();
        let saidFarewell = false;
        const stop = stage.bare.subscribe(stage.generation.watchSubject, ({ payload }) => {
          const { Action, Service } = JSON.parse(payload.toString()) as { Action: string; Service: ServiceRecord };
          saidFarewell ||= Action === 'delete' && Service.name === name;
        });
        const events: RegistryEvent[] = [];
        await using watcher = await registry.watch({ service: name });
        const reading = (async () => {
          for await (const event of watcher) events.push(event);
        })();
        const server = await stage.startGo('server', '--name', name, '--interval', '200');
        await eventually('a create', () => events.some(({ type }) => type === 'create'));
        await sleep(700);
        await server.stop();
        await stage.bare.flush();
        stop();
        if (saidFarewell) await eventually('a delete', () => events.some(({ type }) => type === 'delete'));
        await watcher.close();
        await reading;
        const expected = ['resync', 'create', ...(saidFarewell ? ['delete'] : [])];
        assert.deepEqual(
          events.map(({ type }) => type),
          expected,
        );
        if (saidFarewell) return;
      }
      assert.fail('the Go service never said that it was going');
    },
  },
  {
    id: 'go-watches-ts',
    title: 'a Go watcher hears of a TypeScript service coming, of its heartbeats, and of its going',
    direction,
    run: async (stage) => {
      const name = freshName();
      await using watcher = await stage.startGo('registry', 'watch', name);
      await sleep(150);
      const peer = await stage.serveTs({ name, registerIntervalMs: 300 });
      const id = peer.service.node?.id;
      await eventually('three announcements', () => registryLines(watcher.lines, name).length >= 3);
      await peer[Symbol.asyncDispose]();
      await eventually('a delete', () => registryLines(watcher.lines, name).at(-1)?.action === 'delete');
      const heard = registryLines(watcher.lines, name);
      for (const { service } of heard) assert.deepEqual(nodeIds([service]), [id]);
      assert.deepEqual(new Set(heard.slice(0, -1).map(({ action }) => action)), new Set(['create']));
    },
  },
  {
    id: 'versions',
    title: 'a Go and a TypeScript version of one service are kept apart by both, and a call can ask for one',
    direction,
    run: async (stage) => {
      const name = freshName();
      await using go = await stage.startGo('server', '--name', name, '--version', '1.0.0');
      await using ts = await stage.serveTs({ name, version: '2.0.0' });
      const versions = (records: readonly ServiceRecord[]): string[] => records.map(({ version }) => version).sort();
      await tsSees(stage, name, (records) => assert.deepEqual(versions(records), ['1.0.0', '2.0.0']));
      await goSees(stage, name, (records) => assert.deepEqual(versions(records), ['1.0.0', '2.0.0']));
      const { client } = await stage.tsClient();
      const ask = (version: string): Promise<{ id: string }> => client.call(name, 'Greeter.WhoAmI', {}, { version });
      await eventually('an answer of each version', async () => (await ask('1.0.0')) && (await ask('2.0.0')));
      for (let n = 0; n < 10; n++) {
        assert.equal((await ask('1.0.0')).id, go.ready.id);
        assert.equal((await ask('2.0.0')).id, ts.service.node?.id);
      }
    },
  },
  {
    id: 'merged',
    title: 'a Go and a TypeScript node of one version are merged by both, and calls of both spread over them',
    direction,
    run: async (stage) => {
      const name = freshName();
      await using go = await stage.startGo('server', '--name', name, '--version', '1.0.0');
      await using ts = await stage.serveTs({ name, version: '1.0.0' });
      const ids = [String(go.ready.id), String(ts.service.node?.id)].sort();
      const { plugins } = await stage.tsClient();
      // The default goes by latency: of two nodes on a busy machine it takes the quicker one.
      await using client = createClient({ ...plugins, selector: 'roundRobin' });
      await tsSees(stage, name, (records) => assert.deepEqual([records.length, nodeIds(records)], [1, ids]));
      await goSees(stage, name, (records) => assert.deepEqual([records.length, nodeIds(records)], [1, ids]));

      const counts = new Map<string, number>();
      await eventually('an answer of each node', async () => {
        const { id } = await client.call<{ id: string }>(name, 'Greeter.WhoAmI', {});
        counts.set(id, 1);
        return counts.size === 2;
      });
      for (let n = 0; n < 60; n++) {
        const { id } = await client.call<{ id: string }>(name, 'Greeter.WhoAmI', {});
        counts.set(id, (counts.get(id) ?? 0) + 1);
      }
      for (const id of ids) assert.ok((counts.get(id) ?? 0) >= 10, `TypeScript client: ${JSON.stringify([...counts])}`);

      const goClient = await stage.goClient();
      const many = await goClient.command({
        op: 'callMany',
        service: name,
        endpoint: 'Greeter.WhoAmI',
        body: {},
        count: 60,
        concurrency: 4,
      });
      assert.deepEqual(many.failures, {});
      const answers = Object.entries(many.answers as Record<string, number>);
      for (const id of ids) {
        const got = answers.filter(([answer]) => answer.includes(id)).reduce((sum, [, times]) => sum + times, 0);
        assert.ok(got >= 10, `Go client: ${JSON.stringify(answers)}`);
      }
    },
  },
  {
    id: 'cache-follows',
    title: "Go's registry cache follows our announcements: a service that comes late, and a node that leaves",
    direction,
    run: async (stage) => {
      const name = freshName();
      const client = await stage.goClient();
      const ask = { op: 'call', service: name, endpoint: 'Greeter.WhoAmI', body: {}, retries: 0, timeoutMs: 2_000 };
      assert.equal((await client.command(ask)).ok, false);
      await sleep(300);
      await using stays = await stage.serveTs({ name, version: '1.0.0' });
      await eventually('an answer of the late service', async () => (await client.command(ask)).ok === true, 3_000);
      const leaves = await stage.serveTs({ name, version: '1.0.0' });
      const leavingId = leaves.service.node?.id;
      await eventually('an answer of the second node', async () => {
        const { body } = await client.command(ask);
        return (body as { id?: string } | null)?.id === leavingId;
      });
      await leaves[Symbol.asyncDispose]();
      await sleep(100);
      const many = await client.command({ ...ask, op: 'callMany', count: 60, concurrency: 4 });
      assert.deepEqual(many.failures, {});
      for (const answer of Object.keys(many.answers as object))
        assert.ok(answer.includes(String(stays.service.node?.id)), answer);
    },
  },
  {
    id: 'announced-early',
    title: 'a Go service called the moment it announces itself, before it listens, is answered all the same',
    direction,
    run: async (stage) => {
      const { registry, client } = await stage.tsClient();
      for (let n = 0; n < 5; n++) {
        const name = freshName();
        await using watcher = await registry.watch({ service: name });
        const answered = (async () => {
          for await (const { type } of watcher) {
            if (type === 'create') return client.call(name, 'Greeter.Hello', { name: 'early' }, { timeoutMs: 3_000 });
          }
          return undefined;
        })();
        await using _server = await stage.startGo('server', '--name', name);
        assert.deepEqual(await answered, { msg: 'Hello early' });
      }
    },
  },
  {
    id: 'go-leaves',
    title: 'a Go node that stops: idempotent calls of a TypeScript client all succeed',
    direction,
    run: async (stage) => {
      const name = freshName();
      await using go = await stage.startGo('server', '--name', name, '--version', '1.0.0');
      await using _ts = await stage.serveTs({ name, version: '1.0.0' });
      const { client } = await stage.tsClient();
      let answers = 0;
      const calling = (async () => {
        for (let n = 0; n < 200; n++) {
          // Go closes its connection under requests that are in flight, so an attempt may get no answer.
          await client.call(name, 'Greeter.WhoAmI', {}, { idempotent: true, attemptTimeoutMs: 1_000 });
          answers += 1;
          await sleep(2);
        }
      })();
      await sleep(100);
      await go.stop();
      await calling;
      assert.equal(answers, 200);
    },
  },
  {
    id: 'go-killed',
    title: 'SIGKILL of a Go node: idempotent calls of a TypeScript client all succeed',
    direction,
    run: async (stage) => {
      const name = freshName();
      const go = await stage.startGo('server', '--name', name, '--version', '1.0.0');
      await using _ts = await stage.serveTs({ name, version: '1.0.0' });
      const { client } = await stage.tsClient();
      const ask = (): Promise<unknown> =>
        client.call(name, 'Greeter.WhoAmI', {}, { idempotent: true, attemptTimeoutMs: 1_000 });
      for (let n = 0; n < 20; n++) await ask();
      await go.kill();
      for (let n = 0; n < 100; n++) await ask();
    },
  },
  {
    id: 'ts-killed',
    title:
      'SIGKILL of a TypeScript node: a Go client with a fresh view only reaches the survivor, one with an old view goes on',
    direction,
    run: async (stage) => {
      const name = freshName();
      await using go = await stage.startGo('server', '--name', name, '--version', '1.0.0');
      const ts = await stage.startTsProcess(name, '1.0.0');
      // A Go client caches what its first lookup got within its time: on a loaded machine 100 ms may miss a node, or
      // both.
      const patient = ['client', '--registry-timeout', '1000'] as const;
      await using old = await stage.startGo(...patient);
      const ids = [String(go.ready.id), String(ts.ready.id)].sort();
      await eventually('both nodes, seen by a Go client', async () => {
        const { services } = await old.command({ op: 'get', service: name });
        assert.deepEqual(nodeIds((services ?? []) as ServiceRecord[]), ids);
        return true;
      });
      const ask = { op: 'callMany', service: name, endpoint: 'Greeter.WhoAmI', body: {}, count: 30, concurrency: 2 };
      const before = await old.command(ask);
      assert.deepEqual(before.failures, {});
      for (const id of ids)
        assert.ok(
          Object.keys(before.answers as object).some((answer) => answer.includes(id)),
          id,
        );
      await ts.kill();
      await using fresh = await stage.startGo(...patient);
      const view = await fresh.command(ask);
      assert.deepEqual(view.failures, {});
      for (const answer of Object.keys(view.answers as object)) assert.ok(answer.includes(String(go.ready.id)), answer);
      const late = { ...ask, count: 20, timeoutMs: 1_000 };
      const answers = (await old.command(late, 60_000)).answers as Record<string, number>;
      assert.ok(
        Object.values(answers).some((times) => times > 0),
        'the client with the old view got no answer at all',
      );
    },
  },
  {
    id: 'without-nodes',
    title: 'records without nodes pass both ways',
    direction,
    run: async (stage) => {
      const [fromGo, fromTs] = [freshName(), freshName()];
      const client = await stage.goClient();
      const { registry } = await stage.tsClient();
      await client.command({ op: 'register', record: { name: fromGo, version: '1' } });
      // A Go process answers queries for a name a moment after it has registered it.
      const seen = await eventually('the record', async () => (await registry.getService(fromGo))[0]);
      assert.deepEqual([seen.version, seen.nodes], ['1', []]);
      const record = { name: fromTs, version: '1', metadata: {}, endpoints: [], nodes: [] };
      await registry.register(record);
      await goSees(stage, fromTs, (records) =>
        assert.deepEqual(
          records.map(({ version }) => version),
          ['1'],
        ),
      );
      await registry.deregister(record);
      assert.deepEqual(await goGet(stage, fromTs), []);
    },
  },
];
