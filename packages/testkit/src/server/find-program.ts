import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { MicroError } from '@ts-micro/core';

export interface FindProgramOptions {
  /** The variable that names the program, before anything else is looked at: `NATS_SERVER_BIN`. */
  readonly variable?: string | undefined;
  /** How to get it, for the error: `Get it with "apt-get install mosquitto"`. */
  readonly install?: string | undefined;
  /** @default process.env */
  readonly environment?: NodeJS.ProcessEnv | undefined;
}

/**
 * Returns the path of a program: from its variable, then `PATH`, then `/usr/sbin`, which is not on everybody's `PATH`.
 *
 * Throws `unavailable`, saying how to get it.
 */
export function findProgram(name: string, options: FindProgramOptions = {}): string {
  const { variable, install, environment = process.env } = options;
  const named = variable === undefined ? undefined : environment[variable];
  if (named) {
    if (isProgram(named)) return named;
    throw new MicroError('unavailable', `${name}: ${variable} is ${named}, which is not a program`);
  }
  const file = process.platform === 'win32' ? `${name}.exe` : name;
  const folders = [...(environment.PATH ?? '').split(delimiter), '/usr/sbin'];
  for (const folder of folders) {
    if (folder !== '' && isProgram(join(folder, file))) return join(folder, file);
  }
  const places = variable === undefined ? 'PATH or /usr/sbin' : `${variable}, PATH or /usr/sbin`;
  throw new MicroError('unavailable', `${name}: not found in ${places}${install === undefined ? '' : `. ${install}`}`);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
