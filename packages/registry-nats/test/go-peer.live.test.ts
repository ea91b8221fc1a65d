import { randomUUID } from 'node:crypto';
import { type ServiceRecordInit, serviceRecord } from '@ts-micro/core';
import { startNatsServer } from '@ts-micro/testkit/nats';
import { describe, expect, test } from 'vitest';
import { natsRegistry } from '../src/index.ts';
import { families, GoPeer, payload, waitFor } from './go-peer.ts';
import malformed from './golden/malformed.json' with { type: 'json' };
import golden from './golden/registry.json' with { type: 'json' };

const greeter = serviceRecord(golden.records.greeter as ServiceRecordInit);
const bare = serviceRecord(golden.records.bare as ServiceRecordInit);
const bound = () => AbortSignal.timeout(10_000);

describe.each(['new', 'old'] as const)('a Go peer on the %s subjects', (family) => {
  test('is found', async () => {
    await using server = await startNatsServer();
    await using go = await GoPeer.start(server.url, family);
    await using registry = natsRegistry({ servers: server.url });
    await go.host('greeter', payload(family === 'new' ? 'R7' : 'R8'));
    expect(await registry.getService('greeter')).toEqual([greeter]);
    expect(await registry.listServices()).toEqual([greeter]);
    expect(await registry.getService('Greeter')).toEqual([]);
  });

  test('finds what is registered, once, as Go would answer', async () => {
    await using server = await startNatsServer();
    await using go = await GoPeer.start(server.url, family);
    await using registry = natsRegistry({ servers: server.url });
    await registry.register(greeter);
    await registry.register(serviceRecord({ name: 'test' }));
    const [get, list] = family === 'new' ? ['R3', 'R5'] : ['R4', 'R6'];
    const answers = await go.ask(payload(get), (heard) => heard.length > 0);
    expect(answers).toEqual([payload('R7')]);
    const everything = await go.ask(payload(list), (heard) => heard.length > 1);
    await go.flush();
    expect(everything).toEqual([payload('R7'), payload('R13')]);
    expect(answers).toHaveLength(1);
  });

  test('hears of what registers and deregisters, once each, as Go would announce', async () => {
    await using server = await startNatsServer();
    await using go = await GoPeer.start(server.url, family);
    await using registry = natsRegistry({ servers: server.url });
    const heard = await go.listen();
    await registry.register(greeter);
    await registry.register(bare);
    await registry.deregister(bare);
    await waitFor(() => heard.length >= 3);
    await go.flush();
    expect(heard).toEqual([payload('R1'), payload('R1b'), payload('R9')]);
  });

  test('is watched: a heartbeat is no event, a delete is one', async () => {
    await using server = await startNatsServer();
    await using go = await GoPeer.start(server.url, family);
    await using registry = natsRegistry({ servers: server.url });
    await using watcher = await registry.watch({ service: 'greeter' });
    expect(await watcher.receive()).toEqual({ type: 'resync', services: [] });
    const [create, gone] = family === 'new' ? ['R1', 'R9'] : ['R2', 'R10'];
    await go.announce(payload(create));
    await go.announce(payload(create));
    await go.announce(payload(gone));
    expect(await watcher.receive({ signal: bound() })).toEqual({ type: 'create', service: greeter });
    expect(await watcher.receive({ signal: bound() })).toEqual({ type: 'delete', service: greeter });
  });

  test('that sends nonsense is neither answered nor does it any harm', async () => {
    await using server = await startNatsServer();
    await using go = await GoPeer.start(server.url, family);
    await using registry = natsRegistry({ servers: server.url, quietMs: 100 });
    await registry.register(bare);
    await using watcher = await registry.watch();
    expect((await watcher.receive())?.type).toBe('resync');
    const replies: string[][] = [];
    for (const { text } of malformed.payloads) {
      replies.push(await go.ask(text, () => true));
      await go.announce(text);
    }
    for (const { text } of malformed.services) await go.announce(`{"Service":${text},"Action":"create"}`);
    await go.host('greeter', 'null', ...malformed.services.map(({ text }) => text), payload('R7'));
    expect(await registry.getService('greeter')).toHaveLength(1);
    await registry.register(serviceRecord({ name: 'next' }));
    expect(await watcher.receive({ signal: bound() })).toMatchObject({ type: 'create', service: { name: 'next' } });
    expect(replies.flat()).toEqual([]);
  });
});

