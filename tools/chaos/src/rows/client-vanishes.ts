import { Findings } from '../harness/findings.ts';
import { openServerStage } from '../harness/stage.ts';
import { SubjectProcess } from '../harness/subject-process.ts';
import { until } from '../harness/until.ts';
import type { Row } from '../row.ts';

const streams = 50;
const idleTimeoutMs = 4000;

export const clientVanishes: Row = {
  id: 'client-vanishes',
  fault: `a client with ${streams} open streams SIGKILLed, twice: its peers send, and its peers listen`,
  expected: 'handlers that send end within 3 s, those that only listen when the idle time is over; nothing stays',
  async run() {
    const findings = new Findings();
    await using stage = await openServerStage({ nodes: 1, idleTimeoutMs });
    const { server, fleet } = stage;
    const node = fleet.node(0);
    const open = async () => (await node.ask('facts')).openStreams as number;
    const before = await server.counts();
    for (const [endpoint, limitMs] of [
      ['Chaos.Tick', 3000],
      ['Chaos.Listen', idleTimeoutMs + 2000],
    ] as const) {
      await using client = await SubjectProcess.start('stream-client', { servers: server.address, endpoint, streams });
      const opened = await until(async () => (await open()) === streams, 10_000);
      findings.must(opened !== undefined, `${await open()} streams of ${endpoint} open`);
      await client.kill();
      const endedMs = await until(async () => (await open()) === 0, limitMs + 5000, 50);
      findings.must(endedMs !== undefined && endedMs <= limitMs, `all ended ${endedMs} ms after the kill`);
    }
    const settled = await until(async () => (await server.counts()).connections === before.connections, 5000);
    const after = await server.counts();
    const growth = after.subscriptions - before.subscriptions;
    // The one wildcard by which the listener finds out that a dialler has gone.
    findings.must(
      settled !== undefined && growth <= 1,
      `subscriptions ${before.subscriptions} before, ${after.subscriptions} after`,
    );
    return findings.outcome;
  },
};
