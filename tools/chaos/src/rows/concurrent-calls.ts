import { MicroError } from '@ts-micro/core';
import { Findings } from '../harness/findings.ts';
import { codesOf } from '../harness/load.ts';
import { held } from '../harness/memory.ts';
import { openServerStage } from '../harness/stage.ts';
import { until } from '../harness/until.ts';
import type { Row } from '../row.ts';

const calls = 10_000;

export const concurrentCalls: Row = {
  id: 'concurrent-calls',
  fault: `${calls} calls at once at one node that runs 1024 and keeps 1024 waiting`,
  expected: 'each is answered or refused as unavailable in time, memory falls back, the node goes on',
  async run() {
    const findings = new Findings();
    await using stage = await openServerStage({ nodes: 1 });
    const { client, fleet, executions } = stage;
    await client.call('chaos', 'Chaos.Quick', {});
    const before = await held();
    const beganMs = performance.now();
    const settled = await Promise.all(
      Array.from({ length: calls }, (_, number) =>
        client.call('chaos', 'Chaos.Work', { number, ms: 20 }, { timeoutMs: 10_000 }).then(
          () => ({ error: undefined }),
          (error: unknown) => ({ error }),
        ),
      ),
    );
    const tookMs = Math.round(performance.now() - beganMs);
    const failed = settled.filter(({ error }) => error !== undefined);
    findings.must(
      failed.every(({ error }) => MicroError.is(error, 'unavailable')) && tookMs < 12_000,
      `${calls - failed.length} answered, failed: ${codesOf(failed)}, all within ${tookMs} ms`,
    );
    const ran = executions.counts();
    const twice = [...ran.values()].filter((count) => count > 1).length;
    findings.must(ran.size === calls - failed.length && twice === 0, `${ran.size} ran, ${twice} twice`);
    const backMs = await until(
      () =>
        client.call('chaos', 'Chaos.Quick', {}).then(
          () => true,
          () => false,
        ),
      5000,
    );
    findings.must(backMs !== undefined, 'the node answers on');
    const after = await held();
    const { memory } = await fleet.node(0).ask('facts');
    findings.must(
      after.heapMiB - before.heapMiB < 20,
      `client heap ${before.heapMiB} MiB before, ${after.heapMiB} after`,
    );
    findings.note(`server heap ${Math.round((memory as NodeJS.MemoryUsage).heapUsed / 2 ** 20)} MiB after`);
    return findings.outcome;
  },
};
