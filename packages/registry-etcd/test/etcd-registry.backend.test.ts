import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getPlugin, serviceRecord } from '@ts-micro/core';
import { startEtcd } from '@ts-micro-tools/backends';
import { afterAll, expect, test } from 'vitest';
import '../src/register.ts';
import { etcdRegistry } from '../src/index.ts';

const server = await startEtcd();
afterAll(() => server[Symbol.asyncDispose]());

const base64 = (text: string) => Buffer.from(text).toString('base64');

async function ask(path: string, question: object, address = server.address): Promise<Record<string, unknown>> {
  const init = { method: 'POST', body: JSON.stringify(question), headers: { connection: 'close' } };
  return JSON.parse(await (await fetch(`http://${address}/v3/${path}`, init)).text());
}

async function texts(prefix: string): Promise<readonly (readonly [key: string, text: string])[]> {
  const range_end = base64(`${prefix}~`);
  const { kvs = [] } = (await ask('kv/range', { key: base64(prefix), range_end })) as {
    kvs?: { key: string; value: string }[];
  };
  return kvs.map(({ key, value }) => [Buffer.from(key, 'base64').toString(), Buffer.from(value, 'base64').toString()]);
}

const record = (name: string, ids: readonly string[], version = '1') =>
  serviceRecord({ name, version, nodes: ids.map((id) => ({ id, address: `at-${id}` })) });

test('a node is where Go Micro looks for it, as Go Micro writes it', async () => {
  await using registry = etcdRegistry({ servers: server.address });
  await registry.register(record('go/layout', ['a/1']), { ttlMs: 60_000 });
  const [[key, text] = ['', '{}']] = await texts('/micro/registry/go-layout/');
  expect(key).toBe('/micro/registry/go-layout/a-1');
  expect(JSON.parse(text)).toEqual({
    name: 'go/layout',
    version: '1',
    metadata: null,
    endpoints: [],
    nodes: [{ id: 'a/1', address: 'at-a/1', metadata: {} }],
  });
});

test('nodes that Go Micro would write to one key are kept apart', async () => {
  await using registry = etcdRegistry({ servers: server.address });
  const records = [
    record('x/y', ['a']),
    record('x-y', ['a']),
    record('x-y', ['a'], '2'),
    record('x-y', ['b/c', 'b-c']),
  ];
  for (const each of records) await registry.register(each);
  expect(await registry.getService('x/y')).toEqual([records[0]]);
  expect((await registry.getService('x-y')).map(({ version, nodes }) => [version, nodes.length])).toEqual([
    ['1', 3],
    ['2', 1],
  ]);
  for (const each of records) await registry.deregister(each);
  expect(await texts('/micro/registry/x-y/')).toEqual([]);
});

test('what somebody else writes is left alone and harms nobody', async () => {
  await using registry = etcdRegistry({ servers: server.address });
  await using watcher = await registry.watch({ service: 'shared' });
  const puts = [
    '',
    'no JSON',
    'null',
    '{}',
    '{"name":""}',
    '{"name":"shared","nodes":[{}]}',
    '{"name":"shared","nodes":7}',
  ];
  for (const [index, text] of puts.entries())
    await ask('kv/put', { key: base64(`/micro/registry/shared/${index}`), value: base64(text) });
  await registry.register(record('shared', ['a']));
  expect(await watcher.receive()).toMatchObject({ type: 'resync' });
  await expect.poll(async () => (await registry.getService('shared')).map(({ nodes }) => nodes.length)).toContain(1);
});

test('of very many or very long nodes it knows no more than it may', async () => {
  await using registry = etcdRegistry({
    servers: server.address,
    maxNodes: 3,
    maxRecordBytes: 2000,
    prefix: '/bounded/',
  });
  const long = (name: string) => ({ ...record(name, ['long']), metadata: { long: 'x'.repeat(2000) } });
  await expect(registry.register(long('many'))).rejects.toMatchObject({ code: 'too_large' });
  await ask('kv/put', { key: base64('/bounded/long/1'), value: base64(JSON.stringify(long('long'))) });
  const ids = ['a', 'b', 'c', 'd', 'e'];
  for (const id of ids) {
    const value = base64(JSON.stringify(record('many', [id])));
    await ask('kv/put', { key: base64(`/bounded/many/${id}`), value });
  }
  await using watcher = await registry.watch();
  expect(await registry.getService('long')).toEqual([]);
  expect(await registry.getService('many')).toEqual([record('many', ids.slice(0, 3))]);
  const event = await watcher.receive();
  const known = event?.type === 'resync' ? event.services : [];
  expect(known.flatMap(({ nodes }) => nodes).length).toBeLessThanOrEqual(3);
});

