import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './program.mjs';

/**
 * Holds what idle services, clients, sockets and watched services keep in memory to the bounds that the benchmark
 * states: `npm run bench -- memory`.
 *
 * @type {(root: string) => Promise<string[]>}
 */
export async function findMemoryProblems(root) {
  const folder = mkdtempSync(join(tmpdir(), 'ts-micro-memory-'));
  const file = join(folder, 'memory.json');
  try {
    const parameters = ['tools/bench/dist/bench.js', 'memory', '--quick', '--json', file];
    const { ok, output } = await run(process.execPath, parameters, { cwd: root });
    if (!ok) return [output];
    /** @type {{ workloads: { outcomes: { row: string, target: string, measured: string, verdict: string }[] }[] }} */
    const { workloads } = JSON.parse(readFileSync(file, 'utf8'));
    return workloads
      .flatMap(({ outcomes }) => outcomes)
      .filter(({ verdict }) => verdict !== 'met')
      .map(({ row, target, measured }) => `${row}: ${measured}, ${target}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
