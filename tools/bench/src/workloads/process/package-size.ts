import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { numberText } from '../../harness/report/table.ts';
import type { Workload } from '../workload.ts';

interface Packed {
  readonly name: string;
  readonly size: number;
  readonly unpackedSize: number;
  readonly entryCount: number;
}

const root = fileURLToPath(new URL('../../../', import.meta.url));
const isWindows = process.platform === 'win32';

/** What npm would upload: no number is right or wrong, so they are reported. */
export const packageSize: Workload = {
  name: 'package-size',
  title: 'Size of each package as it is published',
  async run(bench) {
    bench.progress('package-size: building declarations');
    await buildDeclarations();
    const packed: Packed[] = [];
    for (const folder of readdirSync(`${root}packages`)) {
      bench.progress(`package-size: packing ${folder}`);
      packed.push(await pack(`${root}packages/${folder}`));
    }
    return {
      tables: [
        {
          head: ['package', 'packed KB', 'unpacked KB', 'files'],
          rows: packed.map(({ name, size, unpackedSize, entryCount }) => [
            name,
            numberText(size / 1000),
            numberText(unpackedSize / 1000),
            String(entryCount),
          ]),
        },
      ],
      outcomes: [
        {
          row: 'packed size of each package',
          target: 'reported',
          measured: `${numberText(packed.reduce((sum, { size }) => sum + size, 0) / 1000)} KB in all`,
          verdict: 'reported',
        },
      ],
    };
  },
};

/** The benchmark itself needs none, but packages ship them. */
async function buildDeclarations(): Promise<void> {
  const { packageManager } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { packageManager: string };
  const turbo = ['exec', 'turbo', 'run', 'declarations', '--filter=./packages/*', '--output-logs=errors-only'];
  const child = spawn('npx', ['--yes', '--prefer-offline', packageManager, ...turbo], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: isWindows,
    env: { ...process.env, CI: 'true', TURBO_TELEMETRY_DISABLED: '1' },
  });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error('the declarations did not build');
}

async function pack(folder: string): Promise<Packed> {
  const { stdout } = await promisify(execFile)('npm', ['pack', '--dry-run', '--json'], {
    cwd: folder,
    shell: isWindows,
  });
  const [packed] = JSON.parse(stdout) as Packed[];
  if (packed === undefined) throw new Error(`npm packed nothing in ${folder}`);
  return packed;
}