test('after a compaction that it missed a watcher has a resync with all that happened', async () => {
  await using other = etcdRegistry({ servers: `127.0.0.1:${server.port}` });
  await using registry = etcdRegistry({ servers: server.address });
  await using watcher = await registry.watch({ service: 'compacted' });
  expect(await watcher.receive()).toMatchObject({ type: 'resync', services: [] });
  server.proxy.cut();
  for (const id of ['a', 'b', 'c']) await other.register(record('compacted', [id]));
  const { header } = (await ask('kv/range', { key: base64('/') }, `127.0.0.1:${server.port}`)) as {
    header: { revision: string };
  };
  await ask('kv/compaction', { revision: header.revision, physical: true }, `127.0.0.1:${server.port}`);
  server.proxy.heal();
  const event = await watcher.receive();
  expect(event).toMatchObject({ type: 'resync', services: [{ nodes: [{}, {}, {}] }] });
});

test('a renewal writes nothing, and a lease that was lost is made anew', async () => {
  await using registry = etcdRegistry({ servers: server.address });
  const revision = async () => ((await ask('kv/range', { key: base64('/') })).header as { revision: string }).revision;
  await registry.register(record('leased', ['a']), { ttlMs: 60_000 });
  const before = await revision();
  await registry.register(record('leased', ['a']), { ttlMs: 60_000 });
  expect(await revision()).toBe(before);
  const { leases } = (await ask('lease/leases', {})) as { leases: { ID: string }[] };
  for (const { ID } of leases) await ask('lease/revoke', { ID });
  expect(await registry.getService('leased')).toEqual([]);
  await registry.register(record('leased', ['a']), { ttlMs: 60_000 });
  expect(await registry.getService('leased')).toEqual([record('leased', ['a'])]);
});

test('of several servers one that answers is enough', async () => {
  await using registry = etcdRegistry({ servers: ['127.0.0.1:1', server.address] });
  await registry.register(record('several', ['a']));
  expect(await registry.getService('several')).toEqual([record('several', ['a'])]);
});

test('a server that answers no more is found out, and its watcher goes to another', async () => {
  await using registry = etcdRegistry({
    servers: [server.address, `127.0.0.1:${server.port}`],
    requestTimeoutMs: 300,
    pingIntervalMs: 100,
  });
  await using watcher = await registry.watch({ service: 'stalled' });
  await watcher.receive();
  server.proxy.stall();
  expect(await watcher.receive()).toMatchObject({ type: 'resync' });
  server.proxy.heal();
});

test('a registry whose server lost all data registers again by itself', async () => {
  await using lost = await startEtcd();
  await using registry = etcdRegistry({ servers: lost.address });
  await registry.register(record('kept', ['a']));
  await lost.kill();
  await lost.restart({ keepData: false });
  await expect.poll(async () => registry.getService('kept').catch(() => [])).toEqual([record('kept', ['a'])]);
});

test('a user and a password open what is closed to others', async () => {
  await using closed = await startEtcd();
  const at = (path: string, question: object) => ask(path, question, closed.address);
  await at('auth/user/add', { name: 'root', password: 'secret' });
  await at('auth/role/add', { name: 'root' });
  await at('auth/user/grant', { user: 'root', role: 'root' });
  await at('auth/enable', {});
  await using registry = getPlugin(
    'registry',
    'etcd',
  )({
    addresses: [closed.address],
    settings: { etcd_user: 'root', etcd_password: 'secret', etcd_prefix: '/here' },
  });
  await registry.register(record('private', ['a']), { ttlMs: 60_000 });
  await closed.restart();
  await expect.poll(async () => registry.getService('private').catch(() => [])).toEqual([record('private', ['a'])]);
  await using stranger = etcdRegistry({ servers: closed.address });
  await expect(stranger.getService('private')).rejects.toMatchObject({ code: 'unauthorized' });
  await using wrong = etcdRegistry({ servers: closed.address, user: 'root', password: 'wrong' });
  await expect(wrong.getService('private')).rejects.toMatchObject({ code: 'unauthorized' });
});

test('TLS with a certificate of the client', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ts-micro-etcd-tls-'));
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const subject = ['-subj', '/CN=etcd', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const made = [
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-days',
    '2',
    '-keyout',
    key,
    '-out',
    cert,
    ...subject,
  ];
  expect(spawnSync('openssl', made).status).toBe(0);
  const extra = ['--cert-file', cert, '--key-file', key, '--client-cert-auth', '--trusted-ca-file', cert];
  await using secure = await startEtcd({ scheme: 'https', extra });
  await using registry = etcdRegistry({ servers: secure.address, tls: { ca: cert, cert, key } });
  await expect.poll(async () => registry.register(record('tls', ['a'])).then(() => 'done', String)).toBe('done');
  await using stranger = etcdRegistry({ servers: `https://${secure.address}`, tls: { ca: cert } });
  await expect(stranger.getService('tls')).rejects.toMatchObject({ code: 'unavailable' });
  rmSync(folder, { recursive: true });
});
