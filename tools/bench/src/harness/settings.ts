import { parseArgs } from 'node:util';

/** How much to measure, and what. */
export interface Settings {
  /** Workloads whose name begins with one of these; all where there is none. */
  readonly workloads: readonly string[];
  /** Contenders to measure; all where there is none. */
  readonly contenders: readonly string[];
  readonly rounds: number;
  /** How long one measurement of one contender lasts. */
  readonly measureMs: number;
  /** Calls before the first round. */
  readonly warmupCalls: number;
  /** Messages of one measurement of publishing and streaming. */
  readonly messages: number;
  readonly isQuick: boolean;
  /** Where everything goes as JSON. */
  readonly jsonFile: string | undefined;
  /** Where the contenders' processes write CPU profiles. */
  readonly profileFolder: string | undefined;
}

export const usage = `npm run bench -- [workload ...] [options]

  workload              its name or how it begins: unary, unary-64, publish, lookup; none is all
  --quick               few and short rounds: to see that it works, not how fast it is
  --rounds <n>          rounds of each workload
  --contenders <a,b>    only these contenders
  --json <file>         every result as JSON
  --profile <folder>    CPU profiles of the contenders' Node processes`;

/** Reads the command line. Throws where it cannot. */
export function readSettings(parameters: string[]): Settings {
  const { values, positionals } = parseArgs({
    args: parameters,
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      contenders: { type: 'string', default: '' },
      json: { type: 'string' },
      profile: { type: 'string' },
    },
  });
  const isQuick = values.quick;
  const rounds = Number(values.rounds ?? (isQuick ? 2 : 5));
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error(`--rounds ${values.rounds} is not a number from 1 up`);
  return {
    workloads: positionals,
    contenders: values.contenders.split(',').filter((name) => name !== ''),
    rounds,
    measureMs: isQuick ? 150 : 600,
    warmupCalls: isQuick ? 500 : 6_000,
    messages: isQuick ? 2_000 : 50_000,
    isQuick,
    jsonFile: values.json,
    profileFolder: values.profile,
  };
}
