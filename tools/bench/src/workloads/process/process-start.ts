import { type ContenderName, contenders } from '../../contenders/contenders.ts';
import { Arena } from '../../harness/arena.ts';
import { clockMs } from '../../harness/clock.ts';
import { PeerProcess } from '../../harness/peer-process.ts';
import { summaryText } from '../../harness/report/table.ts';
import { runRounds } from '../../harness/rounds.ts';
import { judge } from '../../harness/target.ts';
import { chosen, leftOut } from '../chosen.ts';
import type { Workload } from '../workload.ts';

const elapsed = (elapsedMs: number): number => elapsedMs;

/** All that a user waits for: Node's start, the imports, connecting, finding the service, the first answer. */
export const processStart: Workload = {
  name: 'process-start',
  title: 'From the start of a process to its first answered call, imports included',
  async run(bench) {
    const { settings } = bench;
    await using arena = await Arena.open([]);
    const names: readonly ContenderName[] = ['raw', 'raw-again', 'transport-node', 'ts-micro', 'moleculer', 'nest'];
    const measure = async (name: ContenderName): Promise<number> => {
      const beganAtMs = clockMs();
      await using client = PeerProcess.ofNode('first-call', `the first call of ${name}`);
      // Awaited here, while the process is still wanted.
      return (await client.request<number>('firstCall', arena.meeting(name))) - beganAtMs;
    };
    const rounds = await runRounds({
      names: chosen(names, settings),
      rounds: settings.rounds,
      async prepare(name) {
        await arena.server(name);
        await measure(name);
      },
      measure,
      onRound: (round) => bench.progress(`process-start: round ${round} of ${settings.rounds}`),
    });
    return {
      tables: [
        {
          head: ['contender', 'ms', 'x raw'],
          rows: rounds.names.map((name) => [
            contenders[name].title,
            summaryText(rounds.summary(name, elapsed)),
            summaryText(rounds.ratio(name, 'raw', elapsed)),
          ]),
        },
      ],
      notes: leftOut(rounds.failures),
      outcomes: [
        judge(
          'start of a process to its first answered call',
          rounds.ratio('ts-micro', 'raw', elapsed),
          { atMost: 1.2, unit: 'x the same with raw nats' },
          rounds.failures.get('ts-micro'),
        ),
      ],
    };
  },
};
