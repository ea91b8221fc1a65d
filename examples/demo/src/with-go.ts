import { connectNats } from '@ts-micro/nats';
import { natsRegistry } from '@ts-micro/registry-nats';
import { startNatsServer } from '@ts-micro/testkit/nats';
import { buildGoProgram, findGo, GoProcess } from './go-process.ts';
import { GreeterProcess } from './greeter-process.ts';
import type { ProgramProcess } from './program-process.ts';
import { expect, show, tell } from './tell.ts';

const calls = 1_000;
const events = 10;

/** A greeter and a client in Go, and a greeter and a client in TypeScript: each client is answered by both greeters. */
export async function demoWithGo(): Promise<void> {
  const go = findGo();
  tell('A greeter and a client on unmodified Go Micro are built; the first time Go fetches its modules.');
  await using program = await buildGoProgram(go);
  show(program.title);

  tell('A nats-server starts on a free port.');
  await using server = await startNatsServer();
  show(`nats-server ${server.address}, pid ${server.pid}`);
  const flags = ['registry', 'transport', 'broker'].flatMap((kind) => [
    `--${kind}=nats`,
    `--${kind}_address=${server.address}`,
  ]);

  tell('One Go greeter and one TypeScript greeter start under the same name. Neither knows of the other.');
  await using inGo = new GoProcess(program, 'server', ['--nats', server.address, '--name', 'greeter']);
  await using inTypeScript = new GreeterProcess('server', flags);
  const { id: goNode } = JSON.parse(await inGo.line('"event":"ready"')) as { id: string };
  const typeScriptNode = (await inTypeScript.line('ready ')).split(' ')[2] ?? '';
  show(`Go          ${goNode} (pid ${inGo.pid})`);
  show(`TypeScript  ${typeScriptNode} (pid ${inTypeScript.pid})`);
  const nameOf = (node: string) => (node === goNode ? 'Go' : node === typeScriptNode ? 'TypeScript' : node);

  tell('The registry, asked from here, has one service with two nodes.');
  await using connection = await connectNats({ servers: server.address });
  await using registry = natsRegistry({ connection });
  await bothKnown(async () => (await registry.getService('greeter')).flatMap((record) => record.nodes).length);
  const records = await registry.getService('greeter');
  for (const { name, version, nodes } of records)
    show(`${name} ${version}: ${nodes.map(({ id }) => nameOf(id)).join(', ')}`);
  expect(records.length === 1, 'both are nodes of one service');

  tell(`A TypeScript client calls the greeter ${calls} times, 8 at a time.`);
  const byTypeScript = await typeScriptCalls(flags);
  showSpread(byTypeScript, nameOf);
  expect(
    byTypeScript.size === 2 && total(byTypeScript) === calls,
    'both greeters answer the TypeScript client, every time',
  );

  tell(`A Go client calls the greeter ${calls} times, 8 at a time.`);
  await using goClient = new GoProcess(program, 'client', ['--nats', server.address, '--registry-timeout', '1000']);
  await goClient.line('"event":"ready"');
  const byGo = await goCalls(goClient);
  showSpread(byGo, nameOf);
  expect(byGo.size === 2 && total(byGo) === calls, 'both greeters answer the Go client, every time');

  tell(
    `The Go client publishes ${events} events. The greeters share a queue, so each event is handled by exactly one.`,
  );
  for (let number = 1; number <= events; number++) {
    await goClient.obey({ op: 'publish', topic: 'greeter.say', body: { text: `event-${number};` } });
  }
  await eachHandledOnce([inGo, inTypeScript]);

  tell('The Go greeter is asked to stop (SIGTERM), and the TypeScript client calls again.');
  show(`exit code ${await inGo.signal('SIGTERM')}`);
  const afterwards = await typeScriptCalls(flags);
  showSpread(afterwards, nameOf);
  expect(afterwards.get(typeScriptNode) === calls, 'the greeter that is left answers every call');
}

/** How many calls each node answered. */
type Spread = ReadonlyMap<string, number>;

async function typeScriptCalls(flags: readonly string[]): Promise<Spread> {
  await using client = new GreeterProcess('client', [...flags, `--calls=${calls}`, '--concurrency=8']);
  expect((await client.ended()) === 0, 'no call of the TypeScript client fails');
  const answers = client.lines.map((line) => /^ +(\d+) by (\S+)$/.exec(line)).filter((match) => match !== null);
  return new Map(answers.map(([, times, node]) => [node as string, Number(times)]));
}

async function goCalls(client: GoProcess): Promise<Spread> {
  const { answers, failures } = await client.obey<{
    answers: Readonly<Record<string, number>>;
    failures: Readonly<Record<string, number>>;
  }>({ op: 'callMany', service: 'greeter', endpoint: 'Greeter.WhoAmI', body: {}, count: calls, concurrency: 8 });
  expect(Object.keys(failures).length === 0, `no call of the Go client fails: ${Object.keys(failures).join()}`);
  return new Map(Object.entries(answers).map(([answer, times]) => [(JSON.parse(answer) as { id: string }).id, times]));
}

/** Go Micro may be found a moment after it says that it is ready. */
async function bothKnown(countNodes: () => Promise<number>): Promise<void> {
  const deadline = Date.now() + 5_000;
  while ((await countNodes()) < 2) expect(Date.now() < deadline, 'the registry knows two nodes');
}

async function eachHandledOnce(greeters: readonly ProgramProcess[]): Promise<void> {
  for (let number = 1; number <= events; number++) {
    await Promise.any(greeters.map((greeter) => greeter.line(`event-${number};`)));
  }
  const counts = greeters.map((greeter) => greeter.lines.filter((line) => /event-\d+;/.test(line)).length);
  show(`Go handled ${counts[0]}, TypeScript ${counts[1]}`);
  expect(counts.reduce((sum, count) => sum + count, 0) === events, 'each event is handled exactly once');
}

function showSpread(spread: Spread, nameOf: (node: string) => string): void {
  for (const [node, times] of spread) show(`${times} answered by ${nameOf(node)}`);
}

function total(spread: Spread): number {
  return [...spread.values()].reduce((sum, times) => sum + times, 0);
}
