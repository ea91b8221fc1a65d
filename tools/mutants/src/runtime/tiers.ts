import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { NearTests } from './near-tests.ts';

/** Test files that are run together against a change. */
export interface Tier {
  readonly name: string;
  /** From the root of the repository. */
  readonly files: readonly string[];
  /** Whether each file has a process of its own: slower, and what a server or a cluster needs. */
  readonly isolates: boolean;
}

/** The packages whose tests need no server, by the package that is changed: its own, and those that stand on it. */
const unitTests: Readonly<Record<string, readonly string[]>> = {
  service: ['service'],
  kit: ['kit', 'memory'],
  'transport-nats': ['transport-nats'],
  'broker-nats': ['broker-nats'],
  'registry-nats': ['registry-nats'],
};

/** The packages that are the runtime. */
export const runtimePackages: readonly string[] = Object.keys(unitTests);

/** So many files are asked first; most changes end there. */
const nearest = 6;

/**
 * Returns what is run against a change of `file`, the likeliest and quickest first: the first tier that fails ends it.
 */
export function tiersOf(root: string, near: NearTests, file: string): readonly Tier[] {
  const changed = file.split('/')[1] ?? '';
  const unit = near.sorted(
    file,
    (unitTests[changed] ?? []).flatMap((name) => testsOf(root, `packages/${name}`, isUnit)),
  );
  const simulation = testsOf(root, 'tools/simulate', () => true);
  const further = changed === 'kit' ? ['service', 'registry-nats'] : [];
  // Frames are what only sockets of NATS stand on today.
  const above = file.includes('/src/frames') ? 'transport-nats' : changed;
  const live = above === 'kit' ? contracts(root) : testsOf(root, `packages/${above}`, isLive);
  const all: readonly Tier[] = [
    { name: 'the nearest tests', files: unit.slice(0, nearest), isolates: false },
    { name: 'the other tests of the package', files: unit.slice(nearest), isolates: false },
    { name: 'the simulation', files: simulation, isolates: true },
    {
      name: 'tests above',
      files: further.flatMap((name) => testsOf(root, `packages/${name}`, isUnit)),
      isolates: false,
    },
    { name: 'live tests', files: near.sorted(file, live), isolates: true },
  ];
  return all.filter(({ files }) => files.length > 0);
}

function isUnit(file: string): boolean {
  return !file.endsWith('.live.test.ts');
}

/** Without those on a cluster, which take minutes. */
function isLive(file: string): boolean {
  return file.endsWith('.live.test.ts') && !/cluster|nats-io/.test(file);
}

function contracts(root: string): readonly string[] {
  const isContract = (file: string) => /\/(contract|outage)\.live\.test\.ts$/.test(file);
  return ['transport-nats', 'broker-nats', 'registry-nats'].flatMap((name) =>
    testsOf(root, `packages/${name}`, isContract),
  );
}

function testsOf(root: string, folder: string, isChosen: (file: string) => boolean): string[] {
  const files = readdirSync(join(root, folder, 'test'), { recursive: true, encoding: 'utf8' });
  return files
    .map((file) => `${folder}/test/${file}`)
    .filter((file) => file.endsWith('.test.ts') && isChosen(file))
    .sort();
}
