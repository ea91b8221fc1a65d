import { Findings } from '../harness/findings.ts';
import { type Held, held } from '../harness/memory.ts';
import { openServerStage, type ServerStage } from '../harness/stage.ts';
import { until } from '../harness/until.ts';
import type { Row } from '../row.ts';

const calls = 1_000_000;
const cycles = 10_000;
// The server forgets sockets of diallers that left without a word after this; by default after 60 s.
const idleTimeoutMs = 3000;
const mayGrowMiB = 10;
// The wildcard by which a service finds out diallers that have gone is made once, when there is need.
const ownProbe = 1;

export const longLife: Row = {
  id: 'long-life',
  fault: `${calls} calls, then ${cycles} open/close cycles each of sockets, streams, watchers and subscribers`,
  expected: 'heap within 10 MiB, handles and subscriptions flat, in the client and in the server',
  async run() {
    const findings = new Findings();
    await using stage = await openServerStage({ nodes: 1, idleTimeoutMs });
    const { client, plugins, server } = stage;
    await repeat(20_000, 64, () => client.call('chaos', 'Chaos.Quick', { a: 1 }));
    await repeat(200, 16, () => cycleStream(stage));
    await repeat(100, 16, () => cycleWatcher(stage));
    const subscriptions = (await server.counts()).subscriptions;
    let before = await both(stage);

    const tasks: readonly (readonly [what: string, times: number, task: () => Promise<unknown>])[] = [
      ['calls', calls, () => client.call('chaos', 'Chaos.Quick', { a: 1 })],
      ['sockets', cycles, () => cycleSocket(stage)],
      ['streams', cycles, () => cycleStream(stage)],
      ['watchers', cycles, () => cycleWatcher(stage)],
      ['subscribers', cycles, async () => (await plugins.broker.subscribe('a.b', () => {})).close()],
    ];
    for (const [what, times, task] of tasks) {
      const beganMs = performance.now();
      await repeat(times, 64, task);
      const rate = Math.round((times / (performance.now() - beganMs)) * 1000);
      const isFlat = async () => (await server.counts()).subscriptions <= subscriptions + ownProbe;
      const flat = await until(isFlat, 5000, 50);
      await until(async () => (await both(stage)).serverMiB - before.serverMiB < mayGrowMiB, 3 * idleTimeoutMs, 500);
      const after = await both(stage);
      const now = (await server.counts()).subscriptions;
      const growth = Math.max(after.client.heapMiB - before.client.heapMiB, after.serverMiB - before.serverMiB);
      findings.must(
        flat !== undefined && growth < mayGrowMiB && after.client.handles <= before.client.handles,
        `${what} (${rate}/s): client heap ${before.client.heapMiB} -> ${after.client.heapMiB} MiB, server ${before.serverMiB} -> ${after.serverMiB} MiB, handles ${before.client.handles} -> ${after.client.handles}, subscriptions ${subscriptions} -> ${now}`,
      );
      before = after;
    }
    return findings.outcome;
  },
};

async function both({ fleet }: ServerStage): Promise<{ client: Held; serverMiB: number }> {
  const { memory } = await fleet.node(0).ask('facts');
  return { client: await held(), serverMiB: Math.round((memory as NodeJS.MemoryUsage).heapUsed / 2 ** 20) };
}

async function cycleSocket({ plugins, fleet }: ServerStage): Promise<void> {
  const { node } = await fleet.node(0).heard('ready');
  const { address } = node as { address: string };
  const socket = await plugins.transport.dial(address);
  await socket.close();
}

async function cycleStream({ client }: ServerStage): Promise<void> {
  const stream = await client.stream('chaos', 'Chaos.Echo');
  await stream.send({ a: 1 });
  await stream.receive();
  await stream.end();
  await stream.receive();
  await stream.close();
}

async function cycleWatcher({ plugins }: ServerStage): Promise<void> {
  const watcher = await plugins.registry.watch({ service: 'chaos' });
  for await (const _ of watcher) break;
  await watcher.close();
}

async function repeat(times: number, atOnce: number, task: () => Promise<unknown>): Promise<void> {
  let left = times;
  const worker = async () => {
    while (left-- > 0) await task();
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}
