import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { bundleWorker } from './run/bundle.ts';
import { findFaults } from './run/find-faults.ts';
import type { SeedResult } from './run/run-seed.ts';
import { runSeeds, tellStory } from './run/run-seeds.ts';

const usage = `npm run simulate -- [what]
  --seeds N [--from N]   runs so many seeds, from 1 on (10000)
           [--workers N] in so many processes: one for each core
  --seed N               runs one seed, and tells the story of the smallest program that fails
  --program FILE         tells the story of a program, as a failing seed prints it
  --faults [--seeds N]   puts each known fault into the runtime and looks for it in so many seeds
           [--only TEXT] those alone whose name contains this`;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    program: { type: 'string' },
    faults: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    workers: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

const workers = values.workers === undefined ? {} : { workers: Number(values.workers) };

process.exitCode = values.help ? say(usage) : await main();

async function main(): Promise<number> {
  const count = Number(values.seeds ?? 10_000);
  if (values.faults) return findFaults({ count, only: values.only, ...workers, say });
  const worker = await bundleWorker();
  if (values.program !== undefined) {
    const rule = await tellStory(worker, JSON.parse(readFileSync(values.program, 'utf8')));
    return rule === '' ? 0 : 1;
  }
  if (values.seed !== undefined) return replay(worker, Number(values.seed));
  return search(worker, Number(values.from), count);
}

async function replay(worker: string, seed: number): Promise<number> {
  const [failed] = await runSeeds({ worker, first: seed, count: 1 });
  if (failed?.failure === undefined) return say(`seed ${seed} breaks no rule`);
  await tellStory(worker, failed.failure.smallest);
  report(failed);
  return 1;
}

async function search(worker: string, first: number, count: number): Promise<number> {
  const began = performance.now();
  let steps = 0;
  const onResult = (result: SeedResult, done: number) => {
    steps += result.steps;
    if (result.failure !== undefined) report(result);
    if (done % 5000 === 0) say(`${done} of ${count}`);
  };
  const failures = await runSeeds({ worker, first, count, ...workers, onResult });
  const seconds = (performance.now() - began) / 1000;
  say(`${count} programs, ${steps} steps, ${seconds.toFixed(0)} s, ${(count / seconds).toFixed(0)} programs a second`);
  say(`${count - failures.length} passed, ${failures.length} failed`);
  return failures.length > 0 ? 1 : 0;
}

function report({ seed, failure }: SeedResult): void {
  if (failure === undefined) return;
  say(`seed ${seed}: ${failure.rule}`);
  say(`  the smallest program: ${failure.smallestRule}`);
  say(`  ${JSON.stringify(failure.smallest)}`);
}

function say(line: string): 0 {
  console.log(line);
  return 0;
}
