import { expect, test } from 'vitest';
import { bundleWorker } from '../src/run/bundle.ts';
import type { SeedResult } from '../src/run/run-seed.ts';
import { runSeeds } from '../src/run/run-seeds.ts';

test('a seed gives the same story each time, whatever ran before it', async () => {
  const worker = await bundleWorker();
  const fingerprints = async (first: number, count: number) => {
    const found = new Map<number, number>();
    const onResult = ({ seed, fingerprint }: SeedResult) => found.set(seed, fingerprint);
    await runSeeds({ worker, first, count, workers: 1, shrinks: false, onResult });
    return found;
  };
  const all = await fingerprints(1, 12);
  const some = await fingerprints(7, 3);
  for (const [seed, fingerprint] of some) expect(all.get(seed)).toBe(fingerprint);
});
