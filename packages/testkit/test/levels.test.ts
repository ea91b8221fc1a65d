import { brokerContract, formatBadge, formatLevels, registryContract, transportContract } from '@ts-micro/testkit';
import { expect, test } from 'vitest';
import type { CaseResult } from '../src/run/case-result.ts';
import { type Level, levelsOf } from '../src/run/levels.ts';
import { thing } from './thing.ts';

const result = (id: string, level: Level, status: CaseResult['status']): CaseResult => {
  return { id, title: id, subject: 'Broker', level, status, ms: 1 };
};

test('a level is passed where all its cases are, or are refused by name', () => {
  const levels = levelsOf([result('a', 'calm', 'passed'), result('b', 'calm', 'notSupported')]);
  expect(levels[0]).toEqual({ level: 'calm', status: 'passed', unproven: [] });
});

test('a level is in part where a case was not run, is known to fail or was left out', () => {
  const open = [result('b', 'outage', 'notRun'), result('c', 'outage', 'knownFailing')];
  const leftOut = [{ id: 'd', title: 'd', subject: 'Broker', needs: [], level: 'outage' as const }];
  const levels = levelsOf([result('a', 'outage', 'passed'), ...open], leftOut);
  expect(levels[1]).toEqual({ level: 'outage', status: 'in part', unproven: ['b', 'c', 'd'] });
});

test('one failure fails a level, and no case run claims none', () => {
  const levels = levelsOf([
    result('a', 'calm', 'passed'),
    result('b', 'outage', 'failed'),
    result('c', 'outage', 'passed'),
    result('d', 'data loss', 'notRun'),
  ]);
  expect(levels.map(({ status }) => status)).toEqual(['passed', 'failed', 'not claimed', 'not claimed', 'not claimed']);
  expect(formatLevels(levels)).toBe('levels: calm; failed: outage; not claimed: cluster, data loss, hostile data');
});

test('each case has the level of what it needs, and outages of several nodes are of a level of their own', () => {
  const open = () => thing();
  const cases = (cluster: boolean) => [
    ...brokerContract({ name: 'thing', open, cluster }).cases,
    ...registryContract({ name: 'thing', open: () => Promise.reject(), cluster }).cases,
    ...transportContract({ name: 'thing', open: () => Promise.reject(), cluster }).cases,
  ];
  const one = Object.fromEntries(cases(false).map(({ id, level }) => [id, level]));
  expect(one).toMatchObject({
    'broker/every-subscriber': 'calm',
    'broker/outage-close': 'outage',
    'broker/half-open': 'outage',
    'registry/data-loss-deregistered': 'data loss',
    'transport/foreign-bytes': 'hostile data',
    'transport/bad-credentials': 'hostile data',
  });
  const several = Object.fromEntries(cases(true).map(({ id, level }) => [id, level]));
  expect(several).toMatchObject({ 'broker/every-subscriber': 'calm', 'broker/outage-close': 'cluster' });
});

test('a badge shows what was passed, and what failed instead where something did', () => {
  const passed = formatBadge(levelsOf([result('a', 'calm', 'passed'), result('b', 'outage', 'passed')]));
  expect(passed).toContain('aria-label="contract: calm · outage"');
  const failed = formatBadge(levelsOf([result('a', 'calm', 'passed'), result('b', 'outage', 'failed')]));
  expect(failed).toContain('aria-label="contract: outage failed"');
});
