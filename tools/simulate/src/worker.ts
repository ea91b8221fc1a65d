import type { Program } from './programs/program.ts';
import { runProgram } from './programs/run-program.ts';
import { runSeed, type SeedResult } from './run/run-seed.ts';

/** What a worker process is asked: to run seeds one after the other, or to tell a program's story line by line. */
export type Question =
  | { readonly seeds: readonly number[]; readonly shrinks: boolean; readonly stopAtFailure: boolean }
  | { readonly story: Program };

process.on('message', async (question: Question) => {
  if ('seeds' in question) {
    const results: SeedResult[] = [];
    for (const seed of question.seeds) {
      const result = await runSeed(seed, question.shrinks);
      results.push(result);
      if (question.stopAtFailure && result.failure !== undefined) break;
    }
    process.send?.(results);
    return;
  }
  const { violation } = await runProgram(question.story, (line) => console.log(line));
  process.send?.(violation?.message ?? '');
});
