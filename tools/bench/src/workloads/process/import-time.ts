import { PeerProcess } from '../../harness/peer-process.ts';
import { summaryText } from '../../harness/report/table.ts';
import { runRounds } from '../../harness/rounds.ts';
import { judge } from '../../harness/target.ts';
import type { Workload } from '../workload.ts';

const modules = {
  nats: ['nats'],
  'ts-micro': ['@ts-micro/service', '@ts-micro/transport-nats', '@ts-micro/broker-nats', '@ts-micro/registry-nats'],
  '@nats-io/transport-node': ['@nats-io/transport-node'],
  moleculer: ['moleculer'],
  '@nestjs/microservices': ['@nestjs/core', '@nestjs/microservices'],
} as const;
type Name = keyof typeof modules;

const elapsed = (elapsedMs: number): number => elapsedMs;

/** Loading the built packages in a fresh process, from a warm file system. */
export const importTime: Workload = {
  name: 'import-time',
  title: 'Importing the packages',
  async run(bench) {
    const { settings } = bench;
    const measure = async (name: Name): Promise<number> => {
      await using child = PeerProcess.ofNode('importer', `the import of ${name}`);
      // Awaited here, while the process is still wanted.
      return await child.request<number>('import', { modules: modules[name] });
    };
    const rounds = await runRounds({
      names: Object.keys(modules) as Name[],
      rounds: settings.rounds,
      prepare: measure,
      measure,
      onRound: (round) => bench.progress(`import-time: round ${round} of ${settings.rounds}`),
    });
    return {
      tables: [
        {
          head: ['modules', 'ms', 'x nats'],
          rows: rounds.names.map((name) => [
            modules[name].join(', '),
            summaryText(rounds.summary(name, elapsed)),
            summaryText(rounds.ratio(name, 'nats', elapsed)),
          ]),
        },
      ],
      outcomes: [
        judge(
          'import of @ts-micro/service and the three NATS plugins',
          rounds.ratio('ts-micro', 'nats', elapsed),
          { atMost: 1.5, unit: 'x import of nats' },
          rounds.failures.get('ts-micro'),
        ),
      ],
    };
  },
};
