import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MicroError } from '@ts-micro/core';
import { ProgramProcess } from './program-process.ts';

/** The program in `tools/interop/go/v5`, built: a greeter and a client on unmodified Go Micro. */
export interface GoProgram extends AsyncDisposable {
  readonly path: string;
  /** What it was built of: `Go Micro v5.30.0, go1.26.8`. */
  readonly title: string;
}

/** The `go` command. Throws `unavailable` where there is none. */
export function findGo(): string {
  const names = [process.env.GO_BIN ?? '', 'go', '/usr/local/go/bin/go'];
  const go = names.find((name) => name !== '' && spawnSync(name, ['version']).status === 0);
  if (go !== undefined) return go;
  throw new MicroError('unavailable', 'demo: --go needs Go, which is neither on PATH nor named by GO_BIN');
}

/**
 * Builds it, or the one in another folder of `tools/interop/go`, into a folder that goes with it. Throws `unavailable`
 * with Go's own words.
 */
export async function buildGoProgram(go: string, source: 'v5' | 'etcd' = 'v5'): Promise<GoProgram> {
  const folder = await mkdtemp(join(tmpdir(), 'ts-micro-demo-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    const path = join(folder, process.platform === 'win32' ? 'peer.exe' : 'peer');
    const cwd = fileURLToPath(new URL(`../../../tools/interop/go/${source}/`, import.meta.url));
    run(go, ['build', '-trimpath', '-o', path, '.'], cwd);
    if (source !== 'v5') return { path, title: `Go Micro's ${source} program`, [Symbol.asyncDispose]: remove };
    const versions = JSON.parse(run(path, ['versions'])) as { go: string; modules: Record<string, string> };
    const title = `Go Micro ${versions.modules['go-micro.dev/v5']}, ${versions.go}`;
    return { path, title, [Symbol.asyncDispose]: remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** The Go program at work: a greeter, or a client that is told what to do in lines of JSON. */
export class GoProcess extends ProgramProcess {
  constructor({ path }: GoProgram, command: 'server' | 'client', flags: readonly string[]) {
    // Go Micro's log, and its warning that it would not verify TLS, would stand between the lines of the demo.
    const environment = { ...process.env, MICRO_LOG_LEVEL: 'error', MICRO_TLS_SECURE: 'true' };
    super(path, [command, ...flags], environment);
  }

  /** Has a client do one thing, and resolves with what it says of it. */
  async obey<Answer>(command: { readonly op: string; readonly [field: string]: unknown }): Promise<Answer> {
    const id = `${command.op}-${this.lines.length}`;
    this.tell(JSON.stringify({ ...command, id }));
    return JSON.parse(await this.line(`"id":"${id}"`, 30_000)) as Answer;
  }
}

function run(program: string, parameters: readonly string[], cwd?: string): string {
  const result = spawnSync(program, parameters, { cwd, encoding: 'utf8' });
  if (result.status === 0) return result.stdout;
  const reason = result.error?.message ?? result.stderr.trim().slice(-600);
  throw new MicroError('unavailable', `demo: ${program} ${parameters[0]} failed: ${reason}`);
}
