import { type ContenderName, contenders } from '../contenders/contenders.ts';
import type { Arena } from '../harness/arena.ts';
import type { CallPlan, CallResult } from '../harness/caller.ts';
import { type Rounds, runRounds } from '../harness/rounds.ts';
import { numberText, summaryText, type Table } from '../harness/table.ts';
import { judge, type Limit, type Outcome } from '../harness/target.ts';
import { chosen, leftOut } from './chosen.ts';
import type { Bench, Workload } from './workload.ts';

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
export interface RatioTarget extends Limit {
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
      const rounds = await runRounds({
        names: chosen(names, settings),
        rounds: settings.rounds,
        prepare: (contender) => callBoth(arena, contender, { ...plan, calls: settings.warmupCalls }),
        measure: (contender) => measure(bench, arena, contender, plan),
        onRound: (round) => bench.progress(`${name}: round ${round} of ${settings.rounds}`),
      });
      return {
        tables: [unaryTable(rounds, plan.hasLatencies ?? false)],
        outcomes: targets.map((target) => outcomeOf(rounds, target)),
        notes: [...leftOut(rounds.failures), ...noiseOf(rounds, plan.hasLatencies ? p50 : callsPerSecond)],
      };
    },
  };
}

async function callBoth(arena: Arena, name: ContenderName, plan: CallPlan): Promise<CallResult> {
  const { client } = await arena.pair(name);
  return client.request<CallResult>('calls', plan);
}

async function measure(
  { settings }: Bench,
  arena: Arena,
  name: ContenderName,
  plan: UnaryPlan['plan'],
): Promise<UnaryMeasurement> {
  const { server } = await arena.pair(name);
  // While others ran, this one's processes were idle.
  await callBoth(arena, name, { ...plan, calls: Math.ceil(settings.warmupCalls / 20) });
  const natsBefore = arena.natsCpuMs();
  const serverBefore = await server.request<number>('cpu');
  const result = await callBoth(arena, name, { ...plan, durationMs: settings.measureMs });
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

function unaryTable(rounds: Rounds<ContenderName, UnaryMeasurement>, hasLatencies: boolean): Table {
  const rate = hasLatencies
    ? ['p50 ms', 'x raw', 'p99 ms', 'x raw']
    : ['calls/s', 'x raw', 'client CPU us/call', 'server CPU us/call', 'nats-server CPU us/call'];
  const rows = rounds.names.map((name) => {
    const median = (figure: Figure): string => {
      const summary = rounds.summary(name, figure);
      return summary === undefined ? '' : numberText(summary.median);
    };
    const ratio = (figure: Figure): string => summaryText(rounds.ratio(name, 'raw', figure));
    const cells = hasLatencies
      ? [median(p50), ratio(p50), median(p99), ratio(p99)]
      : [
          median(callsPerSecond),
          ratio(callsPerSecond),
          median(clientCpu),
          median(serverCpu),
          median((measurement) => measurement.natsCpuUs),
        ];
    return [contenders[name].title, ...cells];
  });
  return { head: ['contender', ...rate], rows };
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
