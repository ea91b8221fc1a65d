import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { runProgram } from './program.mjs';

/**
 * A server that tests start, and how to come by it.
 *
 * @typedef {object} Server
 * @property {string} program
 * @property {string} variable The environment variable that names another one.
 * @property {string} [debian] What apt-get calls it, if not the program's name.
 * @property {string} [elsewhere] What package managers other than apt-get call it, if not the program's name.
 * @property {string[]} ways How to get it without a package manager.
 */

/** @type {Server} */
export const natsServer = {
  program: 'nats-server',
  variable: 'NATS_SERVER_BIN',
  ways: [
    'with Go: "go install github.com/nats-io/nats-server/v2@latest"',
    'or take a binary from github.com/nats-io/nats-server/releases and name it in NATS_SERVER_BIN',
  ],
};

/** For the example plugins. @type {Server} */
export const redisServer = {
  program: 'redis-server',
  variable: 'REDIS_SERVER_BIN',
  elsewhere: 'redis',
  ways: ['build it from github.com/redis/redis and name it in REDIS_SERVER_BIN'],
};

/**
 * What installs a package, by the program that does it; the first one found is used. @type {Record<string, (name:
 * string) => string[][]>}
 */
const managers = {
  'apt-get': (name) => [
    ['apt-get', 'update'],
    ['apt-get', 'install', '--yes', '--no-install-recommends', name],
  ],
  apk: (name) => [['apk', 'add', '--no-cache', name]],
  dnf: (name) => [['dnf', 'install', '--assumeyes', name]],
  zypper: (name) => [['zypper', '--non-interactive', 'install', name]],
  pacman: (name) => [['pacman', '-S', '--noconfirm', name]],
  brew: (name) => [['brew', 'install', name]],
};

/**
 * Returns the path of a server's program, which it installs where that is possible; throws with how to get it where it
 * is not. @type {(server: Server) => string}
 */
export function requireServer(server) {
  const { program, debian = program, elsewhere = program } = server;
  const found = findServer(server);
  if (found) return found;

  const manager = Object.keys(managers).find((name) => findProgram(name));
  const steps = manager ? (managers[manager]?.(manager === 'apt-get' ? debian : elsewhere) ?? []) : [];
  // Only root may install system-wide, and brew refuses to work for root.
  if (!manager || manager === 'brew' || process.getuid?.() !== 0) throw new Error(howToGetIt(server, manager, steps));
  withoutDaemon(program, () => {
    for (const [installer = '', ...parameters] of steps) {
      console.log(`setup: no ${program} here, so: ${installer} ${parameters.join(' ')}`);
      const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
      // A stale index is no reason to stop: the install says best what is wrong.
      runProgram(installer, parameters, { env, stdin: 'ignore' });
    }
  });
  const installed = findProgram(program);
  if (!installed) throw new Error(`${manager} did not bring a ${program}. ${howToGetIt(server, undefined, [])}`);
  return installed;
}

/**
 * Returns the path of a server's program, or nothing where there is none; throws where its variable names none.
 *
 * @type {(server: Server) => string | undefined}
 */
export function findServer({ program, variable }) {
  const named = process.env[variable];
  if (!named) return findProgram(program);
  if (isProgram(named)) return named;
  throw new Error(`${variable} is ${named}, which is not a program`);
}

/** @type {(server: Server, manager: string | undefined, steps: string[][]) => string} */
function howToGetIt({ program, variable, ways }, manager, steps) {
  const sudo = manager === 'brew' ? '' : 'sudo ';
  const byManager = manager ? [`run "${steps.map((step) => sudo + step.join(' ')).join(' && ')}"`] : [];
  const all = [...byManager, ...ways].join('; ');
  return `${program} is needed and was not found in ${variable}, PATH or /usr/sbin. To get it, ${all}.`;
}

/**
 * Lets a package be installed without its system service being started or enabled: only the program is wanted.
 *
 * @type {(service: string, install: () => void) => void}
 */
function withoutDaemon(service, install) {
  const policy = '/usr/sbin/policy-rc.d';
  const isDebian = existsSync('/etc/debian_version') && !existsSync(policy);
  // Debian's rule for it: 101 forbids a package to start its service.
  if (isDebian) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    install();
  } finally {
    if (isDebian) rmSync(policy);
  }
  if (findProgram('systemctl')) spawnSync('systemctl', ['disable', service], { stdio: 'ignore' });
}

/** Returns where a program is. @type {(name: string) => string | undefined} */
export function findProgram(name) {
  const file = process.platform === 'win32' ? `${name}.exe` : name;
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin'];
  return folders
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, file))
    .find(isProgram);
}

/** @type {(path: string) => boolean} */
function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
