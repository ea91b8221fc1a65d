import fc from 'fast-check';
import type { InterfaceName } from '../../backend.ts';
import type { CaseContext } from '../../case-context.ts';

/** Random programs over one interface, and what runs them beside a model. */
export interface ProgramTest<I extends InterfaceName, Step> {
  /** One step; what it refers to it picks among what is there, so that it means something wherever it stands. */
  readonly step: fc.Arbitrary<Step>;
  /** Takes the steps in turn and tells each; rejects where the model says otherwise. Closes what it opens. */
  run(context: CaseContext<I>, steps: readonly Step[], say: (line: string) => void): Promise<void>;
}

const mostSteps = 24;
const shrinkingMs = 15_000;
/** Of the usual waits, while a program that failed is made smaller. */
const hastyShare = 0.1;

/**
 * Runs random programs; one that fails is made as small as it can be and told step by step.
 *
 * It is made smaller with short waits. What fails then may fail because this machine is busy, so it is judged once more
 * with the usual waits, and only what fails then as well is told in place of the program that failed first.
 */
export async function holdsForPrograms<I extends InterfaceName, Step>(
  context: CaseContext<I>,
  { step, run }: ProgramTest<I, Step>,
): Promise<void> {
  const { count, ms, seed, path } = context.programs;
  const attempt = async (steps: readonly Step[]): Promise<string | undefined> => {
    const lines: string[] = [];
    context.restartTrace();
    try {
      await run(context, steps, (line) => lines.push(line));
      return undefined;
    } catch (error) {
      const told = lines.map((line, index) => `  ${index + 1}. ${line}`);
      return [(error as Error).message, ...told].join('\n');
    }
  };

  let deadline = performance.now() + ms;
  let first: { readonly steps: readonly Step[]; readonly story: string } | undefined;
  const program = fc.array(step, { minLength: 1, maxLength: mostSteps, size: 'max' });
  const holds = fc.asyncProperty(program, async (steps) => {
    if (performance.now() > deadline && path === undefined) return;
    const story = await attempt(steps);
    if (story === undefined) return;
    if (first === undefined) {
      first = { steps, story };
      deadline = performance.now() + context.ms(shrinkingMs);
      context.hurry(hastyShare);
    }
    throw new Error(story);
  });
  const replay = path === undefined ? {} : { path, endOnFailure: true };
  const found = await fc.check(holds, { seed, numRuns: count, ...replay });
  if (!found.failed || first === undefined) return;

  const fails = async (steps: readonly Step[]) => performance.now() < deadline && (await attempt(steps)) !== undefined;
  const smallest = await withoutNeedless(found.counterexample?.[0] ?? first.steps, fails);
  context.hurry(1);
  const told = smallest.length < first.steps.length ? await attempt(smallest) : undefined;
  const again = told ?? (await attempt(first.steps));
  const note = again === undefined ? ' (run again, it did not fail)' : '';
  const where = found.counterexamplePath === null ? seed : `${seed}:${found.counterexamplePath}`;
  throw new Error(
    `a random program breaks the contract${note}: ${again ?? first.story}\n` +
      `program ${found.numRuns} of seed ${seed}; to run it again: CONTRACT_SEED=${where}`,
  );
}

/** Leaves out each step without which it fails as well, the last ones first. */
async function withoutNeedless<Step>(
  steps: readonly Step[],
  fails: (steps: readonly Step[]) => Promise<boolean>,
): Promise<readonly Step[]> {
  let left = steps;
  for (let at = steps.length - 1; at >= 0 && left.length > 1; at--) {
    const fewer = left.filter((_, index) => index !== at);
    if (await fails(fewer)) left = fewer;
  }
  return left;
}
