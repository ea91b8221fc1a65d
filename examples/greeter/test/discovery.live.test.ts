import { startChaosProxy, startNatsServer } from '@ts-micro/testkit/nats';
import { describe, expect, test } from 'vitest';
import { BarePeer } from './bare-peer.ts';
import { GreeterProcess, natsFlags } from './greeter-process.ts';

const queries = ['micro.nats.query', 'micro.registry.nats.query'] as const;
const watches = ['micro.nats.watch', 'micro.registry.nats.watch'] as const;

const get = '{"Service":{"name":"greeter","version":"","metadata":null,"endpoints":null,"nodes":null},"Action":"get"}';
const getAsOldPeers =
  '{"Action":"get","Service":{"name":"greeter","version":"","metadata":null,"endpoints":null,"nodes":null}}';
const list = '{"Service":null,"Action":"list"}';
const getOther =
  '{"Service":{"name":"Greeter","version":"","metadata":null,"endpoints":null,"nodes":null},"Action":"get"}';

interface Value {
  readonly name: string;
  readonly type: string;
  readonly values: Value[] | null;
}

interface Endpoint {
  readonly name: string;
  readonly request: Value | null;
  readonly response: Value | null;
  readonly metadata: Record<string, string>;
}

interface Service {
  readonly name: string;
  readonly version: string;
  readonly metadata: Record<string, string> | null;
  readonly endpoints: Endpoint[];
  readonly nodes: { readonly id: string; readonly address: string; readonly metadata: Record<string, string> | null }[];
}

function expectEveryKey(service: Service): void {
  expect(Object.keys(service).sort()).toEqual(['endpoints', 'metadata', 'name', 'nodes', 'version']);
  for (const node of service.nodes) expect(Object.keys(node).sort()).toEqual(['address', 'id', 'metadata']);
  for (const endpoint of service.endpoints ?? []) {
    expect(Object.keys(endpoint).sort()).toEqual(['metadata', 'name', 'request', 'response']);
    for (const value of [endpoint.request, endpoint.response]) {
      if (value !== null) expect(Object.keys(value).sort()).toEqual(['name', 'type', 'values']);
    }
  }
}

function expectGreeter(service: Service, greeter: GreeterProcess): void {
  expectEveryKey(service);
  expect(service).toMatchObject({ name: 'greeter', version: '1.0.0', metadata: null });
  expect(service.nodes).toMatchObject([{ id: greeter.id, address: greeter.address }]);
  expect(service.nodes[0]?.metadata).toMatchObject({
    broker: 'nats',
    protocol: 'mucp',
    registry: 'nats',
    server: 'mucp',
    transport: 'nats',
  });
  expect(service.endpoints.map(({ name }) => name)).toEqual([
    ...['Chat', 'Count', 'Crash', 'Echo', 'Fail', 'Hello', 'Sleep', 'WhoAmI'].map((method) => `Greeter.${method}`),
    'Func',
  ]);
  const streams = service.endpoints.filter(({ metadata }) => metadata.stream === 'true');
  expect(streams).toEqual(
    ['Greeter.Chat', 'Greeter.Count'].map((name) => ({
      name,
      request: { name: 'Context', type: 'Context', values: null },
      response: { name: 'Stream', type: 'Stream', values: null },
      metadata: { stream: 'true' },
    })),
  );
  expect(service.endpoints.at(-1)?.metadata).toEqual({ subscriber: 'true', topic: 'greeter.say' });
}

