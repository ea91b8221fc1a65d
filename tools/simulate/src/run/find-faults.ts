import { faults } from '../faults/faults.ts';
import { bundleWorker } from './bundle.ts';
import { runSeeds } from './run-seeds.ts';

/** Puts each known fault into the runtime, alone, and looks for it; returns an exit code. */
export async function findFaults(count: number, only: string, say: (line: string) => void): Promise<number> {
  const chosen = faults.filter(({ name }) => name.includes(only));
  let missed = 0;
  for (const fault of chosen) {
    const worker = await bundleWorker(fault);
    const began = performance.now();
    const [found] = await runSeeds({ worker, first: 1, count, stopAtFailure: true });
    const seconds = ((performance.now() - began) / 1000).toFixed(0);
    if (found === undefined) missed++;
    const outcome = found === undefined ? 'NOT FOUND' : `seed ${found.seed}: ${found.failure?.smallestRule}`;
    say(`${fault.name}: ${outcome} (${seconds} s)`);
  }
  say(`${chosen.length - missed} passed, ${missed} failed`);
  return missed > 0 ? 1 : 0;
}
