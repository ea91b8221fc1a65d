import type { Registry } from '@ts-micro/core';
import { createClient, fromFlags } from '@ts-micro/service';
import { backendsNamed, kinds, type RunningServer } from './backends.ts';
import { buildGoProgram, findGo } from './go-process.ts';
import { GreeterProcess } from './greeter-process.ts';
import { ProgramProcess } from './program-process.ts';
import { countAndChat } from './streams.ts';
import { expect, show, tell } from './tell.ts';

const calls = 1_000;
const events = 10;

/** The greeter as it is, by flags alone, on a registry, a transport and a broker of other backends. */
export async function demoOnBackends(names: readonly string[]): Promise<void> {
  const chosen = backendsNamed(names);
  tell(`Servers start on free ports: ${[...new Set(names)].join(', ')}.`);
  const running = new Map<string, RunningServer>();
  await using _servers = {
    async [Symbol.asyncDispose]() {
      for (const server of running.values()) await server[Symbol.asyncDispose]();
    },
  };
  for (const { name, start } of new Set(chosen)) {
    const server = await start();
    running.set(name, server);
    show(`${name} ${server.address}, pid ${server.pid}`);
  }
  const flags = kinds.flatMap((kind, index) => {
    const { name } = chosen[index] as (typeof chosen)[number];
    return [`--${kind}=${name}`, `--${kind}_address=${running.get(name)?.address}`];
  });
  const modules = kinds.map((kind, index) => chosen[index]?.registers[kind]?.() ?? '');

  tell(`Two greeter servers start, each a process of its own: server.js ${flags.join(' ')}`);
  await using first = new GreeterProcess('server', flags, modules);
  await using second = new GreeterProcess('server', flags, modules);
  const greeters = [first, second];
  // The topics of a Kafka are made at their first use, and a group takes a moment to agree.
  for (const greeter of greeters) show(`${await greeter.line('ready', 60_000)} (pid ${greeter.pid})`);

  for (const module of modules) await import(module);
  await using plugins = fromFlags(flags, {});
  await using client = createClient(plugins);

  tell('The registry, asked from here, knows both.');
  const nodes = await greeterNodes(plugins.registry);
  for (const { id, address } of nodes) show(`${id} at ${address}`);
  expect(nodes.length === 2, 'the registry knows two nodes');

  tell(`A client process calls the greeter ${calls} times, 8 at a time: the calls spread over both nodes.`);
  await callMany(
    flags,
    modules,
    nodes.map(({ id }) => id),
  );

  tell(`${events} events are published; the two greeters share a queue, so each event is handled by exactly one.`);
  for (let number = 1; number <= events; number++) await client.publish('greeter.say', { text: `event-${number};` });
  for (let number = 1; number <= events; number++)
    await Promise.any(greeters.map((greeter) => greeter.line(`say event-${number};`, 30_000)));
  const counts = greeters.map(({ lines }) => lines.filter((line) => line.startsWith('say ')).length);
  show(`they handled ${counts.join(' and ')}`);
  expect(counts.reduce((sum, count) => sum + count, 0) === events, 'each event is handled exactly once');

  tell('A server stream and a bidirectional stream.');
  await countAndChat(client);

  if (names[0] === 'etcd') await besideGo(running, names[1] === 'nats', plugins.registry, flags, modules);

  tell('Both greeters are asked to stop (SIGTERM): they leave the registry, finish their work, and exit.');
  for (const greeter of greeters) show(`exit code ${await greeter.signal('SIGTERM')}`);
  const left = await plugins.registry.listServices();
  show(`the registry lists ${left.length} services`);
  expect(left.length === 0, 'the registry is empty');
}

/** A node on Go Micro, found by etcd; over NATS it is called as well. Go's plugin for RabbitMQ cannot be had. */
async function besideGo(
  running: ReadonlyMap<string, RunningServer>,
  isCalled: boolean,
  registry: Registry,
  flags: readonly string[],
  modules: readonly string[],
): Promise<void> {
  let go: string;
  try {
    go = findGo();
  } catch {
    show('without a node in Go, which is not on this machine');
    return;
  }
  const [etcd, nats] = [running.get('etcd')?.address ?? '', running.get('nats')?.address ?? ''];
  await using program = await buildGoProgram(go, 'etcd');
  const environment = { ...process.env, MICRO_LOG_LEVEL: 'error', MICRO_TLS_SECURE: 'true' };
  if (!isCalled) {
    tell('A Go Micro program asks its own etcd registry for the greeter.');
    await using peer = new ProgramProcess(program.path, [etcd], environment);
    await peer.line('"ready"');
    peer.tell(JSON.stringify({ op: 'get', name: 'greeter' }));
    const { services } = JSON.parse(await peer.line('"services"')) as { services: { nodes: { id: string }[] }[] };
    const found = services.flatMap((service) => service.nodes.map(({ id }) => id));
    show(`it finds ${found.join(' and ')}`);
    expect(found.length === 2, 'Go finds both greeters');
    return;
  }
  tell('A greeter on Go Micro starts beside them, with its own etcd registry and NATS transport.');
  await using peer = new ProgramProcess(program.path, [etcd, nats], environment);
  const { ready } = JSON.parse(await peer.line('"ready"', 30_000)) as { ready: string };
  show(`${ready} (pid ${peer.pid})`);
  // It may be found a moment after it says that it is ready.
  const deadline = Date.now() + 10_000;
  let nodes = await greeterNodes(registry);
  for (; nodes.length < 3; nodes = await greeterNodes(registry))
    expect(Date.now() < deadline, 'the registry knows three nodes');
  await callMany(
    flags,
    modules,
    nodes.map(({ id }) => id),
  );
  await peer.signal('SIGTERM');
}

async function callMany(flags: readonly string[], modules: readonly string[], nodes: readonly string[]): Promise<void> {
  await using client = new GreeterProcess('client', [...flags, `--calls=${calls}`, '--concurrency=8'], modules);
  expect((await client.ended()) === 0, 'the client exits with 0');
  show(client.lines.join('\n   '));
  const [first = ''] = client.lines;
  const isSpread = nodes.every((id) => client.lines.some((line) => line.endsWith(` by ${id}`)));
  expect(first === `ok ${calls} failed 0` && isSpread, 'every node answers, and no call fails');
}

async function greeterNodes(registry: Registry) {
  return (await registry.getService('greeter')).flatMap((record) => record.nodes);
}
