import { availableParallelism } from 'node:os';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import type { AnyMutant } from '../mutant.ts';
import { type Row, runRow, titleOf } from './matrix.ts';

/** What a thread says of one mutant: which case runs now, then the row or what went wrong. */
interface Answer {
  readonly begins?: string;
  readonly row?: Row;
  readonly error?: string;
}

/** No case takes nearly so long or so much: a mutant that loops is named, and does not take the machine with it. */
const longestCaseMs = 300_000;
const resourceLimits = { maxOldGenerationSizeMb: 512 };

/**
 * Runs every mutant, some at once in threads of their own: a case looks for what it left behind in the whole thread,
 * and most of what a mutant takes is waiting. One that does not end is named, after the others. `program` is the file that calls {@link serveRows} in each of them.
 */
export async function runRows(
  program: URL,
  mutants: readonly AnyMutant[],
  onRow: (row: Row) => void,
): Promise<readonly Row[]> {
  const rows: Row[] = [];
  const failures: unknown[] = [];
  const waiting = mutants.map((_, index) => index);
  const work = async (): Promise<void> => {
    let worker: Worker | undefined;
    for (let index = waiting.shift(); index !== undefined; index = waiting.shift()) {
      worker ??= new Worker(program, { execArgv: ['--no-warnings'], resourceLimits });
      try {
        const row = await ask(worker, titleOf(mutants[index] as AnyMutant));
        rows[index] = row;
        onRow(row);
      } catch (error) {
        failures.push(error);
        await worker.terminate();
        worker = undefined;
      }
    }
    await worker?.terminate();
  };
  const threads = Math.min(2 * availableParallelism(), mutants.length);
  await Promise.all(Array.from({ length: threads }, work));
  if (failures.length > 0) throw new AggregateError(failures, failures.map(String).join('\n'));
  return rows;
}

/** Answers {@link runRows} in a thread; `false` where this is none. */
export function serveRows(mutants: readonly AnyMutant[]): boolean {
  if (isMainThread) return false;
  // A mutant may leave promises that reject later; what a case has to hear of, the kit hears by itself.
  process.on('unhandledRejection', () => {});
  parentPort?.on('message', async (title: string) => {
    const mutant = mutants.find((each) => titleOf(each) === title);
    try {
      if (mutant === undefined) throw new Error('there is no such mutant');
      const row = await runRow(mutant, (begins) => parentPort?.postMessage({ begins } satisfies Answer));
      parentPort?.postMessage({ row } satisfies Answer);
    } catch (error) {
      parentPort?.postMessage({
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      } satisfies Answer);
    }
  });
  return true;
}

function ask(worker: Worker, title: string): Promise<Row> {
  let at = 'no case';
  let timer: NodeJS.Timeout | undefined;
  const answer = new Promise<Row>((resolve, reject) => {
    const fail = (what: string) => reject(new Error(`${title}, at ${at}: ${what}`));
    timer = setTimeout(() => fail(`no end after ${longestCaseMs / 1000} s`), longestCaseMs);
    worker.removeAllListeners();
    worker.on('message', ({ begins, row, error }: Answer) => {
      timer?.refresh();
      if (begins !== undefined) at = begins;
      else if (row !== undefined) resolve(row);
      else fail(error ?? 'it said nothing');
    });
    worker.once('error', (error) => fail(String(error)));
    worker.once('exit', (code) => fail(`its thread ended with ${code}`));
    worker.postMessage(title);
  });
  return answer.finally(() => clearTimeout(timer));
}
