import { type ContenderName, contenders } from '../../contenders/contenders.ts';
import type { LoadResult } from '../../harness/open-load.ts';
import { summaryText } from '../../harness/report/table.ts';
import { runRounds } from '../../harness/rounds.ts';
import { judge } from '../../harness/target.ts';
import { chosen, leftOut } from '../chosen.ts';
import { call } from '../unary/unary.ts';
import type { Workload } from '../workload.ts';

/** Calls that come at a rate of their own: half of what raw does at most, for all contenders alike. */
export const openLoop: Workload = {
  name: 'open-loop',
  title: "How long calls of 128 B JSON take that come at half of raw's peak rate, whatever becomes of those before",
  async run(bench) {
    const { settings } = bench;
    const arena = await bench.arena();
    const names: readonly ContenderName[] = ['raw', 'raw-again', 'multiplexer', 'ts-micro', 'ts-micro-envelope'];
    await call(arena, 'raw', { inFlight: 64, calls: settings.warmupCalls });
    const { calls, elapsedMs } = await call(arena, 'raw', { inFlight: 64, durationMs: settings.measureMs });
    const ratePerSecond = ((calls / elapsedMs) * 1000) / 2;
    const measure = async (name: ContenderName, durationMs: number): Promise<LoadResult> => {
      const { client } = await arena.pair(name);
      const result = await client.request<LoadResult>('openLoad', { calls: 'light', ratePerSecond, durationMs });
      if (result.inTime < result.offered)
        throw new Error(`${result.offered - result.inTime} of ${result.offered} calls had no answer in time`);
      return result;
    };
    const rounds = await runRounds({
      names: chosen(names, settings),
      rounds: settings.rounds,
      prepare: (name) => measure(name, settings.measureMs),
      measure: (name) => measure(name, settings.measureMs),
      onRound: (round) => bench.progress(`open-loop: round ${round} of ${settings.rounds}`),
    });
    return {
      tables: [
        {
          head: ['contender', 'p50 ms', 'p99 ms', 'p99, x raw'],
          rows: rounds.names.map((name) => [
            contenders[name].title,
            summaryText(rounds.summary(name, ({ p50Ms }) => p50Ms)),
            summaryText(rounds.summary(name, ({ p99Ms }) => p99Ms)),
            summaryText(rounds.ratio(name, 'raw', ({ p99Ms }) => p99Ms)),
          ]),
        },
      ],
      notes: [
        `${Math.round(ratePerSecond)} calls a second; times are from when a call was due`,
        ...leftOut(rounds.failures),
      ],
      outcomes: [
        judge(
          "half of raw's peak rate, open loop, p99",
          rounds.ratio('ts-micro', 'raw', ({ p99Ms }) => p99Ms),
          { atMost: 1, unit: 'x nats request()' },
          rounds.failures.get('ts-micro'),
        ),
      ],
    };
  },
};
