import { setTimeout as sleep } from 'node:timers/promises';
import { Findings } from '../harness/findings.ts';
import { Load } from '../harness/load.ts';
import { openServerStage } from '../harness/stage.ts';
import { until } from '../harness/until.ts';
import type { Row } from '../row.ts';

const leaseMs = 3000;

export const serviceKilled: Row = {
  id: 'service-killed',
  fault: 'one of 3 nodes SIGKILLed with 64 calls in flight',
  expected:
    'no idempotent call fails; others fail typed and never run twice; the node leaves selection on first evidence, and the registry within its lease',
  async run() {
    const findings = new Findings();
    await using stage = await openServerStage({ leaseMs });
    const { client, fleet, plugins } = stage;
    const options = { attemptTimeoutMs: 1000, timeoutMs: 5000 };
    const work = (idempotent: boolean) => (number: number) =>
      client.call('chaos', 'Chaos.Work', { number, ms: 20 }, { ...options, idempotent });
    await using idempotent = new Load(32, work(true), 0);
    await using single = new Load(32, work(false), 10_000_000);
    let killedMs = Number.NaN;
    const nodes = async () =>
      (await plugins.registry.getService('chaos')).reduce((sum, { nodes }) => sum + nodes.length, 0);
    await using watcher = await plugins.registry.watch({ service: 'chaos' });
    const left = (async () => {
      for await (const event of watcher) {
        if (event.type === 'resync' && event.services[0]?.nodes.length === 2) return performance.now() - killedMs;
        if (event.type === 'delete' && event.service.nodes.length === 0) return performance.now() - killedMs;
        if (event.type === 'update' && event.service.nodes.length === 2) return performance.now() - killedMs;
      }
      return Number.POSITIVE_INFINITY;
    })();
    await sleep(1000);
    const victim = fleet.node(0);
    killedMs = performance.now();
    await victim.kill();
    await sleep(4000);
    await Promise.all([idempotent.stop(), single.stop()]);
    await watcher.close();
    const counts = stage.executions.counts();
    const twice = [...counts].filter(([number, count]) => number >= 10_000_000 && count > 1).length;
    const lastMs = [...idempotent.failed, ...single.failed].reduce((last, { beganMs }) => Math.max(last, beganMs), 0);
    findings.must(
      idempotent.failed.length === 0,
      `${idempotent.done.length} idempotent calls, ${idempotent.failed.length} failed (${idempotent.codes})`,
    );
    findings.must(
      single.untyped === 0,
      `${single.done.length} others, ${single.failed.length} failed typed (${single.codes})`,
    );
    findings.must(single.failed.length <= 32, `no more failed than were in flight`);
    findings.must(twice === 0, `${twice} of them ran twice`);
    findings.must(
      lastMs <= killedMs + 1500,
      `the last call that failed began ${Math.round(lastMs - killedMs)} ms after the kill`,
    );
    const leftMs = await left;
    findings.must(
      leftMs <= leaseMs + 1000,
      `gone from a watcher's view after ${Math.round(leftMs)} ms of a lease of ${leaseMs}`,
    );
    const listedMs = await until(async () => (await nodes()) === 2, 1000);
    findings.must(listedMs !== undefined, 'a lookup lists 2 nodes');
    return findings.outcome;
  },
};
