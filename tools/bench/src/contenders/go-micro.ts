import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { ContenderProgram } from './contender.ts';

const run = promisify(execFile);
const folder = fileURLToPath(new URL('../', import.meta.url));

/**
 * Go Micro's own client and server over its NATS plugins, a program of `go/`: built where Go is at hand, which is quick
 * where nothing has changed.
 */
export async function buildGoMicro(): Promise<ContenderProgram | { readonly missing: string }> {
  const go = await findGo();
  if (go === undefined) return { missing: 'Go is not on this machine (PATH, GO_BIN or /usr/local/go)' };
  mkdirSync(`${folder}.cache`, { recursive: true });
  const program = `${folder}.cache/go-micro`;
  try {
    await run(go, ['build', '-trimpath', '-o', program, '.'], { cwd: `${folder}go` });
    // There is no TLS here; without this it warns that it would not verify certificates.
    return { program, environment: { MICRO_TLS_SECURE: 'true' } };
  } catch (error) {
    return { missing: `it did not build: ${(error as { stderr?: string }).stderr?.trim().slice(-300)}` };
  }
}

async function findGo(): Promise<string | undefined> {
  for (const go of [process.env.GO_BIN ?? '', 'go', '/usr/local/go/bin/go']) {
    if (go !== '' && (await run(go, ['version']).catch(() => undefined))) return go;
  }
  return undefined;
}
