import { availableParallelism } from 'node:os';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import type { AnyMutant } from '../mutant.ts';
import { type Row, runRow } from './matrix.ts';

/**
 * Runs every mutant, some at once in threads of their own: a case looks for what it left behind in the whole thread, and most
 * of what a mutant takes is waiting. `program` is the file that calls {@link serveRows} in each of them.
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
        const row = await ask(worker, mutants[index] as AnyMutant);
        rows[index] = row;
        onRow(row);
      }
    } finally {
      await worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: 2 * availableParallelism() }, work));
  return rows;
}

/** Answers {@link runRows} in a thread; `false` where this is none. */
export function serveRows(mutants: readonly AnyMutant[]): boolean {
  if (isMainThread) return false;
  // A mutant may leave promises that reject later; what a case has to hear of, the kit hears by itself.
  process.on('unhandledRejection', () => {});
  parentPort?.on('message', async ({ interface: interfaceName, name }: Pick<Row, 'interface' | 'name'>) => {
    const mutant = mutants.find((each) => each.interface === interfaceName && each.name === name);
    parentPort?.postMessage(mutant && (await runRow(mutant)));
  });
  return true;
}

function ask(worker: Worker, { interface: interfaceName, name }: AnyMutant): Promise<Row> {
  return new Promise((resolve, reject) => {
    worker.removeAllListeners();
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`a thread ended with ${code} at ${interfaceName}: ${name}`)));
    worker.postMessage({ interface: interfaceName, name });
  });
}
