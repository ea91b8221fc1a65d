import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { allMutants } from '../src/all-mutants.ts';
import { bite } from '../src/matrix/bite.ts';
import { allCases } from '../src/matrix/cases.ts';
import { formatMatrix } from '../src/matrix/format-matrix.ts';
import { matrixOf, type Row } from '../src/matrix/matrix.ts';
import type { AnyMutant } from '../src/mutant.ts';

const id = 'broker/nobody-subscribes';

const harmless: AnyMutant = {
  name: 'breaks nothing',
  interface: 'broker',
  breaks: 'Nothing.',
  caughtBy: [id],
  make: () => (sound) => sound,
};

test('a backend in which nothing is broken is not caught', async () => {
  expect(await bite(harmless, id, [0.05, 0.25])).toEqual({ isCaught: false, reason: 'passed' });
});

test('a case that the sound backend fails as well has caught nothing', async () => {
  const { isCaught, reason } = await bite(harmless, 'broker/handler-never-settles', [0.000001]);
  expect(isCaught).toBe(false);
  expect(reason).toContain('the sound backend fails as well');
});

test('a mutant that is made for a case that does not exist is an error', async () => {
  await expect(bite(harmless, 'broker/made-up', [1])).rejects.toThrow('there is no case broker/made-up');
});

test('a matrix says which mutants slipped, which cases missed and which are toothless', () => {
  const row = (name: string, madeFor: string[], caughtBy: string[]): Row => ({
    interface: 'broker',
    name,
    breaks: 'Something.',
    madeFor,
    caughtBy,
  });
  const ids = allCases.filter((each) => each.interface === 'broker').map((each) => each.id);
  const [first = '', second = '', third = '', ...rest] = ids;
  const rows = [row('slips', [first], []), row('is missed', [second], [first]), row('is caught', rest, rest)];
  const mutants = rows.map(({ name }) => ({ ...harmless, name }));
  const matrix = matrixOf(rows, mutants);
  expect(matrix.slipped).toEqual(['broker: slips']);
  expect(matrix.missed).toEqual([
    { mutant: 'broker: slips', case: first },
    { mutant: 'broker: is missed', case: second },
  ]);
  expect(matrix.toothless).toEqual([second, third]);
  expect(matrix.columns.find((column) => column.id === first)?.caught).toEqual(['broker: is missed']);
  const lines = formatMatrix(matrix).split('\n');
  expect(lines).toContain('SLIPPED broker: slips: no case caught it');
  expect(lines).toContain(`MISSED broker: is missed: ${second} did not catch it`);
  expect(lines).toContain(`TOOTHLESS ${third}: it caught nothing`);
  expect(lines.at(-1)).toBe(
    `mutants: 2 of 3 caught, ${ids.length - 2} of ${ids.length} cases bite, 2 missed by a case made for them`,
  );
});

test('a case is not judged before every mutant of its interface was run', () => {
  const row: Row = { interface: 'broker', name: 'breaks nothing', breaks: 'Nothing.', madeFor: [], caughtBy: [id] };
  const matrix = matrixOf([row], [harmless, { ...harmless, name: 'was not run' }]);
  expect([matrix.columns.filter(({ interface: of }) => of === 'broker'), matrix.slipped]).toEqual([[], []]);
  expect(formatMatrix(matrix).split('\n').at(-1)).toBe('mutants: 1 of 1 caught');
});

test('docs/contract-matrix.md names every mutant and every case', async () => {
  const page = await readFile(new URL('../../../docs/contract-matrix.md', import.meta.url), 'utf8');
  const cells = new Set(page.split('\n').map((line) => line.split('|')[1]?.trim()));
  expect(allMutants.filter(({ name }) => !cells.has(name)).map(({ name }) => name)).toEqual([]);
  expect(allCases.filter((each) => !cells.has(each.id.replace(/^\w+\//, ''))).map((each) => each.id)).toEqual([]);
});
