import type { Contract } from '../contract.ts';
import type { CaseResult } from './case-result.ts';
import { formatLevels, type LevelResult, levelsOf } from './levels.ts';

/** How a backend did. Plain data: `JSON.stringify` it for machines. */
export interface ContractReport {
  /** `redis: broker contract`. */
  readonly name: string;
  readonly passed: number;
  readonly failed: number;
  readonly notSupported: number;
  readonly notRun: number;
  readonly knownFailing: number;
  /** How far it came on each level. */
  readonly levels: readonly LevelResult[];
  readonly results: readonly CaseResult[];
}

/** Counts results. */
export function reportOf(
  { name, leftOut }: Pick<Contract, 'name' | 'leftOut'>,
  results: readonly CaseResult[],
): ContractReport {
  const count = (status: CaseResult['status']) => results.filter((result) => result.status === status).length;
  return {
    name,
    passed: count('passed'),
    failed: count('failed'),
    notSupported: count('notSupported'),
    notRun: count('notRun'),
    knownFailing: count('knownFailing'),
    levels: levelsOf(results, leftOut),
    results,
  };
}

/** `contract: 63 passed, 0 failed, 2 not supported`; what is zero and ought to be is left out. */
export function formatSummary(report: ContractReport): string {
  const parts = [`${report.passed} passed`, `${report.failed} failed`];
  if (report.notSupported > 0) parts.push(`${report.notSupported} not supported`);
  if (report.notRun > 0) parts.push(`${report.notRun} not run`);
  if (report.knownFailing > 0) parts.push(`${report.knownFailing} known failing`);
  return `contract: ${parts.join(', ')}`;
}

const marks: Readonly<Record<CaseResult['status'], string>> = {
  passed: 'pass',
  failed: 'FAIL',
  knownFailing: 'known',
  notSupported: 'n/s',
  notRun: 'not run',
};

/** A table for people, the failures in full below it, the levels, and the summary as the last line. */
export function formatReport(report: ContractReport): string {
  const width = Math.max(0, ...report.results.map(({ id }) => id.length));
  const rows = report.results.map(({ status, ms, id, title, reason }) => {
    const note = reason === undefined ? '' : ` (${reason.split('\n', 1)[0]})`;
    return `${marks[status].padEnd(7)} ${String(ms).padStart(6)} ms  ${id.padEnd(width)}  ${title}${note}`;
  });
  const failures = report.results
    .filter(({ status }) => status === 'failed')
    .flatMap(({ id, reason, details, open = [], trace }) => [
      '',
      `--- ${id}`,
      details ?? reason ?? '',
      ...(open.length > 0 ? ['not settled when it failed:', ...open] : []),
      ...(trace ? ['sent and received:', ...trace] : []),
    ]);
  return [report.name, ...rows, ...failures, '', formatLevels(report.levels), formatSummary(report)].join('\n');
}
