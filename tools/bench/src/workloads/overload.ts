import { type ContenderName, contenders } from '../contenders/contenders.ts';
import type { Arena } from '../harness/arena.ts';
import type { CallResult } from '../harness/caller.ts';
import type { LoadPlan, LoadResult } from '../harness/open-load.ts';
import { medianText, summaryText } from '../harness/report/table.ts';
import { runRounds } from '../harness/rounds.ts';
import { judge } from '../harness/target.ts';
import { chosen, leftOut } from './chosen.ts';
import type { Workload } from './workload.ts';

const names: readonly ContenderName[] = ['ts-micro', 'ts-micro-envelope', 'moleculer', 'nest'];

/** Enough that the server never waits for the client. */
const inFlight = 16;
/** How long the load may have fallen until everything is as before. */
const recoveryMs = 2000;

interface Measured {
  readonly peak: number;
  /** Answers in time a second under twice the peak, as a share of the peak. */
  readonly goodput: number;
  /** The share of calls answered in time under half of the peak, two seconds after the overload. */
  readonly afterwards: number;
}

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
      prepare: (name) => peakOf(arena, name, 1000),
      measure: (name) => measureOverload(arena, name, durationMs),
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

async function measureOverload(arena: Arena, name: ContenderName, durationMs: number): Promise<Measured> {
  const peak = await peakOf(arena, name, 1000);
  const under = await load(arena, name, { ratePerSecond: 2 * peak, durationMs });
  await load(arena, name, { ratePerSecond: peak / 2, durationMs: recoveryMs });
  const after = await load(arena, name, { ratePerSecond: peak / 2, durationMs: recoveryMs });
  return {
    peak,
    goodput: ((under.inTime / under.elapsedMs) * 1000) / peak,
    afterwards: after.inTime / after.offered,
  };
}

/** The most heavy calls a second that the server answers. */
async function peakOf(arena: Arena, name: ContenderName, durationMs: number): Promise<number> {
  const { client } = await arena.pair(name);
  const { calls, elapsedMs } = await client.request<CallResult>('heavyCalls', { inFlight, durationMs });
  return (calls / elapsedMs) * 1000;
}

async function load(arena: Arena, name: ContenderName, plan: LoadPlan): Promise<LoadResult> {
  const { client } = await arena.pair(name);
  return client.request<LoadResult>('openLoad', plan);
}
