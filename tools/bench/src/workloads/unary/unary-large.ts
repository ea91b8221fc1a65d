import { Arena } from '../../harness/arena.ts';
import type { CallPlan } from '../../harness/caller.ts';
import { PeakMemory } from '../../harness/peak-memory.ts';
import { numberText, summaryText } from '../../harness/report/table.ts';
import { runRounds } from '../../harness/rounds.ts';
import { judge, judgeNumber, type Outcome } from '../../harness/target.ts';
import type { Workload } from '../workload.ts';
import { call } from './unary.ts';

const mib = 1024 * 1024;
const steps = {
  'raw, 512 KiB': { contender: 'raw', inFlight: 4, bytes: mib / 2 },
  'bare chunks, 3 MiB': { contender: 'multiplexer-chunks', inFlight: 2, bytes: 3 * mib },
  'bare chunks, 32 MiB': { contender: 'multiplexer-chunks', inFlight: 1, bytes: 32 * mib },
  'ts-micro, 3 MiB': { contender: 'ts-micro', inFlight: 2, bytes: 3 * mib },
  'ts-micro, 32 MiB': { contender: 'ts-micro', inFlight: 1, bytes: 32 * mib },
} as const;
type Step = keyof typeof steps;

const large: readonly Step[] = ['ts-micro, 3 MiB', 'ts-micro, 32 MiB'];
const base: Step = 'raw, 512 KiB';

/** Bodies beyond the server's `max_payload`, which go in chunks, beside those of raw and chunks by hand. */
export const unaryLarge: Workload = {
  name: 'unary-large',
  title: 'Unary calls of bodies beyond max_payload, native',
  async run({ settings, progress }) {
    // Of its own: memory is measured at the first large call of a process.
    await using arena = await Arena.open([]);
    const memory = new Map<Step, number>();
    for (const step of large) memory.set(step, await measureMemory(arena, step));
    const rounds = await runRounds({
      names: Object.keys(steps) as Step[],
      rounds: Math.min(settings.isQuick ? 1 : 5, settings.rounds),
      measure: (step) => measureRate(arena, step, settings.measureMs),
      onRound: (round) => progress(`unary-large: round ${round}`),
    });
    const rows = rounds.names.map((step) => {
      const growth = memory.get(step);
      return [
        step,
        summaryText(rounds.summary(step, (rate) => rate / mib)),
        summaryText(rounds.ratio(step, base, (rate) => rate)),
        growth === undefined ? '' : numberText(growth),
      ];
    });
    const outcomes = large.flatMap((step): Outcome[] => [
      judge(
        `bodies beyond max_payload: ${step}`,
        rounds.ratio(step, base, (rate) => rate),
        { atLeast: 0.8, unit: `x the bytes a second of ${base}` },
        rounds.failures.get(step),
      ),
      judgeNumber(`memory of either end at its peak: ${step}`, memory.get(step) ?? Number.NaN, {
        atMost: 3,
        unit: 'x the body',
      }),
    ]);
    return { tables: [{ head: ['calls', 'MiB/s each way', 'x raw', 'memory, x the body'], rows }], outcomes };
  },
};

/** Bytes a second each way. */
async function measureRate(arena: Arena, step: Step, durationMs: number): Promise<number> {
  const { contender, inFlight, bytes } = steps[step];
  const plan: CallPlan = { inFlight, bytes, durationMs };
  const { calls, elapsedMs } = await call(arena, contender, plan);
  return ((calls * bytes) / elapsedMs) * 1000;
}

/** How much memory the end that grows most takes for one call, as a multiple of its body. */
async function measureMemory(arena: Arena, step: Step): Promise<number> {
  const { contender, bytes } = steps[step];
  await call(arena, contender, { inFlight: 16, calls: 2000 });
  const { server, client } = await arena.pair(contender);
  const memory = new PeakMemory([server.pid, client.pid]);
  await call(arena, contender, { inFlight: 1, bytes, calls: 1 });
  return memory.growth / bytes;
}
