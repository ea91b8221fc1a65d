import fc from 'fast-check';
import { type Program, programs } from '../programs/program.ts';
import { runProgram } from '../programs/run-program.ts';

export interface SeedResult {
  readonly seed: number;
  readonly steps: number;
  readonly fingerprint: number;
  /** The rule that was broken first, and the smallest program found that breaks one. */
  readonly failure?: { readonly rule: string; readonly smallest: Program; readonly smallestRule: string };
}

/** How many smaller programs are tried of one that fails. */
const maxShrinks = 400;

/** Runs the program of a seed; one that breaks a rule is made smaller while it still breaks one. */
export async function runSeed(seed: number, shrinks: boolean): Promise<SeedResult> {
  let first: { rule: string; steps: number; fingerprint: number } | undefined;
  let runs = 0;
  let smallestRule = '';
  const property = fc.asyncProperty(programs, async (program) => {
    if (first !== undefined && (!shrinks || ++runs > maxShrinks)) return;
    const { violation, steps, fingerprint } = await runProgram(program);
    first ??= { rule: violation?.message ?? '', steps, fingerprint };
    if (violation === undefined || kindOf(violation.message) !== kindOf(first.rule)) return;
    smallestRule = violation.message;
    throw violation;
  });
  const details = await fc.check(property, { seed, numRuns: 1 });
  const { rule = '', steps = 0, fingerprint = 0 } = first ?? {};
  if (!details.failed) return { seed, steps, fingerprint };
  const smallest = details.counterexample?.[0];
  if (smallest === undefined) throw new Error(`seed ${seed}: ${String(details.errorInstance)}`);
  return { seed, steps, fingerprint, failure: { rule, smallest, smallestRule } };
}

/** A rule without the names and numbers of one run. */
function kindOf(rule: string): string {
  return (rule.split('\n')[0] ?? '').replace(/\{.*?\}|[\d.,]+/g, '');
}