test('nodes of one version on both generations are merged, each id once', async () => {
  await using server = await startNatsServer();
  await using old = await GoPeer.start(server.url, 'old');
  await using recent = await GoPeer.start(server.url, 'new');
  await using registry = natsRegistry({ servers: server.url, quietMs: 100 });
  const other = payload('R7').replace('7c9e6679-7425-40de-944b-e07fc1f90ae7', randomUUID());
  await old.host('greeter', payload('R8'), payload('R8'));
  await recent.host('greeter', payload('R7'), other);
  const [record, ...more] = await registry.getService('greeter');
  expect(more).toEqual([]);
  expect(new Set(record?.nodes.map((node) => node.id)).size).toBe(2);
  expect(record?.nodes).toHaveLength(2);
});

test('a delete without nodes is taken for the whole version, as Go means it', async () => {
  await using server = await startNatsServer();
  await using go = await GoPeer.start(server.url, 'new');
  await using registry = natsRegistry({ servers: server.url });
  await using watcher = await registry.watch();
  await go.announce(payload('R1'));
  await go.announce('{"Service":{"name":"greeter","version":"other","nodes":null},"Action":"delete"}');
  await go.announce('{"Service":{"name":"greeter","version":"latest","nodes":null},"Action":"delete"}');
  const types = [];
  for (let count = 0; count < 3; count++) types.push((await watcher.receive({ signal: bound() }))?.type);
  expect(types).toEqual(['resync', 'create', 'delete']);
});

test('a Go node that keeps silent stays while it answers, and goes when it no longer does', async () => {
  await using server = await startNatsServer();
  await using go = await GoPeer.start(server.url, 'new');
  await using registry = natsRegistry({ servers: server.url, defaultLeaseMs: 200, queryTimeoutMs: 200 });
  const end = await go.host('greeter', payload('R7'));
  const questions = await go.listen(families.new.query);
  await using watcher = await registry.watch({ service: 'greeter' });
  expect(await watcher.receive()).toEqual({ type: 'resync', services: [greeter] });
  await waitFor(() => questions.length >= 4);
  end();
  expect(await watcher.receive({ signal: bound() })).toEqual({ type: 'delete', service: greeter });
});

test('nothing is published that unmodified Go processes die of', async () => {
  await using server = await startNatsServer();
  await using go = await GoPeer.start(server.url, 'new');
  const heard = await Promise.all(
    Object.values(families).flatMap(({ query, watch }) => [go.listen(query), go.listen(watch)]),
  );
  await using registry = natsRegistry({ servers: server.url });
  await using watcher = await registry.watch();
  expect((await watcher.receive())?.type).toBe('resync');
  await registry.register(serviceRecord({ name: 'test' }));
  await registry.register(serviceRecord({ name: 'test', nodes: [{ id: 'a', address: 'b' }] }));
  // Without nodes it would take all of them away from a Go peer.
  await registry.deregister(serviceRecord({ name: 'test' }));
  await registry.deregister(serviceRecord({ name: 'absent' }));
  await registry.getService('test');
  await registry.listServices();
  await registry.close();
  await go.flush();
  expect(heard.map((messages) => messages.length > 0)).toEqual([true, true, true, true]);
  const keys = ['name', 'version', 'metadata', 'endpoints', 'nodes'];
  for (const text of heard.flat()) {
    const { Service, Action } = JSON.parse(text);
    expect(['get', 'list', 'create', 'delete']).toContain(Action);
    if (Action === 'list') expect(Service).toBeNull();
    else expect(Object.keys(Service)).toEqual(keys);
    if (Action === 'delete') expect(Service.nodes).not.toBeNull();
  }
});
