import { availableParallelism } from 'node:os';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import type { AnyMutant } from '../mutant.ts';
import { type Row, runRow, titleOf } from './matrix.ts';

/** What a thread says of one mutant. */
interface Answer {
  readonly row?: Row;
  readonly error?: string;
}

/**
 * Runs every mutant, some at once in threads of their own: a case looks for what it left behind in the whole thread,
 * and most of what a mutant takes is waiting. `program` is the file that calls {@link serveRows} in each of them.
 */
export async function runRows(
  program: URL,
  mutants: readonly AnyMutant[],
  onRow: (row: Row) => void,
): Promise<readonly Row[]> {
  const rows: Row[] = [];
  const waiting = mutants.map((_, index) => index);
  const work = async (): Promise<void> => {
    const worker = new Worker(program, { execArgv: ['--no-warnings'] });
    try {
      for (let index = waiting.shift(); index !== undefined; index = waiting.shift()) {
        const row = await ask(worker, titleOf(mutants[index] as AnyMutant));
        rows[index] = row;
        onRow(row);
      }
    } finally {
      await worker.terminate();
    }
  };
  const threads = Math.min(2 * availableParallelism(), mutants.length);
  await Promise.all(Array.from({ length: threads }, work));
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
      parentPort?.postMessage({ row: await runRow(mutant) } satisfies Answer);
    } catch (error) {
      parentPort?.postMessage({ error: `${title}: ${error instanceof Error ? error.stack : error}` } satisfies Answer);
    }
  });
  return true;
}

function ask(worker: Worker, title: string): Promise<Row> {
  return new Promise((resolve, reject) => {
    worker.removeAllListeners();
    worker.once('message', ({ row, error }: Answer) => (row ? resolve(row) : reject(new Error(error))));
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`${title}: its thread ended with ${code}`)));
    worker.postMessage(title);
  });
}
