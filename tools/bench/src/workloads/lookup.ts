import { startNatsServer } from '@ts-micro/testkit/nats';
import { PeerProcess } from '../harness/peer-process.ts';
import { summaryText } from '../harness/report/table.ts';
import { type Rounds, runRounds } from '../harness/rounds.ts';
import { judge } from '../harness/target.ts';
import type { Workload } from './workload.ts';

interface Lookup {
  readonly completeMs: number;
  readonly firstMs: number;
  readonly cachedMs: number;
}

const sizes = ['1', '10', '100'] as const;
type Size = (typeof sizes)[number];

const complete = (lookup: Lookup): number => lookup.completeMs;
const first = (lookup: Lookup): number => lookup.firstMs;
const cachedUs = (lookup: Lookup): number => lookup.cachedMs * 1000;

/** Services of 1, 10 and 100 instances, each instance on a connection of its own. */
export const lookup: Workload = {
  name: 'lookup',
  title: 'Looking services up, cold and cached',
  async run(bench) {
    const { settings } = bench;
    await using nats = await startNatsServer();
    await using services = PeerProcess.ofNode('services', 'the services');
    await using client = PeerProcess.ofNode('lookups', 'the client');
    const nameOf = (size: Size): string => `lookup-${size}`;
    const names = sizes.flatMap((size) => Array.from({ length: Number(size) }, () => nameOf(size)));
    await services.request('serve', { address: nats.address, names, isShared: false });
    await client.request('connect', { address: nats.address });
    const measure = async (size: Size): Promise<Lookup> => {
      const name = nameOf(size);
      const completeMs = await client.request<number>('complete', { name, instances: Number(size) });
      const bursts = settings.isQuick ? 20 : 200;
      return { completeMs, ...(await client.request<Omit<Lookup, 'completeMs'>>('viaClient', { name, bursts })) };
    };
    const rounds = await runRounds({
      names: sizes,
      rounds: settings.rounds,
      prepare: measure,
      measure,
      onRound: (round) => bench.progress(`lookup: round ${round} of ${settings.rounds}`),
    });
    return {
      tables: [
        {
          head: ['instances', 'complete answer, ms', 'first usable node, ms', 'cached, us'],
          rows: sizes.map((size) => rowOf(rounds, size)),
        },
      ],
      outcomes: sizes.flatMap((size) => {
        const why = rounds.failures.get(size);
        return [
          judge(
            `cold lookup, complete answer, ${size} instances`,
            rounds.summary(size, complete),
            { atMost: 60, unit: 'ms' },
            why,
          ),
          judge(
            `cold lookup, first usable node, ${size} instances`,
            rounds.summary(size, first),
            { atMost: 15, unit: 'ms' },
            why,
          ),
          judge(`cached lookup, ${size} instances`, rounds.summary(size, cachedUs), { atMost: 5, unit: 'us' }, why),
        ];
      }),
      notes: ['first and cached are what a call spends until it has a node: all of it before the request is made'],
    };
  },
};

function rowOf(rounds: Rounds<Size, Lookup>, size: Size): readonly string[] {
  const why = rounds.failures.get(size);
  return [
    size,
    why ?? summaryText(rounds.summary(size, complete)),
    summaryText(rounds.summary(size, first)),
    summaryText(rounds.summary(size, cachedUs)),
  ];
}
