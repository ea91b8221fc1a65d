import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The folder of the repository, with a slash at its end. */
export const root = fileURLToPath(new URL('../../', import.meta.url));

/**
 * Runs a program to its end in the repository's folder, and returns its exit code; 1 where a signal ended it.
 *
 * @type {(program: string, parameters: string[], options?: { env?: NodeJS.ProcessEnv, stdin?: 'ignore' | 'inherit' })
 * => number}
 */
export function runProgram(program, parameters, { env = process.env, stdin = 'inherit' } = {}) {
  const result = spawnSync(program, parameters, {
    cwd: root,
    env,
    stdio: [stdin, 'inherit', 'inherit'],
    // On Windows npx is a script, which only a shell runs.
    shell: process.platform === 'win32' && program === 'npx',
  });
  if (result.error) throw new Error(`${program} did not start: ${result.error.message}`);
  return result.status ?? 1;
}

/** Runs the pnpm that package.json names, without anything installed. @type {(parameters: string[]) => number} */
export function runPnpm(parameters) {
  const { packageManager } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
  // Without --prefer-offline a machine that has it already but no network waits for more than a minute.
  return runProgram('npx', ['--yes', '--prefer-offline', packageManager, ...parameters], {
    env: { ...process.env, CI: 'true', TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1' },
    stdin: 'ignore',
  });
}

/**
 * Runs turbo tasks and returns its exit code. pnpm goes around it because turbo looks for pnpm in PATH. @type
 * {(parameters: string[]) => number}
 */
export function runTurbo(parameters) {
  return runPnpm(['exec', 'turbo', 'run', ...parameters, '--output-logs=errors-only', '--log-order=grouped']);
}
