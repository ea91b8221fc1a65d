import type { Programs } from '../backend.ts';

/** {@link Programs} with defaults and the environment filled in. */
export interface ProgramSettings {
  readonly count: number;
  readonly ms: number;
  readonly seed: number;
  /** Leads from the seed to one program. */
  readonly path: string | undefined;
}

/** Throws for a count or a seed that cannot be one. */
export function programSettings(
  { count = 100, ms, seed = 1 }: Programs = {},
  { CONTRACT_PROGRAMS: countWanted, CONTRACT_SEED: seedWanted }: NodeJS.ProcessEnv = process.env,
): ProgramSettings {
  const settings = {
    count: countWanted ? Number(countWanted) : count,
    ms: countWanted ? 1000 * Number(countWanted) : (ms ?? 3000),
    ...replayOf(String(seedWanted || seed)),
  };
  if (!Number.isInteger(settings.count) || settings.count < 1)
    throw new Error(`the count of programs is ${countWanted ?? count}: give it as a whole number from 1`);
  if (!Number.isInteger(settings.seed))
    throw new Error(`the seed of programs is ${seedWanted ?? seed}: give it as a whole number, or as \`random\``);
  return settings;
}

/** Takes `17`, `random`, or what a failure printed: `17:3:0:1`. */
function replayOf(text: string): Pick<ProgramSettings, 'seed' | 'path'> {
  if (text === 'random') return { seed: Math.trunc(Math.random() * 0x7fff_ffff), path: undefined };
  const [seed = '', ...path] = text.split(':');
  return { seed: seed === '' ? Number.NaN : Number(seed), path: path.length > 0 ? path.join(':') : undefined };
}
