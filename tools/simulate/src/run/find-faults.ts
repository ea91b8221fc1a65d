import { faults } from '../faults/faults.ts';
import { bundleWorker } from './bundle.ts';
import { runSeeds } from './run-seeds.ts';

export interface FindFaultsOptions {
  /** How many seeds are tried for each. */
  readonly count: number;
  /** Only faults whose name contains this. */
  readonly only: string;
  /** @default one for each core */
  readonly workers?: number;
  readonly say: (line: string) => void;
}

/** Puts each known fault into the runtime, alone, and looks for it; returns an exit code. */
export async function findFaults({ count, only, say, ...workers }: FindFaultsOptions): Promise<number> {
  const chosen = faults.filter(({ name }) => name.includes(only));
  let missed = 0;
  for (const fault of chosen) {
    const worker = await bundleWorker(fault);
    const began = performance.now();
    const [found] = await runSeeds({ worker, first: 1, count, stopAtFailure: true, ...workers });
    const seconds = ((performance.now() - began) / 1000).toFixed(0);
    if (found === undefined) missed++;
    const outcome = found === undefined ? 'NOT FOUND' : `seed ${found.seed}: ${found.failure?.smallestRule}`;
    say(`${fault.name}: ${outcome} (${seconds} s)`);
  }
  say(`${chosen.length - missed} passed, ${missed} failed`);
  return missed > 0 ? 1 : 0;
}
