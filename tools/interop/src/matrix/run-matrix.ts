import { buildPeer, type Generation } from '../generation.ts';
import type { ClientLibrary } from './client-library.ts';
import { NotRun } from './not-run.ts';
import type { Direction, Outcome, Row } from './row.ts';
import { Stage } from './stage.ts';

const rowWithinMs = 90_000;
const onAnyBackend: readonly Direction[] = ['ts->go', 'go->ts'];

export interface MatrixOptions {
  readonly go: string;
  readonly library: ClientLibrary;
  readonly generations: readonly Generation[];
  readonly rows: readonly Row[];
  /** Told of every cell as it is done. */
  readonly onCell: (generation: Generation, row: Row, outcome: Outcome) => void;
}

/**
 * Runs every row with every generation. A generation that does not build or start has failed in every row, with the
 * reason.
 */
export async function runMatrix(options: MatrixOptions): Promise<void> {
  for (const generation of options.generations) {
    const rows = options.rows.filter((row) => isMeantFor(row, generation));
    let stage: Stage;
    try {
      stage = await Stage.open(generation, buildPeer(options.go, generation), options.go, options.library);
    } catch (error) {
      const reason = (error as Error).message;
      for (const row of rows) options.onCell(generation, row, { kind: 'fail', ms: 0, reason });
      continue;
    }
    try {
      for (const row of rows) options.onCell(generation, row, await runCell(row, stage));
    } finally {
      await stage[Symbol.asyncDispose]();
    }
  }
}

/** Rows that say nothing of generations hold with all; calls also on any backend, where they ask nothing of NATS. */
function isMeantFor({ generations, needsNats, direction }: Row, { name, isWithoutNats }: Generation): boolean {
  if (generations !== undefined) return generations.includes(name);
  return !isWithoutNats || (!needsNats && onAnyBackend.includes(direction));
}

async function runCell(row: Row, stage: Stage): Promise<Outcome> {
  const started = Date.now();
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_resolve, reject) => {
    const { withinMs = rowWithinMs } = row;
    timer = setTimeout(() => reject(new Error(`not done within ${withinMs} ms`)), withinMs);
  });
  try {
    await Promise.race([row.run(stage), tooLate]);
    return { kind: 'ok', ms: Date.now() - started };
  } catch (error) {
    if (error instanceof NotRun) return { kind: 'not run', reason: error.message };
    return { kind: 'fail', ms: Date.now() - started, reason: (error as Error).message };
  } finally {
    clearTimeout(timer);
  }
}
