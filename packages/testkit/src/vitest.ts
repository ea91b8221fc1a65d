import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { BrokerUnderTest, InterfaceName, RegistryUnderTest, TransportUnderTest } from './backend.ts';
import { brokerContract, type Contract, registryContract, transportContract } from './contract.ts';
import type { CaseResult } from './run/case-result.ts';
import { ContractError } from './run/contract-error.ts';
import { formatLevels } from './run/levels.ts';
import { type ContractReport, formatSummary, reportOf } from './run/report.ts';

/** Registers the contract of `Transport`, `Listener` and `Socket` as tests of this backend. */
export function testTransport(backend: TransportUnderTest): void {
  register(transportContract(backend));
}

/** Registers the contract of `Broker` and `Subscriber` as tests of this backend. */
export function testBroker(backend: BrokerUnderTest): void {
  register(brokerContract(backend));
}

/** Registers the contract of `Registry` and `Watcher` as tests of this backend. */
export function testRegistry(backend: RegistryUnderTest): void {
  register(registryContract(backend));
}

function register(contract: Contract): void {
  const { name, cases } = contract;
  const subjects = [...new Set(cases.map(({ subject }) => subject))];
  // One at a time, because a case looks for what it left behind in the whole process.
  describe(name, { concurrent: false }, () => {
    const results: CaseResult[] = [];
    for (const subject of subjects) {
      describe(subject, () => {
        for (const boundCase of cases.filter((candidate) => candidate.subject === subject)) {
          test(boundCase.title, { timeout: boundCase.limitMs }, async ({ skip }) => {
            const result = await boundCase.run();
            results.push(result);
            if (result.status === 'failed') throw new ContractError(name, result);
            if (result.status === 'notRun') skip(result.reason);
          });
        }
      });
    }
    afterAll(() => {
      const report = reportOf(contract, results);
      const file = relative(process.cwd(), expect.getState().testPath ?? '');
      keep({ ...report, file, interface: contract.interface });
      const unproven = results.filter(({ status }) => status !== 'passed' && status !== 'failed');
      const lines = unproven.map(({ id, reason }) => `  ${id}: ${reason}`);
      console.info([`${name}:`, ...lines, formatLevels(report.levels), formatSummary(report)].join('\n'));
    });
  });
}

/** Writes a report as JSON into the folder `CONTRACT_REPORTS`, where the environment names one. */
function keep(report: ContractReport & { readonly file: string; readonly interface: InterfaceName }): void {
  const folder = process.env.CONTRACT_REPORTS;
  if (!folder) return;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${report.name.replaceAll(/[^\w]+/g, '-')}.json`), `${JSON.stringify(report)}\n`);
}
