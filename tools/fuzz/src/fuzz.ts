import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { corpusFolder } from './corpus.ts';

// Fuzzes every decoder, one after the other: `npm run fuzz -- --minutes 10`, `npm run fuzz -- --only frame`.
const { values } = parseArgs({
  options: {
    /** For all of them together. */
    minutes: { type: 'string', default: '2' },
    /** Only targets whose name contains this. */
    only: { type: 'string', default: '' },
  },
});
const minutes = Number(values.minutes);
if (!(minutes > 0)) throw new Error(`--minutes ${values.minutes} is not a number above 0`);

const targets = readdirSync(corpusFolder()).filter((file) => file.endsWith('.json') && file.includes(values.only));
if (targets.length === 0) throw new Error(`no target is named ${values.only}`);
const seconds = (minutes * 60) / targets.length;

const root = fileURLToPath(new URL('../../../', import.meta.url));
const parameters = [
  'node_modules/vitest/vitest.mjs',
  'run',
  'fuzz.test.ts',
  '--max-workers=1',
  '--no-file-parallelism',
];
if (values.only !== '') parameters.push('-t', values.only);
parameters.push(`--test-timeout=${Math.ceil(seconds * 1000) + 120_000}`);
const child = spawn(process.execPath, parameters, {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, FUZZ_SECONDS: String(seconds) },
});
child.once('exit', (code) => {
  process.exitCode = code ?? 1;
});
