import { type ChildProcess, fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { AnyMutant } from '../mutant.ts';
import { type Row, runRow, titleOf } from './matrix.ts';

/** What a process says of one mutant: which case runs now, then the row or what went wrong. */
interface Answer {
  readonly begins?: string;
  readonly row?: Row;
  readonly error?: string;
}

/** No case takes nearly so long or so much: a mutant that loops is named, and does not take the machine with it. */
const longestCaseMs = 300_000;
const execArgv = ['--no-warnings', '--max-old-space-size=512'];
/** Bodies by the hundred leave memory in pieces, which only the end of a process gives back. */
const rowsPerProcess = 8;
const isServing = 'TS_MICRO_MUTANTS_ROWS';

/**
 * Runs every mutant, some at once in processes of their own: a case looks for what it left behind in the whole
 * process, and most of what a mutant takes is waiting. One that does not end is named, after the others. `program` is
 * the file that calls {@link serveRows} in each of them.
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
    let worker: ChildProcess | undefined;
    let left = 0;
    for (let index = waiting.shift(); index !== undefined; index = waiting.shift()) {
      if (left-- === 0) {
        worker?.kill('SIGKILL');
        worker = undefined;
        left = rowsPerProcess - 1;
      }
      worker ??= fork(fileURLToPath(program), [], { execArgv, env: { ...process.env, [isServing]: '1' } });
      try {
        const row = await ask(worker, titleOf(mutants[index] as AnyMutant));
        rows[index] = row;
        onRow(row);
      } catch (error) {
        failures.push(error);
        worker.kill('SIGKILL');
        worker = undefined;
        left = rowsPerProcess;
      }
    }
    worker?.kill('SIGKILL');
  };
  const processes = Math.min(2 * availableParallelism(), mutants.length);
  await Promise.all(Array.from({ length: processes }, work));
  if (failures.length > 0) throw new AggregateError(failures, failures.map(String).join('\n'));
  return rows;
}

/** Answers {@link runRows} in one of its processes; `false` where this is none. */
export function serveRows(mutants: readonly AnyMutant[]): boolean {
  if (process.env[isServing] === undefined) return false;
  // A mutant may leave promises that reject later; what a case has to hear of, the kit hears by itself.
  process.on('unhandledRejection', () => {});
  process.on('disconnect', () => process.exit());
  process.on('message', async (title: string) => {
    const mutant = mutants.find((each) => titleOf(each) === title);
    try {
      if (mutant === undefined) throw new Error('there is no such mutant');
      const row = await runRow(mutant, (begins) => process.send?.({ begins } satisfies Answer));
      process.send?.({ row } satisfies Answer);
    } catch (error) {
      process.send?.({
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      } satisfies Answer);
    }
  });
  return true;
}

function ask(worker: ChildProcess, title: string): Promise<Row> {
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
    worker.once('exit', (code) => fail(`its process ended with ${code}`));
    worker.send(title);
  });
  return answer.finally(() => clearTimeout(timer));
}
