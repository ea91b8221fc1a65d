import type { CaseSummary } from '../backend.ts';
import type { CaseResult } from './case-result.ts';

/**
 * What a backend may claim, each more than the one before:
 *
 * - `calm` it keeps the contract while nothing fails
 * - `outage` its server is killed, its network cut
 * - `cluster` the same on a server of several nodes
 * - `data loss` its server comes back without what it had stored
 * - `hostile data` other programs write where it reads, and its server refuses it
 */
export type Level = 'calm' | 'outage' | 'cluster' | 'data loss' | 'hostile data';

/** How far a backend has come on one level. Plain data, for JSON. */
export interface LevelResult {
  readonly level: Level;
  /**
   * - `passed` every case of it passed, or was refused by name as not supported
   * - `in part` none failed, and some were not run, or are known to fail
   * - `failed` a case failed
   * - `not claimed` no case of it was run, for want of the hooks it needs
   */
  readonly status: 'passed' | 'in part' | 'failed' | 'not claimed';
  /** The ids of the cases that were not run, are known to fail, or failed. */
  readonly unproven: readonly string[];
}

const levels: readonly Level[] = ['calm', 'outage', 'cluster', 'data loss', 'hostile data'];

/** The level of a case, by what it needs. */
export function levelOf(needs: readonly string[], isCluster = false): Level {
  if (needs.includes('inject') || needs.includes('badCredentials')) return 'hostile data';
  if (needs.includes('loseData')) return 'data loss';
  if (['faults', 'partition', 'halfOpen'].some((need) => needs.includes(need))) return isCluster ? 'cluster' : 'outage';
  return 'calm';
}

/** How far these results come; cases that were left out count as not run. */
export function levelsOf(results: readonly CaseResult[], leftOut: readonly CaseSummary[] = []): readonly LevelResult[] {
  return levels.map((level) => {
    const mine = results.filter((result) => result.level === level);
    const failed = mine.filter(({ status }) => status === 'failed');
    const open = mine.filter(({ status }) => status === 'notRun' || status === 'knownFailing');
    const missing = leftOut.filter((each) => each.level === level);
    const isUntried = mine.every(({ status }) => status === 'notRun');
    const unproven = [...failed, ...open, ...missing].map(({ id }) => id);
    if (failed.length > 0) return { level, status: 'failed', unproven };
    if (isUntried) return { level, status: 'not claimed', unproven: [] };
    return { level, status: unproven.length > 0 ? 'in part' : 'passed', unproven };
  });
}

/** `levels: calm, outage; in part: hostile data; not claimed: cluster, data loss`. */
export function formatLevels(results: readonly LevelResult[]): string {
  const of = (wanted: LevelResult['status']) =>
    results.filter(({ status }) => status === wanted).map(({ level }) => level);
  const passed = of('passed').join(', ') || 'none';
  const others = (['failed', 'in part', 'not claimed'] as const)
    .map((status) => ({ status, names: of(status).join(', ') }))
    .filter(({ names }) => names !== '')
    .map(({ status, names }) => `; ${status}: ${names}`);
  return `levels: ${passed}${others.join('')}`;
}
