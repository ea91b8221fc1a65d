import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from './program.mjs';
import { readCounts } from './tests.mjs';

const withinMs = 20 * 60_000;
/**
 * The contracts of the memory backends, the NATS plugins and the example plugins; the outages on a cluster are left to
 * `npm test`.
 */
const contracts = [
  'packages/memory',
  'packages/transport-nats',
  'packages/broker-nats',
  'packages/broker-jetstream',
  'packages/registry-nats',
  'packages/registry-nats-kv',
  'examples/plugin-redis-broker',
  'examples/plugin-redis-registry',
  'examples/plugin-mqtt-broker',
].map((folder) => `${folder}/test/contract`);

/** Turns without rest, and ends when whoever started it does, however that ends. */
const load = `
  process.stdin.on('end', () => process.exit()).resume();
  const spin = () => {
    for (const end = performance.now() + 50; performance.now() < end; );
    setImmediate(spin);
  };
  spin();
`;

/**
 * Runs contracts several times in a row while as many processes as there are cores keep these busy. Prints a line for
 * each round, what failed, how often each contract ran, and the totals as its last line.
 *
 * @type {(parameters: string[]) => number}
 */
export function runSoak(parameters) {
  const { values, positionals } = parseArgs({
    args: parameters,
    allowPositionals: true,
    options: {
      times: { type: 'string', default: '20' },
      load: { type: 'string', default: `${availableParallelism()}` },
    },
  });
  const times = Number(values.times);
  const loads = Number(values.load);
  if (!Number.isInteger(times) || times < 1) throw new Error(`--times is a number of rounds, not ${values.times}`);
  if (!Number.isInteger(loads) || loads < 0) throw new Error(`--load is a number of processes, not ${values.load}`);
  const files = positionals.length > 0 ? positionals : contracts;
  const busy = Array.from({ length: loads }, () =>
    spawn(process.execPath, ['-e', load], { stdio: ['pipe', 'ignore', 'ignore'] }),
  );
  const totals = { passed: 0, failed: 0, skipped: 0 };
  /** @type {Map<string, number>} */
  const runs = new Map();
  try {
    for (let round = 1; round <= times; round++) {
      const start = performance.now();
      const { counts, output, contracts } = runRound(files);
      for (const each of contracts) runs.set(each, (runs.get(each) ?? 0) + 1);
      if (counts.failed > 0) console.log(output);
      const seconds = Math.round((performance.now() - start) / 1000);
      console.log(`round ${round} of ${times}: ${formatCounts(counts)} (${seconds} s)`);
      for (const name of /** @type {const} */ (['passed', 'failed', 'skipped'])) totals[name] += counts[name];
    }
  } finally {
    for (const child of busy) child.kill('SIGKILL');
  }
  for (const [contract, count] of [...runs].sort()) console.log(`${contract}: ${count} runs`);
  console.log(`soak: rounds: ${times}, busy processes: ${loads}, ${formatCounts(totals)}`);
  return totals.failed > 0 ? 1 : 0;
}

/** @type {(files: string[]) => { counts: import('./tests.mjs').Counts, output: string, contracts: string[] }} */
function runRound(files) {
  const folder = mkdtempSync(join(tmpdir(), 'ts-micro-soak-'));
  try {
    const file = join(folder, 'counts.json');
    const reports = join(folder, 'reports');
    mkdirSync(reports);
    const { status, stdout, stderr, error } = spawnSync(
      process.execPath,
      ['node_modules/vitest/vitest.mjs', 'run', ...files],
      {
        cwd: root,
        env: { ...process.env, TEST_COUNTS_FILE: file, CONTRACT_REPORTS: reports, NO_COLOR: '1' },
        encoding: 'utf8',
        maxBuffer: 256 * 1024 * 1024,
        timeout: withinMs,
        killSignal: 'SIGKILL',
      },
    );
    const counts = readCounts(file);
    // A run that broke off, or in which nothing ran, is a failure all the same.
    if ((status !== 0 || counts.passed === 0) && counts.failed === 0) counts.failed = 1;
    const contracts = readdirSync(reports).map((name) => JSON.parse(readFileSync(join(reports, name), 'utf8')).name);
    return { counts, output: `${stdout}${stderr}${error ? `\n${error.message}` : ''}`, contracts };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @type {(counts: import('./tests.mjs').Counts) => string} */
function formatCounts({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}
