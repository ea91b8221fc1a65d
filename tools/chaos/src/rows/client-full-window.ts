import { Findings } from '../harness/findings.ts';
import { openServerStage } from '../harness/stage.ts';
import { SubjectProcess } from '../harness/subject-process.ts';
import { until } from '../harness/until.ts';
import type { Row } from '../row.ts';

const streams = 20;
const idleTimeoutMs = 4000;

export const fullWindow: Row = {
  id: 'client-full-window',
  fault: `a client with ${streams} streams that it does not read, so that their handlers wait to send, SIGKILLed`,
  expected: 'the handlers end by the idle time, other calls go on meanwhile, and nothing stays',
  async run() {
    const findings = new Findings();
    await using stage = await openServerStage({ nodes: 1, idleTimeoutMs });
    const node = stage.fleet.node(0);
    const open = async () => (await node.ask('facts')).openStreams as number;
    const settings = { servers: stage.server.address, endpoint: 'Chaos.Flood', streams, reads: false };
    await using client = await SubjectProcess.start('stream-client', settings);
    const opened = await until(async () => (await open()) === streams, 10_000);
    findings.must(opened !== undefined, `${await open()} streams open`);
    // Long enough for every window to be full.
    await new Promise((resolve) => setTimeout(resolve, 3000));
    const answered = await stage.client.call('chaos', 'Chaos.Quick', { a: 1 });
    findings.must(JSON.stringify(answered) === '{"a":1}', 'another call is answered meanwhile');
    await client.kill();
    const endedMs = await until(async () => (await open()) === 0, idleTimeoutMs * 3, 50);
    findings.must(
      endedMs !== undefined && endedMs <= idleTimeoutMs + 2000,
      `all ended ${endedMs} ms after the kill, idle time ${idleTimeoutMs} ms`,
    );
    return findings.outcome;
  },
};
