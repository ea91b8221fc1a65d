import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { runProgram } from './program.mjs';

/** What installs nats-server, by the program that does it; the first one found is used. @type {Record<string, string[][]>} */
const managers = {
  'apt-get': [
    ['apt-get', 'update'],
    ['apt-get', 'install', '--yes', '--no-install-recommends', 'nats-server'],
  ],
  apk: [['apk', 'add', '--no-cache', 'nats-server']],
  dnf: [['dnf', 'install', '--assumeyes', 'nats-server']],
  zypper: [['zypper', '--non-interactive', 'install', 'nats-server']],
  pacman: [['pacman', '-S', '--noconfirm', 'nats-server']],
  brew: [['brew', 'install', 'nats-server']],
};

/** Returns the path of a nats-server, which it installs where that is possible; throws with how to get it where it is not. */
export function requireNatsServer() {
  const named = process.env.NATS_SERVER_BIN;
  if (named) {
    if (isProgram(named)) return named;
    throw new Error(`NATS_SERVER_BIN is ${named}, which is not a program`);
  }
  const found = findProgram('nats-server');
  if (found) return found;

  const manager = Object.keys(managers).find((name) => findProgram(name));
  const steps = manager ? (managers[manager] ?? []) : [];
  // Only root may install system-wide, and brew refuses to work for root.
  if (!manager || manager === 'brew' || process.getuid?.() !== 0) throw new Error(howToGetIt(manager, steps));
  withoutDaemons(() => {
    for (const [program = '', ...parameters] of steps) {
      console.log(`setup: no nats-server here, so: ${program} ${parameters.join(' ')}`);
      const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
      // A stale index is no reason to stop: the install says best what is wrong.
      runProgram(program, parameters, { env, stdin: 'ignore' });
    }
  });
  const installed = findProgram('nats-server');
  if (!installed) throw new Error(`${manager} did not bring a nats-server. ${howToGetIt(undefined, [])}`);
  return installed;
}

/** @type {(manager: string | undefined, steps: string[][]) => string} */
function howToGetIt(manager, steps) {
  const sudo = manager === 'brew' ? '' : 'sudo ';
  const ways = manager ? [`run "${steps.map((step) => sudo + step.join(' ')).join(' && ')}"`] : [];
  ways.push(
    'with Go: "go install github.com/nats-io/nats-server/v2@latest"',
    'or take a binary from github.com/nats-io/nats-server/releases and name it in NATS_SERVER_BIN',
  );
  return `nats-server is needed and was not found in NATS_SERVER_BIN, PATH or /usr/sbin. To get it, ${ways.join('; ')}.`;
}

/**
 * Lets a package be installed without its system service being started or enabled: only the program is wanted.
 *
 * @type {(install: () => void) => void}
 */
function withoutDaemons(install) {
  const policy = '/usr/sbin/policy-rc.d';
  const isDebian = existsSync('/etc/debian_version') && !existsSync(policy);
  // Debian's rule for it: 101 forbids a package to start its service.
  if (isDebian) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    install();
  } finally {
    if (isDebian) rmSync(policy);
  }
  if (findProgram('systemctl')) spawnSync('systemctl', ['disable', 'nats-server'], { stdio: 'ignore' });
}

/** @type {(name: string) => string | undefined} */
function findProgram(name) {
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
