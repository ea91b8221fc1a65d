import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { faults } from '../src/faults/faults.ts';
import { bundleWorker } from '../src/run/bundle.ts';
import type { SeedResult } from '../src/run/run-seed.ts';
import { runSeeds } from '../src/run/run-seeds.ts';

// For a machine that is busy with much else; alone they take a few seconds.
const patienceMs = 300_000;

test(
  'the first programs break no rule',
  async () => {
    const worker = await bundleWorker();
    expect(await runSeeds({ worker, first: 1, count: 100 })).toEqual([]);
  },
  patienceMs,
);

test(
  'a seed gives the same story each time, whatever ran before it',
  async () => {
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
  },
  patienceMs,
);

test('every fault changes what the sources still say, once', () => {
  const root = new URL('../../../', import.meta.url);
  const stale = faults.flatMap(({ name, changes }) =>
    changes
      .filter(({ file, from }) => readFileSync(new URL(file, root), 'utf8').split(from).length !== 2)
      .map(() => name),
  );
  expect(stale).toEqual([]);
});

test(
  'a fault that is put back is found',
  async () => {
    const name = 'a relayed error is believed';
    const worker = await bundleWorker(faults.find((fault) => fault.name === name));
    const [found] = await runSeeds({ worker, first: 1, count: 100, shrinks: false, stopAtFailure: true });
    expect(found?.failure?.rule).toMatch(/ran 2 times|safe to retry/);
  },
  patienceMs,
);
