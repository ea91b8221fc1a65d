import { inspect } from 'node:util';
import type { Logger } from '@ts-micro/core';
import { connectNats, type NatsConnection } from '@ts-micro/nats';
import { createClient } from '@ts-micro/service';
import { drawMalformed, marker } from '@ts-micro-tools/malformed';
import { Findings } from '../harness/findings.ts';
import { held } from '../harness/memory.ts';
import { connectPlugins } from '../harness/plugins.ts';
import { openServerStage, type ServerStage } from '../harness/stage.ts';
import { until } from '../harness/until.ts';
import type { Row } from '../row.ts';

const total = 100_000;

export const malformed: Row = {
  id: 'malformed',
  fault: `${total} random and mutated payloads on every subject that a service and a client listen to`,
  expected:
    'no crash, no unhandled rejection, no growth, service goes on; nothing of a payload in a prototype or in the log',
  async run() {
    const findings = new Findings();
    await using stage = await openServerStage({ nodes: 1, leaseMs: 3000, idleTimeoutMs: 2000 });
    const { server, fleet } = stage;
    const counts = new Map<string, number>();
    const leaks = new Map<string, string>();
    const log = (message: string, fields?: unknown) => {
      counts.set(message, (counts.get(message) ?? 0) + 1);
      const line = inspect([message, fields], { depth: 8 });
      // The subjects that were made here are no secret.
      if (line.replaceAll(`reply.${marker}`, '').includes(marker)) leaks.set(message, line);
    };
    const logger: Logger = { debug: log, info: log, warn: log, error: log };
    // A client with a log, and everything that listens on it.
    await using plugins = await connectPlugins(server.address, 'victim', { logger, idleTimeoutMs: 2000 });
    await using client = createClient({ ...plugins, logger });
    await using watcher = await plugins.registry.watch();
    const watching = (async () => {
      for await (const _ of watcher);
    })();
    await plugins.broker.subscribe('malformed', () => {}, { onError: () => {} });
    const call = () =>
      client.call('chaos', 'Chaos.Quick', { a: 1 }, { timeoutMs: 1000 }).then(
        () => true,
        () => false,
      );
    await call();

    await using attacker = await connectNats({ servers: server.address, name: 'attacker' });
    const samples = await recordTraffic(attacker, stage);
    const subjects = await subjectsOf(stage);
    const attack = async (count: number, seed: number) => {
      const drawn = drawMalformed(samples, { count, seed });
      for (const [index, { payload, reply, headers, status }] of drawn.entries()) {
        const subject = (subjects[index % subjects.length] as string).replaceAll('*', 'x');
        attacker.publish(subject, payload, { reply, headers, status });
        await attacker.room();
        if (index % 500 === 0) await attacker.flush();
      }
      await attacker.flush();
    };
    let sent = 0;
    for (; sent < total / 4; sent += 5000) await attack(5000, sent);
    await until(call, 10_000);
    const before = await figures(stage);
    for (; sent < total; sent += 5000) await attack(5000, sent);
    const goesOnMs = await until(call, 10_000);
    // Sockets that were made of reply subjects nobody has are reaped.
    await new Promise((resolve) => setTimeout(resolve, 5000));
    const after = await figures(stage);

    findings.must(samples.length > 20 && subjects.length >= 9, `${sent} payloads on ${subjects.length} subjects`);
    findings.must(
      !fleet.node(0).hasExited && goesOnMs !== undefined,
      `service goes on (${goesOnMs} ms after the last)`,
    );
    findings.must(plugins.connection.state.reconnects === 0, 'no connection was lost');
    const growth = Math.max(after.server - before.server, after.client - before.client);
    findings.must(
      growth < 10,
      `between the first quarter and the end: server heap ${before.server} -> ${after.server} MiB, client ${before.client} -> ${after.client}`,
    );
    const isClean = Object.keys(Object.prototype).length === 0 && !(marker in {});
    findings.must(isClean && fleet.node(0).errors === '', 'no prototype has grown, nothing on stderr');
    findings.note(`log lines: ${[...counts].map(([message, count]) => `${count} "${message}"`).join(', ')}`);
    findings.must(
      leaks.size === 0,
      `${leaks.size} kinds of them with bytes of a payload ${[...leaks.values()].join('\n')}`,
    );
    await watcher.close();
    await watching;
    return findings.outcome;
  },
};

/** What is said on the wire in ordinary use: the material to mutate. */
async function recordTraffic(attacker: NatsConnection, { client, plugins }: ServerStage): Promise<Uint8Array[]> {
  const samples: Uint8Array[] = [];
  const tap = attacker.subscribe('>', { onMessage: ({ data }) => void (data.length > 0 && samples.push(data)) });
  await tap.confirm();
  for (let index = 0; index < 5; index++) {
    await client.call('chaos', 'Chaos.Quick', { [marker]: index });
    await plugins.registry.getService('chaos');
    await client.publish('chaos.event', { number: index, [marker]: true });
    const stream = await client.stream('chaos', 'Chaos.Echo');
    await stream.send({ [marker]: index });
    await stream.receive();
    await stream.close();
  }
  await plugins.connection.flush();
  await attacker.flush();
  tap.unsubscribe();
  return samples;
}

/** What anybody but the attacker listens to, as the server tells it. */
async function subjectsOf({ server }: ServerStage): Promise<readonly string[]> {
  const { connections } = (await server.monitor('connz?subs=1')) as {
    connections: { name: string; subscriptions_list?: string[] }[];
  };
  const lists = connections.filter(({ name }) => name !== 'attacker').map((each) => each.subscriptions_list ?? []);
  return [...new Set(lists.flat())];
}

async function figures({ fleet }: ServerStage): Promise<{ server: number; client: number }> {
  const { memory } = await fleet.node(0).ask('facts');
  return { server: Math.round((memory as NodeJS.MemoryUsage).heapUsed / 2 ** 20), client: (await held()).heapMiB };
}
