import { Arena } from '../../harness/arena.ts';
import { medianText, summaryText } from '../../harness/report/table.ts';
import { runRounds } from '../../harness/rounds.ts';
import { judge } from '../../harness/target.ts';
import type { Bench, Workload, WorkloadResult } from '../workload.ts';
import { measureOverload, type OverloadMeasurement, peakOf } from './measure-overload.ts';

/** Of one node: as many as its handlers, which wait for 20 ms each, so that the processor is not what limits them. */
const inFlight = 16;
const name = 'ts-micro-slow';

/** The same as `overload` with handlers of 20 ms, 16 at once: on one node, and on three with one client. */
export const overloadNodes: Workload = {
  name: 'overload-nodes',
  title: 'Twice as many calls as one node, and three nodes, of 16 handlers of 20 ms can answer',
  async run(bench) {
    const parts = [await measureNodes(bench, 1), await measureNodes(bench, 3)];
    return {
      tables: [
        {
          head: ['nodes', 'peak calls/s', 'in time at 2 x, of the peak', 'in time at half, 2 s later'],
          rows: parts.flatMap(({ rows }) => rows),
        },
      ],
      outcomes: parts.flatMap(({ outcomes }) => outcomes),
    };
  },
};

async function measureNodes(
  { settings, progress }: Bench,
  nodes: number,
): Promise<{ readonly rows: string[][]; readonly outcomes: WorkloadResult['outcomes'] }> {
  await using arena = await Arena.open([]);
  for (let node = 1; node < nodes; node++) await arena.server(name);
  const { client } = await arena.pair(name);
  const rounds = await runRounds<typeof name, OverloadMeasurement>({
    names: [name],
    rounds: Math.min(settings.isQuick ? 1 : 2, settings.rounds),
    prepare: () => peakOf(client, nodes * inFlight),
    measure: () => measureOverload(client, nodes * inFlight, settings.isQuick ? 1500 : 5000),
    onRound: (round) => progress(`overload-nodes: ${nodes}, round ${round}`),
  });
  const goodput = rounds.summary(name, (measurement) => measurement.goodput);
  const afterwards = rounds.summary(name, (measurement) => measurement.afterwards);
  const why = rounds.failures.get(name);
  const what = `${nodes} ${nodes === 1 ? 'node' : 'nodes'} of slow handlers`;
  return {
    rows: [
      [
        String(nodes),
        medianText(rounds.summary(name, ({ peak }) => peak)),
        summaryText(goodput),
        summaryText(afterwards),
      ],
    ],
    outcomes: [
      judge(`${what}, twice the peak rate: answers in time`, goodput, { atLeast: 0.85, unit: 'x the peak' }, why),
      judge(`${what}, half of it 2 s later: answers in time`, afterwards, { atLeast: 0.98, unit: 'of the calls' }, why),
    ],
  };
}
