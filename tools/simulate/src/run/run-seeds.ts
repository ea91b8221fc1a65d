import { type ChildProcess, fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import type { Program } from '../programs/program.ts';
import type { Question } from '../worker.ts';
import type { SeedResult } from './run-seed.ts';

export interface SeedsOptions {
  readonly worker: string;
  readonly first: number;
  readonly count: number;
  /** @default one for each core */
  readonly workers?: number;
  /** Ends it early. */
  readonly stopAtFailure?: boolean;
  /** Whether programs that fail are made smaller. @default true */
  readonly shrinks?: boolean;
  readonly onResult?: (result: SeedResult, done: number) => void;
}

/** How many seeds a worker is given at once: on a busy machine it is the asking that takes time. */
const atOnce = 20;

/** A seed takes some milliseconds, or a minute where it is made smaller; what takes so long does not end. */
const longestMs = 900_000;

/** How many failing programs are made smaller: it takes a hundred times as long as to run one. */
const mostShrunk = 3;

/** Runs seeds in worker processes; resolves with the results of those that failed, smallest seed first. */
export async function runSeeds({
  worker,
  first,
  count,
  workers = availableParallelism(),
  stopAtFailure = false,
  shrinks = true,
  onResult,
}: SeedsOptions): Promise<readonly SeedResult[]> {
  const failures: SeedResult[] = [];
  let next = first;
  let done = 0;
  const work = async () => {
    let child: ChildProcess | undefined;
    while (next < first + count && !(stopAtFailure && failures.length > 0)) {
      const seeds = Array.from({ length: Math.min(atOnce, first + count - next) }, (_, index) => next + index);
      next += seeds.length;
      child ??= newWorker(worker);
      const question: Question = { seeds, shrinks: shrinks && failures.length < mostShrunk, stopAtFailure };
      for (const result of await ask<readonly SeedResult[]>(child, question)) {
        if (result.failure !== undefined) failures.push(result);
        onResult?.(result, ++done);
      }
    }
    child?.kill('SIGKILL');
  };
  await Promise.all(Array.from({ length: Math.min(workers, count) }, work));
  return failures.sort((one, other) => one.seed - other.seed);
}

/**
 * Runs one program and prints what happens in it; resolves with the rule that it breaks, empty where it breaks none.
 */
export async function tellStory(worker: string, story: Program): Promise<string> {
  const child = newWorker(worker);
  const rule = await ask<string>(child, { story });
  child.kill('SIGKILL');
  return rule;
}

function newWorker(worker: string): ChildProcess {
  return fork(worker, {
    execArgv: ['--enable-source-maps', '--max-semi-space-size=32'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
}

function ask<Answer>(child: ChildProcess, question: Question): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const end = (error: Error) => {
      clearTimeout(timer);
      child.removeAllListeners();
      child.kill('SIGKILL');
      reject(error);
    };
    const timer = setTimeout(() => end(new Error(`${JSON.stringify(question)} did not end`)), longestMs);
    child.once('exit', (code) => end(new Error(`${JSON.stringify(question)}: the worker ended with ${code}`)));
    child.once('message', (answer: Answer) => {
      clearTimeout(timer);
      child.removeAllListeners();
      resolve(answer);
    });
    child.send(question);
  });
}
