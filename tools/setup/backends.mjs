import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { hasKafkaJars, requireKafkaJars } from './kafka-jars.mjs';
import { root, runProgram, runTurbo } from './program.mjs';
import { findServer, natsServer, requireServer } from './server-program.mjs';

/**
 * A backend that is no NATS: its package with the contract, and what has its servers at hand.
 *
 * @typedef {object} Backend
 * @property {string} folder
 * @property {() => boolean} isThere Tells whether its server could be started now, without installing anything.
 * @property {() => void} require Finds the server or installs it; throws with how to get it.
 */

/** @typedef {import('./server-program.mjs').Server} Server */

/** @type {Server} */
const etcd = {
  program: 'etcd',
  debian: 'etcd-server',
  variable: 'ETCD_BIN',
  ways: ['take it from github.com/etcd-io/etcd/releases and name it in ETCD_BIN'],
};
/** @type {Server} */
const rabbitmq = {
  program: 'rabbitmq-server',
  variable: 'RABBITMQ_SERVER_BIN',
  ways: ['take it from www.rabbitmq.com and name it in RABBITMQ_SERVER_BIN'],
};
/** Comes with every Erlang. @type {Server} */
const portMapper = {
  program: 'epmd',
  debian: 'erlang-base',
  elsewhere: 'erlang',
  variable: 'EPMD_BIN',
  ways: ['add the folder of Erlang that has it to PATH'],
};
/** @type {Server} */
const java = {
  program: 'java',
  debian: 'default-jre-headless',
  elsewhere: 'openjdk',
  variable: 'JAVA_BIN',
  ways: ['take a Java of 17 or newer and name it in JAVA_BIN'],
};

/** @type {Record<string, Backend>} */
const backends = {
  etcd: {
    folder: 'packages/registry-etcd',
    isThere: () => !!findServer(etcd),
    require: () => void requireServer(etcd),
  },
  rabbitmq: {
    folder: 'packages/transport-rabbitmq',
    isThere: () => !!findServer(rabbitmq) && !!findServer(portMapper),
    require: () => [rabbitmq, portMapper].forEach(requireServer),
  },
  kafka: {
    folder: 'packages/broker-kafka',
    isThere: () => hasKafkaJars() && !!findServer(java),
    require: () => {
      requireServer(java);
      requireKafkaJars();
    },
  },
};

const present = Object.entries(backends).filter(([, { folder }]) => existsSync(folder));

/**
 * Returns the folders of the backends that can be tested as they are: their servers are there.
 *
 * @type {() => string[]}
 */
export function foldersWithServers() {
  return present.filter(([name]) => isThere(name)).map(([, { folder }]) => folder);
}

/**
 * Runs the contracts of the backends that are no NATS, with outages, each on a server of its own: `npm run backends`,
 * or some: `npm run backends -- etcd kafka`. A backend whose server cannot be had fails.
 *
 * `--rounds 20` runs them so often, and says of each how it went; `--packed` runs them outside of the workspace, on
 * the tarballs that npm would get. `--measure` measures them beside NATS, and writes the figures into docs/backends.md.
 *
 * @type {(parameters: string[]) => Promise<number>}
 */
export async function runBackends(parameters) {
  const options = /** @type {const} */ ({
    rounds: { type: 'string', default: '1' },
    packed: { type: 'boolean', default: false },
    measure: { type: 'boolean', default: false },
  });
  const { values, positionals } = parseArgs({ args: parameters, options, allowPositionals: true });
  const names = positionals.length > 0 ? positionals : present.map(([name]) => name);
  const unknown = names.find((name) => !present.some(([known]) => known === name));
  if (unknown) throw new Error(`backends are ${present.map(([name]) => name).join(', ')}, not ${unknown}`);
  if (values.measure) return measure();
  const found = names.filter(getServer);
  const status = values.packed ? await runPacked(found) : runRounds(found, Number(values.rounds));
  const missing = names.filter((name) => !found.includes(name));
  for (const name of missing) console.log(`backends: not run: ${name}, as its server is not here`);
  return missing.length > 0 ? 1 : status;
}

/**
 * One after the other: two cores start no three servers at once in time.
 *
 * @type {(names: string[], rounds: number) => number}
 */
function runRounds(names, rounds) {
  const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--no-file-parallelism', '--passWithNoTests'];
  /** @type {string[]} */
  const lines = [];
  let failed = 0;
  for (let round = 1; round <= rounds; round++) {
    for (const name of names) {
      const started = performance.now();
      const status = runProgram(process.execPath, [...vitest, `${backends[name]?.folder}/test/`]);
      const seconds = Math.round((performance.now() - started) / 1000);
      lines.push(
        `backends: ${name}, round ${round} of ${rounds}: ${status === 0 ? 'green' : 'RED'} after ${seconds} s`,
      );
      if (status !== 0) failed++;
      console.log(lines.at(-1));
    }
  }
  console.log(`\n${lines.join('\n')}`);
  return failed > 0 ? 1 : 0;
}

/** All of them, as each is compared with NATS in the same run. */
function measure() {
  requireBackends(Object.keys(backends));
  process.env.NATS_SERVER_BIN = requireServer(natsServer);
  const status = runTurbo(['build', '--filter=./tools/measure...']);
  return status === 0 ? runProgram(process.execPath, ['tools/measure/dist/measure.js']) : status;
}

/** @type {(names: string[]) => Promise<number>} */
async function runPacked(names) {
  // Not before the dependencies are there.
  const { findPackedProblems, outsidePackages } = await import('../checks/outside.mjs');
  const folders = names.map((name) => backends[name]?.folder ?? '');
  const needed = ['@ts-micro-tools/backends'];
  const filters = [...outsidePackages, ...needed].map((name) => `--filter=${name}...`);
  const built = runTurbo(['build', 'declarations', ...filters, ...folders.map((folder) => `--filter=./${folder}...`)]);
  if (built !== 0) return built;
  const problems = await findPackedProblems(root, folders, needed);
  for (const problem of problems) console.error(`backends: ${problem}`);
  return problems.length > 0 ? 1 : 0;
}

/**
 * Finds or installs the servers of some backends; names that are none of these are passed over.
 *
 * @type {(names: readonly string[]) => void}
 */
export function requireBackends(names) {
  for (const name of names) backends[name]?.require();
}

/**
 * Says in a line each which backends `npm test` does not run, as their servers are not there.
 *
 * @type {() => void}
 */
export function tellWhatIsLeft() {
  for (const [name, { folder }] of present) {
    if (isThere(name)) continue;
    console.log(
      `backends: not run: the contract of ${folder}, as there is no ${name}; "npm run backends -- ${name}" gets it`,
    );
  }
}

/**
 * Finds or installs the servers of all backends; returns how many cannot be had, each of which it names.
 *
 * @type {() => number}
 */
export function countMissingBackends() {
  const missing = present.filter(([name]) => !getServer(name));
  for (const [name, { folder }] of missing) {
    console.log(`backends: not run: the contract of ${folder}, as there is no ${name}, which is one failure`);
  }
  return missing.length;
}

/** @type {(name: string) => boolean} */
function isThere(name) {
  try {
    return backends[name]?.isThere() === true;
  } catch (error) {
    tell(name, error);
    return false;
  }
}

/** @type {(name: string) => boolean} */
function getServer(name) {
  try {
    backends[name]?.require();
    return true;
  } catch (error) {
    tell(name, error);
    return false;
  }
}

/** @type {(name: string, error: unknown) => void} */
function tell(name, error) {
  console.error(`backends: ${name}: ${error instanceof Error ? error.message : error}`);
}
