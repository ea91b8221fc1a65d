import { type ContenderName, contenders } from '../../contenders/contenders.ts';
import type { Arena } from '../../harness/arena.ts';
import type { CallPlan, CallResult } from '../../harness/caller.ts';
import { medianText, numberText, summaryText, type Table } from '../../harness/report/table.ts';
import { type Rounds, runRounds } from '../../harness/rounds.ts';
import { judge, type Limit, type Outcome } from '../../harness/target.ts';
import { chosen, leftOut } from '../chosen.ts';
import type { Workload } from '../workload.ts';

/** One measurement of unary calls. CPU times are per call. */
export interface UnaryMeasurement {
  readonly callsPerSecond: number;
  readonly clientCpuUs: number;
  readonly serverCpuUs: number;
  readonly natsCpuUs: number | undefined;
  readonly p50Ms: number | undefined;
  readonly p99Ms: number | undefined;
}

type Figure = (measurement: UnaryMeasurement) => number | undefined;

export const callsPerSecond: Figure = (measurement) => measurement.callsPerSecond;
export const clientCpu: Figure = (measurement) => measurement.clientCpuUs;
export const serverCpu: Figure = (measurement) => measurement.serverCpuUs;
export const p50: Figure = (measurement) => measurement.p50Ms;
export const p99: Figure = (measurement) => measurement.p99Ms;

/** A figure of one contender as a multiple of another's, and what it should be. */
interface RatioTarget extends Limit {
  readonly row: string;
  readonly of: ContenderName;
  readonly to: ContenderName;
  readonly figure: Figure;
}

export interface UnaryPlan {
  readonly name: string;
  readonly title: string;
  readonly contenders: readonly ContenderName[];
  readonly plan: Omit<CallPlan, 'calls' | 'durationMs'>;
  readonly targets: readonly RatioTarget[];
}

/** A workload of unary calls by that plan. */
export function unaryWorkload({ name, title, contenders: names, plan, targets }: UnaryPlan): Workload {
  return {
    name,
    title,
    async run(bench) {
      const arena = await bench.arena();
      const { settings } = bench;
      const warmupCalls = warmupOf(plan, settings.warmupCalls);
      const rounds = await runRounds({
        names: chosen(names, settings),
        rounds: settings.rounds,
        prepare: (contender) => call(arena, contender, { ...plan, calls: warmupCalls }),
        measure: async (contender) => {
          // While others ran, this one's processes were idle.
          await call(arena, contender, { ...plan, calls: Math.ceil(warmupCalls / 20) });
          return measure(arena, contender, { ...plan, durationMs: settings.measureMs });
        },
        onRound: (round) => bench.progress(`${name}: round ${round} of ${settings.rounds}`),
      });
      return {
        tables: [unaryTable(rounds, plan.hasLatencies ? latencyColumns : rateColumns)],
        outcomes: targets.map((target) => outcomeOf(rounds, target)),
        notes: [...leftOut(rounds.failures), ...noiseOf(rounds, plan.hasLatencies ? p50 : callsPerSecond)],
      };
    },
  };
}

/** One at a time and large ones take longer, and warm up no slower. */
function warmupOf({ inFlight, bytes = 0 }: UnaryPlan['plan'], calls: number): number {
  if (inFlight === 1) return calls / 3;
  return Math.min(calls, Math.ceil(calls / (1 + bytes / 8192)));
}

/** Makes calls by a plan, in the contender's own processes. */
export async function call(arena: Arena, name: ContenderName, plan: CallPlan): Promise<CallResult> {
  const { client } = await arena.pair(name);
  return client.request<CallResult>('calls', plan);
}

/** The same, with what they cost. */
export async function measure(arena: Arena, name: ContenderName, plan: CallPlan): Promise<UnaryMeasurement> {
  const { server } = await arena.pair(name);
  const natsBefore = arena.natsCpuMs();
  const serverBefore = await server.request<number>('cpu');
  const result = await call(arena, name, plan);
  const serverAfter = await server.request<number>('cpu');
  const natsAfter = arena.natsCpuMs();
  const perCallUs = (ms: number): number => (ms * 1000) / result.calls;
  return {
    callsPerSecond: (result.calls / result.elapsedMs) * 1000,
    clientCpuUs: perCallUs(result.cpuMs),
    serverCpuUs: perCallUs(serverAfter - serverBefore),
    natsCpuUs: natsBefore === undefined || natsAfter === undefined ? undefined : perCallUs(natsAfter - natsBefore),
    p50Ms: result.p50Ms,
    p99Ms: result.p99Ms,
  };
}

interface Column {
  readonly title: string;
  readonly figure: Figure;
  /** Whether it shows the figure itself or its ratio to raw's. */
  readonly isRatio?: boolean;
}

const rateColumns: readonly Column[] = [
  { title: 'calls/s', figure: callsPerSecond },
  { title: 'x raw', figure: callsPerSecond, isRatio: true },
  { title: 'client CPU us/call', figure: clientCpu },
  { title: 'server CPU us/call', figure: serverCpu },
  { title: 'nats-server CPU us/call', figure: (measurement) => measurement.natsCpuUs },
];

const latencyColumns: readonly Column[] = [
  { title: 'p50 ms', figure: p50 },
  { title: 'x raw', figure: p50, isRatio: true },
  { title: 'p99 ms', figure: p99 },
  { title: 'x raw', figure: p99, isRatio: true },
];

function unaryTable(rounds: Rounds<ContenderName, UnaryMeasurement>, columns: readonly Column[]): Table {
  const cell = (name: ContenderName, { figure, isRatio }: Column): string =>
    isRatio ? summaryText(rounds.ratio(name, 'raw', figure)) : medianText(rounds.summary(name, figure));
  return {
    head: ['contender', ...columns.map(({ title }) => title)],
    rows: rounds.names.map((name) => [contenders[name].title, ...columns.map((column) => cell(name, column))]),
  };
}

function outcomeOf(rounds: Rounds<ContenderName, UnaryMeasurement>, target: RatioTarget): Outcome {
  const { row, of, to, figure, atLeast, atMost } = target;
  const missing = [of, to].find((name) => !rounds.names.includes(name)) ?? of;
  const limit = { atLeast, atMost, unit: `x ${contenders[to].title}` };
  return judge(row, rounds.ratio(of, to, figure), limit, `without ${contenders[missing].title}`);
}

/** How far two contenders of the same code lie apart: less is no difference. */
function noiseOf(rounds: Rounds<ContenderName, UnaryMeasurement>, figure: Figure): readonly string[] {
  const noise = rounds.ratio('raw-again', 'raw', figure);
  if (noise === undefined) return [];
  return [
    `noise: raw against raw is ${summaryText(noise)}, between ${numberText(noise.min)} and ${numberText(noise.max)}`,
  ];
}
