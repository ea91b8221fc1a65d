import { expect, test } from 'vitest';
import { runRounds } from '../src/harness/rounds.ts';

const figure = (measurement: number): number => measurement;

test('every round measures each contender once, and ratios are taken within a round', async () => {
  const drift = { slow: 0, fast: 0 };
  const seen: string[] = [];
  const rounds = await runRounds({
    names: ['slow', 'fast'] as const,
    rounds: 3,
    async measure(name) {
      seen.push(name);
      drift[name]++;
      return (name === 'slow' ? 10 : 25) * 2 ** drift[name];
    },
    onRound: () => seen.push('|'),
  });
  const measured = seen.join(' ').split('|').slice(1);
  expect(measured.map((round) => round.trim().split(' ').toSorted().join())).toEqual(Array(3).fill('fast,slow'));
  expect(rounds.ratio('fast', 'slow', figure)).toMatchObject({ min: 2.5, median: 2.5, max: 2.5, count: 3 });
  expect(rounds.summary('slow', figure)).toMatchObject({ min: 20, median: 40, max: 80 });
});

test('a contender that fails drops out with its reason, and the others go on', async () => {
  let measured = 0;
  const rounds = await runRounds({
    names: ['good', 'late', 'never'] as const,
    rounds: 3,
    prepare: async (name) => {
      if (name === 'never') throw new Error('is not here');
    },
    async measure(name) {
      if (name === 'late' && ++measured === 2) throw new Error('broke');
      return 1;
    },
    onRound: () => {},
  });
  expect(rounds.names).toEqual(['good']);
  expect([...rounds.failures].toSorted()).toEqual([
    ['late', 'broke'],
    ['never', 'is not here'],
  ]);
  expect(measured).toBe(2);
  expect(rounds.summary('good', figure)?.count).toBe(3);
  expect(rounds.ratio('late', 'good', figure)).toBeUndefined();
});
