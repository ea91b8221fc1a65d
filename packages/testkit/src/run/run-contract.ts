import type { Contract } from '../contract.ts';
import type { CaseResult } from './case-result.ts';
import { type ContractReport, reportOf } from './report.ts';

export interface RunOptions {
  /** Told of each case as it ends. */
  readonly onResult?: ((result: CaseResult) => void) | undefined;
  /** Stops at the first failure. @default false */
  readonly bail?: boolean | undefined;
}

/** Runs every case, one after the other, without a test runner. Never rejects: failures are in the report. */
export async function runContract(
  contract: Contract,
  { onResult, bail = false }: RunOptions = {},
): Promise<ContractReport> {
  const results: CaseResult[] = [];
  for (const boundCase of contract.cases) {
    const result = await boundCase.run();
    results.push(result);
    onResult?.(result);
    if (bail && result.status === 'failed') break;
  }
  return reportOf(contract, results);
}
