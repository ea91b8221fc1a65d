import { type ContenderName, contenders } from '../../contenders/contenders.ts';
import { medianText, summaryText } from '../../harness/report/table.ts';
import { runRounds } from '../../harness/rounds.ts';
import { judge } from '../../harness/target.ts';
import { chosen, leftOut } from '../chosen.ts';
import type { Workload } from '../workload.ts';
import { measureOverload, peakOf } from './measure-overload.ts';

const names: readonly ContenderName[] = ['ts-micro', 'ts-micro-envelope', 'moleculer', 'nest'];

/** Enough that the server never waits for the client. */
const inFlight = 16;

/** What becomes of calls of 1 ms each that come twice as fast as the server can answer, and after that. */
export const overload: Workload = {
  name: 'overload',
  title: 'Twice as many calls as the server can answer, each given up after half a second',
  async run(bench) {
    const { settings } = bench;
    const arena = await bench.arena();
    const durationMs = settings.isQuick ? 1500 : 8000;
    const rounds = await runRounds({
      names: chosen(names, settings),
      rounds: Math.min(3, settings.rounds),
      prepare: async (name) => peakOf((await arena.pair(name)).client, inFlight),
      measure: async (name) => measureOverload((await arena.pair(name)).client, inFlight, durationMs),
      onRound: (round) => bench.progress(`overload: round ${round}`),
    });
    const { failures } = rounds;
    return {
      tables: [
        {
          head: ['contender', 'peak calls/s', 'in time at 2 x, of the peak', 'in time at half, 2 s later'],
          rows: rounds.names.map((name) => [
            contenders[name].title,
            medianText(rounds.summary(name, ({ peak }) => peak)),
            summaryText(rounds.summary(name, ({ goodput }) => goodput)),
            summaryText(rounds.summary(name, ({ afterwards }) => afterwards)),
          ]),
        },
      ],
      notes: leftOut(failures),
      outcomes: [
        judge(
          'twice the peak rate: answers in time',
          rounds.summary('ts-micro', ({ goodput }) => goodput),
          { atLeast: 0.85, unit: 'x the peak' },
          failures.get('ts-micro'),
        ),
        judge(
          'half of the peak rate, 2 s after it: calls answered in time',
          rounds.summary('ts-micro', ({ afterwards }) => afterwards),
          { atLeast: 0.98, unit: 'of the calls' },
          failures.get('ts-micro'),
        ),
      ],
    };
  },
};
