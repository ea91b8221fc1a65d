import { natsBroker } from '@ts-micro/broker-nats';
import type { Broker, Registry } from '@ts-micro/core';
import { connectNats } from '@ts-micro/nats';
import { natsRegistry } from '@ts-micro/registry-nats';
import { createClient } from '@ts-micro/service';
import { startNatsServer } from '@ts-micro/testkit/nats';
import { natsTransport } from '@ts-micro/transport-nats';
import { GreeterProcess } from './greeter-process.ts';
import { lookAtFleet } from './look-at-fleet.ts';
import { countAndChat } from './streams.ts';
import { expect, show, tell } from './tell.ts';

const events = 10;
const callsUnderKill = 3_000;

/** Two greeters and clients as processes of their own, which share nothing but the address of a nats-server. */
export async function demoOnNats(): Promise<void> {
  tell('A nats-server starts on a free port.');
  await using server = await startNatsServer();
  show(`nats-server ${server.address}, pid ${server.pid}`);
  const flags = ['registry', 'transport', 'broker'].flatMap((kind) => [
    `--${kind}=nats`,
    `--${kind}_address=${server.address}`,
  ]);

  tell('Two greeter servers start, each in a process that knows only that address.');
  await using first = new GreeterProcess('server', flags);
  await using second = new GreeterProcess('server', flags);
  for (const greeter of [first, second]) show(`${await greeter.line('ready')} (pid ${greeter.pid})`);

  await using connection = await connectNats({ servers: server.address });
  await using transport = natsTransport({ connection });
  await using broker = natsBroker({ connection });
  await using registry = natsRegistry({ connection });

  tell('The registry, asked from here, knows both.');
  const nodes = await greeterNodes(registry);
  for (const node of nodes) show(`${node.id} at ${node.address}`);
  expect(nodes.length === 2, 'the registry knows two nodes');

  tell('A client process calls the greeter once.');
  show(await runClient([...flags, '--name=John']));

  tell('A client process calls it 1000 times, 8 at a time: the calls spread over both nodes.');
  const spread = await runClient([...flags, '--calls=1000', '--concurrency=8']);
  show(spread);
  expect(spread.startsWith('ok 1000 failed 0') && nodes.every(({ id }) => spread.includes(id)), 'both nodes answer');

  tell(`${events} events are published; the two greeters share a queue, so each event is handled by exactly one.`);
  await sayToBoth(broker, [first, second]);

  tell('A server stream and a bidirectional stream.');
  await using client = createClient({ transport, broker, registry });
  await countAndChat(client);

  tell(`A client process makes ${callsUnderKill} idempotent calls; meanwhile one greeter is killed without warning.`);
  await using caller = new GreeterProcess('client', [...flags, `--calls=${callsUnderKill}`, '--concurrency=16']);
  await greeted(broker, callsUnderKill / 10);
  await first.signal('SIGKILL');
  show(`killed pid ${first.pid}`);
  await caller.ended();
  show(caller.lines.join('\n   '));
  expect(caller.lines[0] === `ok ${callsUnderKill} failed 0`, 'not one call failed');

  tell('The other greeter is asked to stop (SIGTERM): it leaves the registry, finishes its work, and exits.');
  show(`exit code ${await second.signal('SIGTERM')}`);
  const left = await registry.listServices();
  show(`the registry lists ${left.length} services`);
  expect(left.length === 0, 'the registry is empty');

  await lookAtFleet(connection);
}

async function greeterNodes(registry: Registry) {
  return (await registry.getService('greeter')).flatMap((record) => record.nodes);
}

async function runClient(flags: readonly string[]): Promise<string> {
  await using process = new GreeterProcess('client', flags);
  expect((await process.ended()) === 0, 'the client exits with 0');
  return process.lines.join('\n   ');
}

async function sayToBoth(broker: Broker, greeters: readonly GreeterProcess[]): Promise<void> {
  for (let number = 1; number <= events; number++) {
    const body = new TextEncoder().encode(JSON.stringify({ text: `event-${number};` }));
    await broker.publish('greeter.say', { headers: { 'Content-Type': 'application/json' }, body });
  }
  for (let number = 1; number <= events; number++) {
    await Promise.any(greeters.map((greeter) => greeter.line(`say event-${number};`)));
  }
  const counts = greeters.map((greeter) => greeter.lines.filter((line) => line.startsWith('say ')).length);
  greeters.forEach((greeter, index) => {
    show(`pid ${greeter.pid} handled ${counts[index]}`);
  });
  expect(counts.reduce((sum, count) => sum + count, 0) === events, 'each event is handled exactly once');
}

/** Resolves once that many greetings were announced. */
async function greeted(broker: Broker, count: number): Promise<void> {
  let seen = 0;
  await new Promise<void>((resolve, reject) => {
    AbortSignal.timeout(10_000).addEventListener('abort', () => reject(new Error('demo: the greetings did not come')));
    broker
      .subscribe('greeter.greeted', () => {
        seen++;
        if (seen === count) resolve();
      })
      .catch(reject);
  });
}
