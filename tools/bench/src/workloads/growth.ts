import { type ContenderName, contenders } from '../contenders/contenders.ts';
import type { CallPlan } from '../harness/caller.ts';
import { medianText, summaryText, type Table } from '../harness/report/table.ts';
import { runRounds } from '../harness/rounds.ts';
import { chosen } from './chosen.ts';
import { call, callsPerSecond, measure } from './unary/unary.ts';
import type { Bench, Workload } from './workload.ts';

const names: readonly ContenderName[] = ['raw', 'ts-micro', 'ts-micro-envelope'];

interface Step {
  readonly title: string;
  readonly plan: Omit<CallPlan, 'calls' | 'durationMs'>;
}

const inFlight: readonly Step[] = [1, 4, 16, 64, 256, 1024].map((calls) => ({
  title: String(calls),
  plan: { inFlight: calls },
}));

const sizes: readonly Step[] = [64, 1024, 4096, 16_384, 65_536, 262_144].map((bytes) => ({
  title: bytes < 1024 ? `${bytes} B` : `${bytes / 1024} KiB`,
  plan: { inFlight: 16, bytes },
}));

/** How calls per second change with how many are in flight, and with what they carry. Has no targets. */
export const growth: Workload = {
  name: 'growth',
  title: 'How the cost of a call grows',
  async run(bench) {
    return {
      tables: [
        await tableOf(bench, '128 B of JSON, in flight', inFlight),
        await tableOf(bench, '16 in flight, bytes each way', sizes),
      ],
      outcomes: [],
    };
  },
};

/** A line for each step: calls per second of each contender, and those of ts-micro as multiples of raw's. */
async function tableOf(bench: Bench, title: string, steps: readonly Step[]): Promise<Table> {
  const arena = await bench.arena();
  const rows: string[][] = [];
  for (const step of steps) {
    bench.progress(`growth: ${title} ${step.title}`);
    const rounds = await runRounds({
      names: chosen(names, bench.settings),
      rounds: Math.min(3, bench.settings.rounds),
      prepare: (name) => call(arena, name, { ...step.plan, calls: 500 }),
      measure: (name) => measure(arena, name, { ...step.plan, durationMs: bench.settings.measureMs / 2 }),
      onRound: () => {},
    });
    rows.push([
      step.title,
      ...names.map((name) => medianText(rounds.summary(name, callsPerSecond))),
      ...names.slice(1).map((name) => summaryText(rounds.ratio(name, 'raw', callsPerSecond))),
    ]);
  }
  const head = [
    title,
    ...names.map((name) => `${contenders[name].title}, calls/s`),
    ...names.slice(1).map((name) => `${contenders[name].title}, x raw`),
  ];
  return { head, rows };
}
