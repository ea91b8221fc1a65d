import { spawnSync } from 'node:child_process';

/** Runs a command of Go in a folder. Throws with Go's own words. */
export function runGo(go: string, parameters: readonly string[], cwd: string): void {
  const { status, stderr, error } = spawnSync(go, parameters, { cwd, encoding: 'utf8' });
  if (status !== 0) throw new Error(`go ${parameters.join(' ')}: ${(stderr ?? String(error)).trim().slice(-600)}`);
}
