import type { InterfaceName } from '@ts-micro/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { allMutants } from '../src/all-mutants.ts';
import { bite, hasty } from '../src/matrix/bite.ts';
import { allCases } from '../src/matrix/cases.ts';

/**
 * Registers a test for each mutant of one interface: the cases made for it catch it. The whole matrix, every mutant
 * against every case, is what `npm run mutants` prints.
 */
export function testMutants(interfaceName: InterfaceName): void {
  const mutants = allMutants.filter((mutant) => mutant.interface === interfaceName);

  // What a mutant rejects with nobody listening is for the kit to hear, and not for the runner.
  let listeners: NodeJS.UnhandledRejectionListener[] = [];
  const ignore = () => {};
  beforeAll(() => {
    listeners = process.listeners('unhandledRejection');
    process.removeAllListeners('unhandledRejection').on('unhandledRejection', ignore);
  });
  afterAll(() => {
    process.off('unhandledRejection', ignore);
    for (const listener of listeners) process.on('unhandledRejection', listener);
  });

  for (const mutant of mutants) {
    test(`"${mutant.name}" is caught by ${mutant.caughtBy.join(' and ')}`, { timeout: 120_000 }, async () => {
      for (const id of mutant.caughtBy) {
        const { isCaught, reason } = await bite(mutant, id, hasty);
        expect({ id, isCaught, reason }).toMatchObject({ isCaught: true });
      }
    });
  }

  test(`every case of the ${interfaceName} contract catches a mutant made for it`, () => {
    const made = new Set(mutants.flatMap(({ caughtBy }) => caughtBy));
    const cases = allCases.filter((each) => each.interface === interfaceName);
    expect(cases.map(({ id }) => id).filter((id) => !made.has(id))).toEqual([]);
    expect(cases.length).toBeGreaterThan(40);
  });

  test(`every ${interfaceName} mutant has a name of its own and a case made for it`, () => {
    expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
    expect(mutants.filter(({ caughtBy }) => caughtBy.length === 0)).toEqual([]);
  });
}
