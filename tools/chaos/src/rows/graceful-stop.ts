import { setTimeout as sleep } from 'node:timers/promises';
import { Findings } from '../harness/findings.ts';
import { Load } from '../harness/load.ts';
import { openServerStage } from '../harness/stage.ts';
import type { Row } from '../row.ts';

export const gracefulStop: Row = {
  id: 'graceful-stop',
  fault: 'one of 3 nodes told to stop (SIGTERM) with 64 calls in flight, none of them idempotent',
  expected:
    'every accepted request is answered, no caller sees an error, the node leaves the registry first and ends by itself',
  async run() {
    const findings = new Findings();
    await using stage = await openServerStage();
    const { client, fleet, plugins } = stage;
    await using watcher = await plugins.registry.watch({ service: 'chaos' });
    let withdrawnAt: number | undefined;
    const watching = (async () => {
      for await (const event of watcher)
        if (event.type === 'delete' || event.type === 'update') withdrawnAt ??= Date.now();
    })();
    await using load = new Load(64, (number) => client.call('chaos', 'Chaos.Work', { number, ms: 100 }));
    await sleep(1500);
    withdrawnAt = undefined;
    const node = fleet.node(0);
    node.signal('SIGTERM');
    const stopped = await node.heard('stopped', 15_000);
    await node.exited();
    await sleep(500);
    await load.stop();
    await watcher.close();
    await watching;
    const counts = stage.executions.counts();
    const twice = [...counts.values()].filter((count) => count > 1).length;
    findings.must(load.failed.length === 0, `${load.done.length} calls, ${load.failed.length} failed (${load.codes})`);
    findings.must(twice === 0 && counts.size === load.done.length, `${counts.size} ran, ${twice} of them twice`);
    const isFirst = withdrawnAt !== undefined && withdrawnAt <= stopped.at;
    findings.must(isFirst, `left the registry ${stopped.at - (withdrawnAt ?? Number.NaN)} ms before it had stopped`);
    findings.must(node.exitCode === 0, `ended with ${node.exitCode}, abandoned ${JSON.stringify(stopped.abandoned)}`);
    return findings.outcome;
  },
};
