import { type ContenderName, contenders } from '../../contenders/contenders.ts';
import { Arena } from '../../harness/arena.ts';
import { summaryText } from '../../harness/report/table.ts';
import { runRounds } from '../../harness/rounds.ts';
import { judge } from '../../harness/target.ts';
import { chosen, leftOut } from '../chosen.ts';
import type { Workload } from '../workload.ts';

const elapsed = (elapsedMs: number): number => elapsedMs;

/**
 * A fresh process with its modules loaded: from there to the first answered call, connecting and finding the service
 * included.
 */
export const coldStart: Workload = {
  name: 'cold-start',
  title: 'A cold process to its first answered call',
  async run(bench) {
    const { settings } = bench;
    await using arena = await Arena.open([]);
    const names: readonly ContenderName[] = [
      'raw',
      'raw-again',
      'transport-node',
      'multiplexer',
      'ts-micro',
      'moleculer',
      'nest',
      'go-micro',
    ];
    const rounds = await runRounds({
      names: chosen(names, settings),
      rounds: settings.rounds,
      prepare: (name) => arena.server(name),
      async measure(name) {
        await using client = await arena.start(name, 'client');
        await client.request('load', { name });
        // Awaited here, while the process is still wanted.
        return await client.request<number>('firstCall', arena.meeting(name));
      },
      onRound: (round) => bench.progress(`cold-start: round ${round} of ${settings.rounds}`),
    });
    const rows = rounds.names.map((name) => [
      contenders[name].title,
      summaryText(rounds.summary(name, elapsed)),
      summaryText(rounds.ratio(name, 'raw', elapsed)),
    ]);
    return {
      tables: [{ head: ['contender', 'ms', 'x raw'], rows }],
      notes: leftOut(rounds.failures),
      outcomes: [
        judge(
          'cold process to first answered call',
          rounds.ratio('ts-micro', 'raw', elapsed),
          { atMost: 2, unit: 'x raw connect and request' },
          rounds.failures.get('ts-micro'),
        ),
      ],
    };
  },
};
