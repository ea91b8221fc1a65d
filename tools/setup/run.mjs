import { countMissingBackends, requireBackends, runBackends, tellWhatIsLeft } from './backends.mjs';
import { installDependencies } from './dependencies.mjs';
import { runKnownBackends } from './known-backends.mjs';
import { requireNode } from './node-version.mjs';
import { runProgram, runTurbo } from './program.mjs';
import { natsServer, redisServer, requireServer } from './server-program.mjs';
import { runSoak } from './soak.mjs';
import { runTests } from './tests.mjs';

/**
 * What stands behind `npm run demo` and its like: sets up all a command needs on a machine that has only Node and npm,
 * then runs it. Arguments after the command's name are handed on.
 *
 * @type {Record<string, (parameters: string[]) => number | Promise<number>>}
 */
const commands = {
  build: (parameters) => runTurbo(['build', 'declarations', ...parameters]),
  types: (parameters) => runTurbo(['types', ...parameters]),
  demo(parameters) {
    requireBackends(backendsOf(parameters) ?? []);
    return runBuilt('examples/demo', 'dist/demo.js', parameters);
  },
  test(parameters) {
    const missing = process.env.WITH_BACKENDS ? countMissingBackends() : 0;
    if (!process.env.WITH_BACKENDS && parameters.length === 0) tellWhatIsLeft();
    return runTests(parameters, missing);
  },
  backends: runBackends,
  'known-backends': runKnownBackends,
  check: (parameters) => runProgram(process.execPath, ['tools/checks/check.mjs', ...parameters]),
  bench: (parameters) => runBuilt('tools/bench', 'dist/bench.js', parameters),
  chaos: (parameters) => runBuilt('tools/chaos', 'dist/chaos.js', parameters),
  interop: (parameters) => runBuilt('tools/interop', 'dist/interop.js', parameters),
  soak: runSoak,
  simulate: (parameters) => runBuilt('tools/simulate', 'dist/simulate.js', parameters),
  fuzz: (parameters) => runBuilt('tools/fuzz', 'dist/fuzz.js', parameters),
  mutants: (parameters) => runBuilt('tools/mutants', 'dist/mutants.js', parameters),
};

/** They need no nats-server. */
const serverless = ['backends', 'build', 'types', 'fuzz', 'mutants', 'simulate'];

/** @type {(folder: string, program: string, parameters: string[]) => number} */
function runBuilt(folder, program, parameters) {
  const status = runTurbo(['build', `--filter=./${folder}...`]);
  return status === 0 ? runProgram(process.execPath, [`${folder}/${program}`, ...parameters]) : status;
}

/**
 * What the demo is to run on, where that is said: `--backends=etcd,rabbitmq,kafka`.
 *
 * @type {(parameters: string[]) => string[] | undefined}
 */
function backendsOf(parameters) {
  const flag = '--backends=';
  return parameters
    .find((parameter) => parameter.startsWith(flag))
    ?.slice(flag.length)
    .split(',');
}

/** @type {(name: string | undefined, parameters: string[]) => Promise<number>} */
async function main(name, parameters) {
  const command = Object.hasOwn(commands, name ?? '') ? commands[name ?? ''] : undefined;
  if (command === undefined) throw new Error(`say one of: ${Object.keys(commands).join(', ')}`);
  installDependencies();
  const isWithoutNats = parameters.includes('--memory') || backendsOf(parameters)?.includes('nats') === false;
  if (!serverless.includes(name ?? '') && !isWithoutNats) process.env.NATS_SERVER_BIN = requireServer(natsServer);
  if (['test', 'check', 'known-backends', 'soak'].includes(name ?? '')) findRedisServer();
  return command(parameters);
}

/** Only the example plugins need it: where it cannot be had they are red, and say how to get it. */
function findRedisServer() {
  try {
    process.env.REDIS_SERVER_BIN = requireServer(redisServer);
  } catch (error) {
    console.error(`setup: ${error instanceof Error ? error.message : error}`);
  }
}

try {
  requireNode();
  const [name, ...parameters] = process.argv.slice(2);
  process.exitCode = await main(name, parameters);
} catch (error) {
  console.error(`setup: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
