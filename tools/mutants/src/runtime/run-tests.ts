import { spawn } from 'node:child_process';
import type { Tier } from './tiers.ts';

export type TestOutcome = 'passed' | 'failed' | 'timeout';

/** Runs test files until the first that fails, in a process group of its own, so that a hang leaves nothing behind. */
export function runTier(folder: string, { files, isolates }: Tier, timeoutMs: number): Promise<TestOutcome> {
  const parameters = [
    'node_modules/vitest/vitest.mjs',
    'run',
    '--bail=1',
    '--maxWorkers=1',
    '--reporter=dot',
    // Most files are the same for every change.
    '--experimental.fsModuleCache',
    ...(isolates ? [] : ['--no-isolate']),
    ...files,
  ];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, parameters, { cwd: folder, detached: true, stdio: 'ignore' });
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    }, timeoutMs);
    child.once('error', reject);
    child.once('exit', (code) => {
      clearTimeout(timer);
      resolve(isLate ? 'timeout' : code === 0 ? 'passed' : 'failed');
    });
  });
}
