import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { root, runProgram, runTurbo } from './program.mjs';
import { findProgram, natsServer, requireServer } from './server-program.mjs';

/**
 * A backend that is no NATS: its package with the contract, and what has its servers at hand.
 *
 * @typedef {object} Backend
 * @property {string} folder
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
/** @type {Server} */
const java = {
  program: 'java',
  debian: 'default-jre-headless',
  elsewhere: 'openjdk',
  variable: 'JAVA_BIN',
  ways: ['take a Java of 17 or newer and name it in JAVA_BIN'],
};

const kafkaVersion = '4.1.2';

/** @type {Record<string, Backend>} */
const backends = {
  etcd: { folder: 'packages/registry-etcd', require: () => void requireServer(etcd) },
  rabbitmq: { folder: 'packages/transport-rabbitmq', require: () => void requireServer(rabbitmq) },
  kafka: {
    folder: 'packages/broker-kafka',
    require: () => {
      requireServer(java);
      requireKafka();
    },
  },
};

const present = Object.entries(backends).filter(([, { folder }]) => existsSync(folder));

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
  const found = names.filter(isThere);
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
  const env = { ...process.env, WITH_BACKENDS: '1' };
  const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--no-file-parallelism', '--passWithNoTests'];
  /** @type {string[]} */
  const lines = [];
  let failed = 0;
  for (let round = 1; round <= rounds; round++) {
    for (const name of names) {
      const started = performance.now();
      const status = runProgram(process.execPath, [...vitest, `${backends[name]?.folder}/test/`], { env });
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

/** Says in a line what `npm test` leaves to `npm run backends`. */
export function tellWhatIsLeft() {
  for (const [name, { folder }] of present) {
    console.log(
      `backends: not run here: the contract of ${folder} on a real ${name}; "npm run backends -- ${name}" does`,
    );
  }
}

/** @type {(name: string) => boolean} */
function isThere(name) {
  try {
    backends[name]?.require();
    return true;
  } catch (error) {
    console.error(`backends: ${name}: ${error instanceof Error ? error.message : error}`);
    return false;
  }
}

/** Has Maven copy the jars of a Kafka into the cache of the user, where tests look for them. */
function requireKafka() {
  if (process.env.KAFKA_LIBS) return;
  const libs = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'ts-micro', `kafka-${kafkaVersion}`);
  if (existsSync(join(libs, `kafka_2.13-${kafkaVersion}.jar`))) return;
  if (!findProgram('mvn')) {
    const ways = `install Maven, or name the folder "libs" of a Kafka ${kafkaVersion} in KAFKA_LIBS`;
    throw new Error(`the jars of Kafka are needed and are not in ${libs}. To get them, ${ways}.`);
  }
  console.log(`backends: no Kafka here, so Maven copies the jars of kafka_2.13 ${kafkaVersion} (43 MB) to ${libs}`);
  const folder = mkdtempSync(join(tmpdir(), 'ts-micro-kafka-'));
  try {
    const artifact = ['groupId>org.apache.kafka</groupId', 'artifactId>kafka_2.13</artifactId'];
    const dependency = [...artifact, `version>${kafkaVersion}</version`].map((part) => `<${part}>`).join('');
    const project =
      '<modelVersion>4.0.0</modelVersion><groupId>x</groupId><artifactId>x</artifactId><version>1</version>';
    const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0">${project}<packaging>pom</packaging>
<dependencies><dependency>${dependency}</dependency></dependencies></project>\n`;
    writeFileSync(join(folder, 'pom.xml'), pom);
    const copy = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${folder}/libs`];
    const status = runProgram('mvn', ['-q', '-B', '-f', join(folder, 'pom.xml'), ...copy], { stdin: 'ignore' });
    if (status !== 0) throw new Error('Maven could not get the jars of Kafka');
    mkdirSync(dirname(libs), { recursive: true });
    rmSync(libs, { recursive: true, force: true });
    moveFolder(join(folder, 'libs'), libs);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @type {(from: string, to: string) => void} */
function moveFolder(from, to) {
  try {
    renameSync(from, to);
  } catch {
    // On another file system.
    runProgram('cp', ['-r', from, to]);
  }
}
