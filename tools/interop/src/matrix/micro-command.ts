import { execFile, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { folder } from '../generation.ts';

/** What one run of the command said. */
export interface CommandResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

const runWithinMs = 30_000;

/**
 * Builds Go Micro's own command line, `micro`, from the module that `go/micro` pins, and returns its path. Throws with
 * Go's own words.
 */
export function buildMicroCommand(go: string): string {
  const cache = fileURLToPath(new URL('.cache/', folder));
  mkdirSync(cache, { recursive: true });
  const binary = `${cache}micro`;
  const cwd = fileURLToPath(new URL('go/micro/', folder));
  const built = spawnSync(go, ['build', '-trimpath', '-o', binary, 'go-micro.dev/v5/cmd/micro'], {
    cwd,
    encoding: 'utf8',
  });
  if (built.status !== 0)
    throw new Error(
      `go build of the micro command failed: ${(built.stderr ?? String(built.error)).trim().slice(-600)}`,
    );
  return binary;
}

/**
 * Runs `micro` against a NATS server, as an operator does with its `nats` profile. Throws where the process panics or
 * does not end.
 */
export function runMicro(
  binary: string,
  nats: string,
  parameters: readonly string[],
  input = '',
): Promise<CommandResult> {
  const env = { ...process.env, MICRO_PROFILE: 'nats', MICRO_NATS_ADDRESS: `nats://${nats}`, MICRO_TLS_SECURE: 'true' };
  return new Promise((resolve, reject) => {
    const child = execFile(binary, parameters, { env, timeout: runWithinMs }, (error, stdout, stderr) => {
      const said = `micro ${parameters.join(' ')}: ${stderr.slice(0, 400)}`;
      if (error?.killed) reject(new Error(`${said} (not done within ${runWithinMs} ms)`));
      else if (/^(panic|fatal error):/m.test(stderr)) reject(new Error(said));
      else resolve({ stdout, stderr, exitCode: typeof error?.code === 'number' ? error.code : 0 });
    });
    if (input === '') {
      child.stdin?.end();
    } else {
      // At the end of its input it goes, whatever it was asked.
      child.stdout?.once('data', () => child.stdin?.end());
      child.stdin?.write(input);
    }
  });
}
