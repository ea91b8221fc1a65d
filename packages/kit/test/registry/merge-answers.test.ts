import { serviceRecord } from '@ts-micro/core';
import { expect, test } from 'vitest';
import { mergeAnswers } from '../../src/registry/peers/merge-answers.ts';

const answer = (version: string, nodes: Readonly<Record<string, string>>, color = 'red') => ({
  service: serviceRecord({
    name: 'greeter',
    version,
    metadata: { color },
    nodes: Object.entries(nodes).map(([id, address]) => ({ id, address })),
  }),
  leasesMs: undefined,
});

test('one record comes out for each version, in the order they came', () => {
  const answers = [answer('2', { a: 'x' }), answer('1', { b: 'x' }), answer('2', { c: 'x' })];
  expect(mergeAnswers(answers).map(({ version, nodes }) => [version, nodes.map((node) => node.id)])).toEqual([
    ['2', ['a', 'c']],
    ['1', ['b']],
  ]);
});

test('of what is there twice the first answer counts', () => {
  const [record] = mergeAnswers([answer('1', { a: 'first' }, 'red'), answer('1', { a: 'second', b: 'x' }, 'blue')]);
  expect(record?.metadata).toEqual({ color: 'red' });
  expect(record?.nodes.map(({ id, address }) => [id, address])).toEqual([
    ['a', 'first'],
    ['b', 'x'],
  ]);
});

test('names and versions that run into each other stay apart', () => {
  const named = (name: string, version: string) => ({ service: serviceRecord({ name, version }), leasesMs: undefined });
  expect(mergeAnswers([named('a-1', '2'), named('a', '1-2')])).toHaveLength(2);
});
