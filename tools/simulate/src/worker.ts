import type { Program } from './programs/program.ts';
import { runProgram } from './programs/run-program.ts';
import { runSeed } from './run/run-seed.ts';

/** What a worker process is asked: to run a seed, or to tell a program's story line by line. */
export type Question = { readonly seed: number; readonly shrinks: boolean } | { readonly story: Program };

process.on('message', async (question: Question) => {
  if ('seed' in question) {
    process.send?.(await runSeed(question.seed, question.shrinks));
    return;
  }
  const { violation } = await runProgram(question.story, (line) => console.log(line));
  process.send?.(violation?.message ?? '');
});
