import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { BoundCase, Contract } from '../contract.ts';
import { formatBadge } from './badge.ts';
import { formatReport } from './report.ts';
import { runContract } from './run-contract.ts';

/**
 * Runs a contract as the whole of a program, prints each case as it ends and the report at last, then ends the process,
 * also where the backend left timers or sockets: with 1 where a case failed.
 *
 * Arguments: `--bail` stops at the first failure, `--only TEXT` runs the cases whose id or title holds the text,
 * `--json` prints the report as one line of JSON, `--badge FILE` writes the levels that were passed as an SVG. With
 * `node --watch` it runs again whenever a file changes.
 */
export async function runProgram(contract: Contract, args: readonly string[] = process.argv.slice(2)): Promise<never> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      bail: { type: 'boolean', default: false },
      only: { type: 'string', default: '' },
      json: { type: 'boolean', default: false },
      badge: { type: 'string' },
    },
  });
  const isChosen = ({ id, title }: BoundCase) => id.includes(values.only) || title.includes(values.only);
  const cases = contract.cases.filter(isChosen);
  const leftOut = contract.cases.filter((bound) => !isChosen(bound));
  const part = cases.length < contract.cases.length ? `${contract.name}, only "${values.only}"` : contract.name;
  // A backend may throw between two cases, or after the last, and the report is told all the same.
  let late = 0;
  const onLate = (error: unknown): void => {
    late++;
    process.stderr.write(`thrown and not caught: ${error instanceof Error ? error.stack : error}\n`);
  };
  process.on('uncaughtException', onLate).on('unhandledRejection', onLate);
  const report = await runContract(
    { ...contract, name: part, cases, leftOut: [...contract.leftOut, ...leftOut] },
    {
      bail: values.bail,
      onResult({ status, id, ms }) {
        if (!values.json) process.stderr.write(`${status} ${id} (${ms} ms)\n`);
      },
    },
  );
  const text = values.json ? JSON.stringify(report) : formatReport(report);
  if (values.badge !== undefined) writeFileSync(values.badge, formatBadge(report.levels));
  // Node ends before a pipe has taken everything, unless it is waited for.
  await new Promise<void>((resolve) => process.stdout.write(`${text}\n`, () => resolve()));
  process.exit(report.failed + late > 0 || cases.length === 0 ? 1 : 0);
}
