import fc from 'fast-check';
import { afterEach, expect, test, vi } from 'vitest';
import type { Programs } from '../src/backend.ts';
import { holdsForPrograms } from '../src/cases/programs/holds-for-programs.ts';
import { programSettings } from '../src/run/program-settings.ts';
import { runThing, thing } from './thing.ts';

const step = fc.nat({ max: 99 });

/** Runs programs of numbers, of which `check` refuses some. */
async function runNumbers(
  check: (numbers: readonly number[]) => void,
  programs: Programs = {},
): Promise<{ readonly reason: string | undefined; readonly ran: readonly (readonly number[])[] }> {
  const ran: (readonly number[])[] = [];
  const backend = { name: 'thing', open: () => thing(), programs: { ms: 60_000, ...programs } };
  const { reason } = await runThing(
    (context) =>
      holdsForPrograms(context, {
        step,
        async run(_, numbers, say) {
          ran.push(numbers);
          for (const number of numbers) say(`takes ${number}`);
          check(numbers);
        },
      }),
    { backend },
  );
  return { reason, ran };
}

const noneFrom = (limit: number) => (numbers: readonly number[]) => {
  const large = numbers.find((number) => number >= limit);
  if (large !== undefined) throw new Error(`${large} is too large`);
};

afterEach(() => {
  vi.unstubAllEnvs();
});

test('programs that all hold pass, and the same seed makes the same ones', async () => {
  const first = await runNumbers(() => {}, { count: 20 });
  const again = await runNumbers(() => {}, { count: 20 });
  const other = await runNumbers(() => {}, { count: 20, seed: 2 });
  expect([first.reason, first.ran.length]).toEqual([undefined, 20]);
  expect(again.ran).toEqual(first.ran);
  expect(other.ran).not.toEqual(first.ran);
});

test('a program that breaks the contract is told as the smallest that does, step by step', async () => {
  const { reason = '' } = await runNumbers(noneFrom(80));
  expect(reason.split('\n').slice(0, -1)).toEqual([
    'a random program breaks the contract: 80 is too large',
    '  1. takes 80',
  ]);
  expect(reason).toMatch(/\nprogram \d+ of seed 1; to run it again: CONTRACT_SEED=1:[\d:]+$/);
});

test('what a failure prints runs its program alone', async () => {
  const { reason = '' } = await runNumbers(noneFrom(80));
  vi.stubEnv('CONTRACT_SEED', reason.split('CONTRACT_SEED=')[1]);
  const again = await runNumbers(noneFrom(80));
  expect(again.ran.length).toBeLessThan(10);
  expect(again.reason).toContain('a random program breaks the contract: 80 is too large\n  1. takes 80\n');
});

test('a program that fails once and never again says so', async () => {
  let failures = 0;
  const { reason } = await runNumbers((numbers) => {
    if (numbers.length > 5 && ++failures === 1) throw new Error('lost one');
  });
  expect(reason).toMatch(
    /^a random program breaks the contract \(run again, it did not fail\): lost one\n {2}1\. takes/,
  );
});

test('what fails with short waits alone is not told in place of what failed with long ones', async () => {
  const shown = await runThing(
    (context) =>
      holdsForPrograms(context, {
        step,
        async run(_, numbers) {
          // As on a busy machine: small programs fail only for want of time.
          if (numbers.length > 5) throw new Error('truly wrong');
          if (context.ms(1000) < 1000) throw new Error('too slow');
        },
      }),
    { backend: { name: 'thing', open: () => thing(), programs: { ms: 60_000 } } },
  );
  expect(shown.reason).toContain('truly wrong');
  expect(shown.reason).not.toContain('too slow');
});

test('settings are the defaults, what the author gave, and the environment, in that order', () => {
  expect(programSettings({}, {})).toEqual({ count: 100, ms: 3000, seed: 1, path: undefined });
  expect(programSettings({ count: 5, ms: 10, seed: '7:1:0' }, {})).toEqual({ count: 5, ms: 10, seed: 7, path: '1:0' });
  const environment = { CONTRACT_PROGRAMS: '2000', CONTRACT_SEED: '9' };
  expect(programSettings({ count: 5, seed: 7 }, environment)).toMatchObject({ count: 2000, ms: 2_000_000, seed: 9 });
  expect(programSettings({ seed: 'random' }, {}).seed).toSatisfy(Number.isInteger);
});

test('settings that cannot be are refused by name', () => {
  expect(() => programSettings({ count: 0 }, {})).toThrow('the count of programs is 0');
  expect(() => programSettings({}, { CONTRACT_PROGRAMS: 'many' })).toThrow('the count of programs is many');
  expect(() => programSettings({}, { CONTRACT_SEED: 'often' })).toThrow('the seed of programs is often');
});
