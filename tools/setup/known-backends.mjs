import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runProgram } from './program.mjs';

/**
 * How far one plugin has come, as its contract tests said when they were last run.
 *
 * @typedef {object} Known
 * @property {string} folder
 * @property {string} name What its package is called.
 * @property {string} interface
 * @property {{ passed: number, notSupported: number }} cases Of the run that proved most.
 * @property {{ level: string, status: string, unproven: readonly string[] }[]} levels
 */

/** @typedef {Omit<Known, 'folder' | 'name' | 'cases'> & Known['cases'] & { file: string }} Report */

const data = 'docs/known-backends.json';
const page = 'docs/known-backends.md';
const interfaces = ['transport', 'broker', 'registry'];
// The best first, but one failure outweighs all.
const statuses = ['failed', 'passed', 'in part', 'not claimed'];
const words = { passed: 'yes', 'in part': 'in part', failed: '**failed**', 'not claimed': '–' };

/**
 * Returns the folders of all plugins that have contract tests, with the names of those.
 *
 * @type {(root: string) => Record<string, string[]>}
 */
export function foldersWithContracts(root) {
  const folders = ['packages', 'examples'].flatMap((kind) =>
    readdirSync(join(root, kind)).map((each) => `${kind}/${each}`),
  );
  const all = folders.map((folder) => /** @type {const} */ ([folder, contractFiles(root, folder)]));
  return Object.fromEntries(all.filter(([, files]) => files.length > 0));
}

/** @type {(root: string, folder: string) => string[]} */
function contractFiles(root, folder) {
  const tests = join(root, folder, 'test');
  if (!existsSync(tests)) return [];
  return readdirSync(tests)
    .filter((name) => name.endsWith('.test.ts'))
    .filter((name) => /^import .*'@ts-micro\/testkit\/vitest';$/m.test(readFileSync(join(tests, name), 'utf8')))
    .map((name) => `${folder}/test/${name}`);
}

/**
 * Runs the contracts of the plugins whose folders contain one of `parameters`, or of all; writes what they show into
 * `docs/known-backends.json`, and the page made of it. Those that could not be run stay as they were.
 *
 * @type {(parameters: string[]) => number}
 */
export function runKnownBackends(parameters) {
  const chosen = Object.entries(foldersWithContracts('.')).filter(
    ([folder]) => parameters.length === 0 || parameters.some((part) => folder.includes(part)),
  );
  const reports = mkdtempSync(join(tmpdir(), 'ts-micro-reports-'));
  try {
    const env = { ...process.env, CONTRACT_REPORTS: reports };
    const files = chosen.flatMap(([, each]) => each);
    const vitest = ['node_modules/vitest/vitest.mjs', 'run', ...files];
    const status = runProgram(process.execPath, vitest, { env });
    const known = readReports(reports);
    const kept = readKnown('.').filter(({ folder }) => !known.some((each) => each.folder === folder));
    writeFileSync(data, `${JSON.stringify([...kept, ...known].sort(byFolder), undefined, 2)}\n`);
    runProgram(process.execPath, ['node_modules/@biomejs/biome/bin/biome', 'format', '--write', data]);
    writeFileSync(page, formatKnown(readKnown('.')));
    return status;
  } finally {
    rmSync(reports, { recursive: true, force: true });
  }
}

/** @type {(root: string) => Known[]} */
export function readKnown(root) {
  const file = join(root, data);
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : [];
}

/** One for each plugin and interface, of all its runs. @type {(folder: string) => Known[]} */
function readReports(folder) {
  const reports = readdirSync(folder).map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')));
  /** @type {Map<string, Report[]>} */
  const groups = new Map();
  for (const report of /** @type {Report[]} */ (reports)) {
    const key = `${report.file.split('/test/')[0]} ${report.interface}`;
    groups.set(key, [...(groups.get(key) ?? []), report]);
  }
  return [...groups].map(([key, all]) => {
    const [where = '', of = ''] = key.split(' ');
    const { name } = JSON.parse(readFileSync(join(where, 'package.json'), 'utf8'));
    const [{ passed, notSupported } = { passed: 0, notSupported: 0 }] = all.sort((a, b) => b.passed - a.passed);
    return { folder: where, name, interface: of, cases: { passed, notSupported }, levels: merge(all) };
  });
}

/** @type {(reports: Report[]) => Known['levels']} */
function merge(reports) {
  return (reports[0]?.levels ?? []).map(({ level }) => {
    const all = reports.flatMap(({ levels }) => levels.filter((each) => each.level === level));
    const status = statuses.find((each) => all.some((result) => result.status === each)) ?? 'not claimed';
    const [best] = all
      .filter((result) => result.status === status)
      .sort((a, b) => a.unproven.length - b.unproven.length);
    return { level, status, unproven: best?.unproven ?? [] };
  });
}

/** @type {(a: Known, b: Known) => number} */
function byFolder(a, b) {
  return `${a.folder} ${a.interface}` < `${b.folder} ${b.interface}` ? -1 : 1;
}

/** The page. @type {(known: Known[]) => string} */
export function formatKnown(known) {
  const levels = known[0]?.levels.map(({ level }) => level) ?? [];
  const sections = interfaces.flatMap((of) => {
    const plugins = known.filter((each) => each.interface === of);
    if (plugins.length === 0) return [];
    const rows = plugins.map(({ folder, name, cases, levels }) => {
      const cells = levels.map(({ status }) => words[/** @type {keyof typeof words} */ (status)]);
      const refused = cases.notSupported > 0 ? `, ${cases.notSupported} not supported` : '';
      return `| [${name}](../${folder}) | ${cells.join(' | ')} | ${cases.passed} passed${refused} |`;
    });
    const head = [`| ${['plugin', ...levels, 'cases'].join(' | ')} |`, `| --- |${' --- |'.repeat(levels.length + 1)}`];
    const notes = plugins.flatMap(notesOf);
    return [`## ${of}`, '', ...head, ...rows, ...(notes.length > 0 ? ['', ...notes] : []), ''];
  });
  return `${[intro, ...sections].join('\n').trimEnd()}\n`;
}

/** @type {(known: Known) => string[]} */
function notesOf({ name, levels }) {
  return levels
    .filter(({ status, unproven }) => status !== 'passed' && unproven.length > 0)
    .map(({ level, status, unproven }) => {
      const ids = unproven.map((id) => `\`${id.replace(/^\w+\//, '')}\``);
      const shown = ids.length > 6 ? [...ids.slice(0, 5), `${ids.length - 5} more`] : ids;
      return wrap(`- ${name}, ${level}: ${status === 'failed' ? 'failed are' : 'not shown are'} ${shown.join(', ')}`);
    });
}

/** Lines end by column 120. @type {(text: string) => string} */
function wrap(text) {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? '';
    if (line.length + word.length + 1 > 118) lines.push(`  ${word}`);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines.join('\n');
}

const intro = `# Known backends

How far each plugin has come in its contract. \`npm run known-backends\` runs the contracts and writes this page, or with
a part of a folder's name (\`npm run known-backends -- mqtt\`) the rows of one plugin; it is not written by hand.

- **calm**: it keeps the contract while nothing fails.
- **outage**: its server is killed and started again, its network cut, its links lost without a word.
- **cluster**: the same on a server of several nodes.
- **data loss**: its server comes back without what it had stored.
- **hostile data**: other programs write where it reads, and its server refuses its credentials.

*yes*: every case of the level passed, or what it needs was refused by name as not supported. *in part*: none failed,
and some were not run, for want of a hook in its tests. –: not claimed. The cases are those of the run that passed most.
`;
