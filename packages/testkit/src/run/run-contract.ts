import type { Contract } from '../contract.ts';
import type { CaseResult } from './case-result.ts';
import { type ContractReport, reportOf } from './report.ts';

/** Runs every case, one after the other, without a test runner. Never rejects: failures are in the report. */
export async function runContract(
  contract: Contract,
  { onResult }: { readonly onResult?: ((result: CaseResult) => void) | undefined } = {},
): Promise<ContractReport> {
  const results: CaseResult[] = [];
  for (const boundCase of contract.cases) {
    const result = await boundCase.run();
    results.push(result);
    onResult?.(result);
  }
  return reportOf(contract.name, results);
}
