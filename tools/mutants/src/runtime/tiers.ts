import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Which tests are run against a change of a package, the quick ones first: the first tier that fails ends it. */
export interface Tier {
  readonly name: string;
  /** Test files, from the root of the repository. */
  files(root: string): readonly string[];
}

const simulation: Tier = { name: 'the simulation', files: (root) => testsOf(root, 'tools/simulate', () => true) };

/** Of the packages that are the runtime. */
export const tiers: Readonly<Record<string, readonly Tier[]>> = {
  service: [unit('service'), simulation, live('service')],
  kit: [unit('kit', 'memory'), simulation, unit('service', 'registry-nats'), contracts()],
  'transport-nats': [unit('transport-nats'), simulation, live('transport-nats')],
  'broker-nats': [unit('broker-nats'), simulation, live('broker-nats')],
  'registry-nats': [unit('registry-nats'), simulation, live('registry-nats')],
};

function unit(...names: readonly string[]): Tier {
  const files = (root: string) =>
    names.flatMap((name) => testsOf(root, `packages/${name}`, (file) => !file.endsWith('.live.test.ts')));
  return { name: `tests of ${names.join(', ')}`, files };
}

/** Without those on a cluster, which take minutes. */
function live(name: string): Tier {
  const isLive = (file: string) => file.endsWith('.live.test.ts') && !/cluster|nats-io/.test(file);
  return { name: `live tests of ${name}`, files: (root) => testsOf(root, `packages/${name}`, isLive) };
}

function contracts(): Tier {
  const plugins = ['transport-nats', 'broker-nats', 'registry-nats'];
  const isContract = (file: string) => /\/(contract|outage)\.live\.test\.ts$/.test(file);
  const files = (root: string) => plugins.flatMap((name) => testsOf(root, `packages/${name}`, isContract));
  return { name: 'the contracts over NATS', files };
}

function testsOf(root: string, folder: string, isChosen: (file: string) => boolean): string[] {
  const files = readdirSync(join(root, folder, 'test'), { recursive: true, encoding: 'utf8' });
  return files.map((file) => `${folder}/test/${file}`).filter((file) => file.endsWith('.test.ts') && isChosen(file));
}
