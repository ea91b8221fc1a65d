import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { MicroError } from '@ts-micro/core';

/**
 * Finds the nats-server program: `NATS_SERVER_BIN`, then `PATH`, then `/usr/sbin`, which is not on everybody's `PATH`.
 *
 * Throws `unavailable`, saying how to get it: a run without a server is red, never skipped.
 */
export function findNatsServer(environment: NodeJS.ProcessEnv = process.env): string {
  const named = environment.NATS_SERVER_BIN;
  if (named) {
    if (isProgram(named)) return named;
    throw new MicroError('unavailable', `nats-server: NATS_SERVER_BIN is ${named}, which is not a program`);
  }
  const name = process.platform === 'win32' ? 'nats-server.exe' : 'nats-server';
  const folders = [...(environment.PATH ?? '').split(delimiter), '/usr/sbin'];
  for (const folder of folders) {
    if (folder !== '' && isProgram(join(folder, name))) return join(folder, name);
  }
  throw new MicroError(
    'unavailable',
    'nats-server: not found in NATS_SERVER_BIN, PATH or /usr/sbin. Get it with "apt-get install nats-server", ' +
      '"brew install nats-server" or "go install github.com/nats-io/nats-server/v2@latest"',
  );
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
