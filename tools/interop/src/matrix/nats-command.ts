import { execFile, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { folder } from '../generation.ts';
import { NotRun } from './not-run.ts';

const runWithinMs = 30_000;
const natsPy = 'nats-py==2.16.0';

function cached(name: string): string {
  const cache = fileURLToPath(new URL('.cache/', folder));
  mkdirSync(cache, { recursive: true });
  return `${cache}${name}`;
}

/** Builds NATS' own command line, `nats`, from the module that `go/natscli` pins, and returns its path. */
export function buildNatsCommand(go: string): string {
  const binary = cached('nats');
  const cwd = fileURLToPath(new URL('go/natscli/', folder));
  const parameters = ['build', '-trimpath', '-o', binary, 'github.com/nats-io/natscli/nats'];
  const built = spawnSync(go, parameters, { cwd, encoding: 'utf8' });
  if (built.status !== 0)
    throw new Error(`go build of the nats command failed: ${(built.stderr ?? String(built.error)).trim().slice(-600)}`);
  return binary;
}

/** What `nats` prints, on both outputs. */
export async function runNats(binary: string, nats: string, ...words: readonly string[]): Promise<string> {
  const env = { ...process.env, NATS_URL: nats, NO_COLOR: '1' };
  const { stdout, stderr } = await promisify(execFile)(binary, words, { env, timeout: runWithinMs });
  return `${stdout}${stderr}`;
}

/** A Python that has nats-py: one made with `venv` at the first use. Throws {@link NotRun} where there is none. */
export function findPython(): string {
  const home = cached('python');
  const python = `${home}/bin/python`;
  if (hasNatsPy(python)) return python;
  const system = process.env.PYTHON_BIN ?? 'python3';
  if (hasNatsPy(system)) return system;
  if (spawnSync(system, ['-c', 'import venv, ensurepip']).status !== 0)
    throw new NotRun('Python with venv is not on this machine (python3, PYTHON_BIN)');
  if (!existsSync(python)) spawnSync(system, ['-m', 'venv', home]);
  const installed = spawnSync(python, ['-m', 'pip', 'install', '--quiet', natsPy], { encoding: 'utf8' });
  if (installed.status !== 0) throw new NotRun(`pip cannot install ${natsPy}: ${installed.stderr?.trim().slice(-300)}`);
  return python;
}

function hasNatsPy(python: string): boolean {
  return spawnSync(python, ['-c', 'import nats']).status === 0;
}

/** What a Python program prints that was given parameters. Throws with its last words. */
export async function runPython(python: string, source: string, ...parameters: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(python, ['-c', source, ...parameters], { timeout: runWithinMs });
  return stdout;
}