describe.each(queries)('a bare peer that asks on %s', (subject) => {
  test.each([
    ['get', get],
    ['get in the key order of old peers', getAsOldPeers],
    ['list', list],
  ])('gets one answer with every key to a %s', async (_, question) => {
    await using server = await startNatsServer();
    await using greeter = await GreeterProcess.serve(natsFlags(server.address));
    await using peer = await BarePeer.connect(server.url);
    const answers = await peer.listen();
    const later = await peer.listen();
    peer.publish(subject, question, answers.subject);
    // A process answers in the order it was asked, so a second answer to the first question would have come by then.
    peer.publish(subject, get, later.subject);
    await later.count(1);
    expect(answers.payloads).toHaveLength(1);
    expectGreeter(JSON.parse(answers.payloads[0] as string), greeter);
  });

  test('gets one answer from each process, whatever their versions', async () => {
    await using server = await startNatsServer();
    const flags = natsFlags(server.address);
    await using one = await GreeterProcess.serve(flags);
    await using two = await GreeterProcess.serve([...flags, '--server_version=2.0.0', '--server_id=two']);
    await using peer = await BarePeer.connect(server.url);
    for (const question of [get, list]) {
      const answers = await peer.listen();
      peer.publish(subject, question, answers.subject);
      await answers.count(2);
      const services: Service[] = answers.payloads.map((payload) => JSON.parse(payload));
      const found = services.map(({ version, nodes }) => [version, nodes.map(({ id }) => id)]);
      expect(found.sort()).toEqual([
        ['1.0.0', [one.id]],
        ['2.0.0', [two.id]],
      ]);
      expect(two.id).toBe('greeter-two');
    }
  });

  test('is not answered about other names, nor to what is no question', async () => {
    await using server = await startNatsServer();
    await using greeter = await GreeterProcess.serve(natsFlags(server.address));
    await using peer = await BarePeer.connect(server.url);
    const answers = await peer.listen();
    const nonsense = ['', '{', 'null', '[]', '"get"', '{"Action":"get"}', '{"Action":"get","Service":null}'];
    const others = ['{"Service":null,"Action":"take"}', getOther];
    for (const payload of [...nonsense, ...others]) peer.publish(subject, payload, answers.subject);
    peer.publish(subject, get);
    peer.publish(subject, get, answers.subject);
    await answers.count(1);
    expectGreeter(JSON.parse(answers.payloads[0] as string), greeter);
  });
});

test.each(['SIGTERM', 'SIGINT'] as const)(
  'a greeter announces itself on both watch subjects, and its end at %s',
  async (signal) => {
    await using server = await startNatsServer();
    await using peer = await BarePeer.connect(server.url);
    const heard = await Promise.all(watches.map((subject) => peer.listen(subject)));
    await using greeter = await GreeterProcess.serve(natsFlags(server.address));
    const { id, address } = greeter;
    for (const announcements of heard) {
      await announcements.count(1);
      const { Action, Service, ...rest } = JSON.parse(announcements.payloads[0] as string);
      expect({ Action, rest }).toEqual({ Action: 'create', rest: {} });
      expectGreeter(Service, greeter);
    }

    greeter.signal(signal);
    expect(await greeter.ended()).toMatchObject({ code: 0, stderr: [] });
    for (const announcements of heard) {
      const nodes = [{ metadata: null, id, address }];
      await expect
        .poll(() => JSON.parse(announcements.payloads.at(-1) as string))
        .toEqual({
          Service: { name: 'greeter', version: '1.0.0', metadata: null, endpoints: null, nodes },
          Action: 'delete',
        });
      const actions = announcements.payloads.map((payload) => JSON.parse(payload).Action);
      expect(actions.filter((action) => action === 'delete')).toHaveLength(1);
    }
    await expect.poll(() => server.counts()).toEqual({ connections: 1, subscriptions: watches.length });
  },
);

test('a greeter that is asked to stop while it still connects does so at once', async () => {
  await using server = await startNatsServer();
  await using proxy = await startChaosProxy({ target: server.address });
  proxy.stall();
  await using greeter = new GreeterProcess('server', natsFlags(proxy.address));
  await expect.poll(() => proxy.links).toBeGreaterThan(0);
  greeter.signal('SIGTERM');
  expect(await greeter.ended()).toMatchObject({ code: 0, stdout: [], stderr: [] });
});

test('the greeter composed in code is the same, and leaves nothing behind', async () => {
  await using server = await startNatsServer();
  await using greeter = new GreeterProcess('in-code', [server.address]);
  expect(await greeter.ended()).toMatchObject({ code: 0, stdout: ['Hello John'], stderr: [] });
  await expect.poll(() => server.counts()).toEqual({ connections: 0, subscriptions: 0 });
});
