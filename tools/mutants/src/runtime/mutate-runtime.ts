import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { describeMutation } from './mutation.ts';
import { runtimeMutants } from './runtime-mutants.ts';

/** `npm run mutants -- runtime`: changes the runtime in small ways, and tells which of them no test finds. */
export async function mutateRuntime(parameters: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...parameters],
    options: {
      /** How many changes are tried. */
      sample: { type: 'string', default: '200' },
      /** How many of them are left out at the beginning. */
      skip: { type: 'string', default: '0' },
      /** Decides which. */
      seed: { type: 'string', default: '1' },
      /** Only in files whose path contains this. */
      only: { type: 'string', default: '' },
      workers: { type: 'string', default: '2' },
    },
  });
  const began = performance.now();
  const verdicts = await runtimeMutants({
    root: fileURLToPath(new URL('../../../', import.meta.url)),
    sample: Number(values.sample),
    skip: Number(values.skip),
    seed: Number(values.seed),
    only: values.only,
    workers: Number(values.workers),
    say: (line) => console.log(line),
  });
  const equivalent = verdicts.filter(({ reason }) => reason !== undefined).length;
  const survivors = verdicts.filter(({ killedBy, reason }) => killedBy === undefined && reason === undefined);
  const judged = verdicts.length - equivalent;
  const killed = judged - survivors.length;
  for (const { mutation } of survivors) console.log(`survived: ${describeMutation(mutation)}`);
  const minutes = ((performance.now() - began) / 60_000).toFixed(1);
  console.log(
    `${verdicts.length} changes in ${minutes} min, ${equivalent} of them equivalent: score ${((100 * killed) / judged).toFixed(1)} %`,
  );
  console.log(`${killed} passed, ${survivors.length} failed`);
  if (killed < 0.9 * judged) process.exitCode = 1;
}
