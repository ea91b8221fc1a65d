import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { equivalents } from './equivalent.ts';
import { describeMutation, type Mutation, mutated } from './mutation.ts';
import { mutationsOf } from './mutations-of.ts';
import { NearTests } from './near-tests.ts';
import { runTier } from './run-tests.ts';
import { runtimePackages, tiersOf } from './tiers.ts';
import { TreeCopy } from './tree-copy.ts';

export interface RuntimeMutantsOptions {
  readonly root: string;
  /** How many changes are tried. */
  readonly sample: number;
  /** How many of the same sample are left out at its beginning: another run has tried them. */
  readonly skip: number;
  readonly seed: number;
  /** Only files whose path contains this. */
  readonly only: string;
  /** Copies of the tree that work side by side. */
  readonly workers: number;
  readonly say: (line: string) => void;
}

export interface Verdict {
  readonly mutation: Mutation;
  /** The tier that found it, or why it counts as found; `undefined` where it survived. */
  readonly killedBy: string | undefined;
  readonly reason: string | undefined;
}

/** Plenty on a loaded machine; a change that makes the tests take longer is found. */
const tierTimeoutMs = 180_000;

/** Tries a sample of changes against the tests of the package that they are in. */
export async function runtimeMutants(options: RuntimeMutantsOptions): Promise<readonly Verdict[]> {
  const { root, sample, skip, seed, only, workers, say } = options;
  const all = sourceFiles(root)
    .filter((file) => file.includes(only))
    .flatMap((file) => mutationsOf(file, readFileSync(join(root, file), 'utf8')));
  const chosen = shuffled(all, seed).slice(skip, skip + sample);
  say(`${chosen.length} of ${all.length} changes, by seed ${seed}, from ${skip} on`);
  const near = new NearTests(root);
  const verdicts: Verdict[] = [];
  const work = async () => {
    using copy = new TreeCopy(root);
    for (let mutation = chosen.shift(); mutation !== undefined; mutation = chosen.shift()) {
      const verdict = await judge(root, copy.folder, near, mutation);
      verdicts.push(verdict);
      say(`${verdict.killedBy ?? (verdict.reason ? 'equivalent' : 'SURVIVED')} | ${describeMutation(mutation)}`);
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
  return verdicts;
}

async function judge(root: string, folder: string, near: NearTests, mutation: Mutation): Promise<Verdict> {
  const { file } = mutation;
  // The copy's: somebody may work on the tree meanwhile.
  const source = readFileSync(join(folder, file), 'utf8');
  const reason = reasonOf(mutation, source);
  if (reason !== undefined) return { mutation, killedBy: undefined, reason };
  writeFileSync(join(folder, file), mutated(source, mutation));
  try {
    for (const tier of tiersOf(root, near, file)) {
      const outcome = await runTier(folder, tier, tierTimeoutMs);
      if (outcome !== 'passed') return { mutation, killedBy: `${outcome}: ${tier.name}`, reason: undefined };
    }
    return { mutation, killedBy: undefined, reason: undefined };
  } finally {
    writeFileSync(join(folder, file), source);
  }
}

function reasonOf({ file, operator, line, from, to }: Mutation, source: string): string | undefined {
  const text = source.split('\n')[line - 1]?.trim();
  return equivalents.find(
    (known) =>
      known.file === file &&
      known.operator === operator &&
      known.line === text &&
      known.from === from &&
      known.to === to,
  )?.reason;
}

function sourceFiles(root: string): readonly string[] {
  return runtimePackages.flatMap((name) => {
    const folder = `packages/${name}/src`;
    const files = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).sort();
    return files.filter((file) => file.endsWith('.ts')).map((file) => `${folder}/${file}`);
  });
}

/** The same order for the same seed. */
function shuffled<T>(items: readonly T[], seed: number): T[] {
  let state = seed;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  return items
    .map((item) => ({ item, key: next() }))
    .sort((one, other) => one.key - other.key)
    .map(({ item }) => item);
}
