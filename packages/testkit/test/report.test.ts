import {
  type BrokerUnderTest,
  brokerContract,
  ContractError,
  formatReport,
  formatSummary,
  runContract,
} from '@ts-micro/testkit';
import { expect, test } from 'vitest';
import type { CaseResult } from '../src/run/case-result.ts';
import { reportOf } from '../src/run/report.ts';
import { thing } from './thing.ts';

const passed: CaseResult = {
  id: 'broker/a',
  title: 'it works',
  subject: 'Broker',
  level: 'calm',
  status: 'passed',
  ms: 3,
};
const failed: CaseResult = {
  id: 'broker/longer',
  title: 'it works under load',
  subject: 'Broker',
  level: 'calm',
  status: 'failed',
  ms: 1200,
  reason: 'lost one\nof two',
  details: 'Error: lost one\n    at somewhere',
  trace: ['     0.1 ms  broker1.publish("a")'],
};
const rest: CaseResult[] = [
  { ...passed, id: 'broker/b', status: 'notSupported', reason: 'no queues' },
  { ...passed, id: 'broker/c', status: 'notRun', reason: 'no faults given' },
  { ...passed, id: 'broker/d', status: 'knownFailing', reason: 'server bug 17' },
];

const named = (name: string) => ({ name, leftOut: [] });

test('the summary counts, and leaves out what is zero and ought to be', () => {
  expect(formatSummary(reportOf(named('x'), [passed, passed]))).toBe('contract: 2 passed, 0 failed');
  expect(formatSummary(reportOf(named('x'), [passed, failed, ...rest]))).toBe(
    'contract: 1 passed, 1 failed, 1 not supported, 1 not run, 1 known failing',
  );
});

test('the report is a table, the failures in full, and the summary as its last line', () => {
  expect(formatReport(reportOf(named('redis: broker contract'), [passed, failed, ...rest])).split('\n')).toEqual([
    'redis: broker contract',
    'pass         3 ms  broker/a       it works',
    'FAIL      1200 ms  broker/longer  it works under load (lost one)',
    'n/s          3 ms  broker/b       it works (no queues)',
    'not run      3 ms  broker/c       it works (no faults given)',
    'known        3 ms  broker/d       it works (server bug 17)',
    '',
    '--- broker/longer',
    'Error: lost one',
    '    at somewhere',
    'sent and received:',
    '     0.1 ms  broker1.publish("a")',
    '',
    'levels: none; failed: calm; not claimed: outage, cluster, data loss, hostile data',
    'contract: 1 passed, 1 failed, 1 not supported, 1 not run, 1 known failing',
  ]);
});

test('a report is plain data', () => {
  const report = reportOf(named('x'), [passed, failed, ...rest]);
  expect(JSON.parse(JSON.stringify(report))).toEqual(report);
});

test('`only` leaves cases out, and the name says so', () => {
  const open = () => thing();
  const whole = brokerContract({ name: 'redis', open });
  const part = brokerContract({ name: 'redis', open, only: ({ needs }) => needs.includes('partition') });
  expect(whole.name).toBe('redis: broker contract');
  expect(part.name).toBe('redis: broker contract, in part');
  expect(part.cases).toMatchObject([{ id: 'broker/partition', subject: 'Broker', needs: ['partition'] }]);
  expect(() => brokerContract({ name: 'redis', open, only: () => false })).toThrow('only leaves no case');
});

test('without a runner every case is run and reported as it ends', async () => {
  const open = () => Promise.reject(new Error('no such server'));
  const contract = brokerContract({ name: 'redis', open });
  const seen: string[] = [];
  const report = await runContract(contract, { onResult: ({ id }) => seen.push(id) });
  expect(report.name).toBe('redis: broker contract');
  expect(report.failed).toBe(contract.cases.length);
  expect(seen).toEqual(contract.cases.map(({ id }) => id));
});

test('under any runner a case that fails rejects with its result', async () => {
  const open = () => Promise.reject(new Error('no such server'));
  const [first] = brokerContract({ name: 'redis', open }).cases;
  const error = await first?.verify().catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ContractError);
  expect(error).toMatchObject({ result: { status: 'failed', reason: 'no such server' } });
  expect(String(error)).toContain(`redis: broker contract: ${first?.id}: no such server`);
});

test('under any runner a case that cannot be run is skipped with its reason', async () => {
  const bound = brokerContract({ name: 'thing', open: () => thing() }).cases.find(
    ({ id }) => id === 'broker/outage-close',
  );
  const reasons: string[] = [];
  await bound?.verify((reason) => reasons.push(reason));
  expect(reasons).toEqual(['no faults given']);
});

test('a backend that cannot be opened is refused at once', () => {
  const misspelt = { name: 'redis', harness: () => ({}) } as unknown as BrokerUnderTest;
  expect(() => brokerContract(misspelt)).toThrow('redis: broker contract: give it `open`, or `create`, as a function');
});

test('a known failure that is no case is refused', () => {
  const knownFailing = [{ id: 'broker/misspelt', reason: 'server bug 17' }];
  expect(() => brokerContract({ name: 'redis', open: () => Promise.reject(), knownFailing })).toThrow(
    'broker/misspelt',
  );
});
