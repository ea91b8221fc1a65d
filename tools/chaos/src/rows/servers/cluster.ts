import { setTimeout as sleep } from 'node:timers/promises';
import { type NatsCluster, startNatsCluster } from '@ts-micro/testkit/nats';
import { Findings } from '../../harness/findings.ts';
import { Load } from '../../harness/load.ts';
import { openStage, type Stage } from '../../harness/stage.ts';
import { until } from '../../harness/until.ts';
import type { Row } from '../../row.ts';

interface ClusterFault {
  readonly id: string;
  readonly fault: string;
  readonly expected: string;
  readonly config?: string;
  run(cluster: NatsCluster, stage: Stage, findings: Findings): Promise<void>;
}

const expected = 'service goes on: no idempotent call fails, all are connected again';

function clusterRow({ id, fault, expected, config, run }: ClusterFault): Row {
  return {
    id,
    fault,
    expected,
    async run() {
      const findings = new Findings();
      await using cluster = await startNatsCluster({ config });
      await using stage = await openStage(cluster.servers);
      const { client, fleet, plugins } = stage;
      const options = { attemptTimeoutMs: 1000, timeoutMs: 10_000, retries: 10, idempotent: true };
      await using load = new Load(64, (number) => client.call('chaos', 'Chaos.Work', { number, ms: 5 }, options));
      await sleep(1000);
      await run(cluster, stage, findings);
      await sleep(2000);
      await load.stop();
      findings.must(
        load.failed.length === 0 && load.done.length > 1000,
        `${load.done.length} calls, ${load.failed.length} failed (${load.codes}), the longest took ${load.longestMs} ms`,
      );
      const lost = fleet.nodes.filter((node) => node.last('state') && node.last('state')?.status !== 'connected');
      findings.must(
        lost.length === 0 && plugins.connection.state.status === 'connected',
        `${fleet.nodes.length + 1 - lost.length} of ${fleet.nodes.length + 1} processes connected`,
      );
      return findings.outcome;
    },
  };
}

export const clusterRows: readonly Row[] = [
  clusterRow({
    id: 'cluster-killed',
    fault: 'the node of a 3-node cluster that the client is on SIGKILLed, then another',
    expected,
    async run(cluster, { plugins }) {
      for (let round = 0; round < 2; round++) {
        const node = cluster.nodes.find(({ address }) => address === plugins.connection.state.server);
        await node?.kill();
        await sleep(3000);
        await node?.restart();
        await cluster.formed();
      }
    },
  }),
  clusterRow({
    id: 'cluster-rolling',
    fault: 'all 3 nodes of a cluster restarted, one after another',
    expected,
    async run(cluster) {
      for (const node of cluster.nodes) {
        await node.restart();
        await cluster.formed();
        await sleep(1500);
      }
    },
  }),
  clusterRow({
    id: 'cluster-lame-duck',
    fault: 'a node of a 3-node cluster put into lame duck mode',
    expected: 'all have left it before it evicts anybody, and no idempotent call fails',
    config: 'lame_duck_duration: "30s", lame_duck_grace_period: "10s"',
    async run(cluster, { plugins }, findings) {
      const node = cluster.nodes.find(({ address }) => address === plugins.connection.state.server);
      if (node === undefined) throw new Error('the client is on no node');
      const held = (await node.counts()).connections;
      node.signal('SIGUSR2');
      const leftMs = await until(async () => (await node.counts()).connections === 0, 15_000, 20);
      findings.must(
        leftMs !== undefined && leftMs < 10_000,
        `its ${held} connections had left after ${leftMs} ms, it evicts from 10000 ms on`,
      );
    },
  }),
];
