import { readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { allMutants } from './all-mutants.ts';
import { formatMatrix } from './matrix/format-matrix.ts';
import { fingerprint, KeptRows } from './matrix/kept-rows.ts';
import { matrixOf, titleOf } from './matrix/matrix.ts';
import { runRows, serveRows } from './matrix/workers.ts';
import { mutateRuntime } from './runtime/mutate-runtime.ts';

if (process.argv[2] === 'runtime') await mutateRuntime(process.argv.slice(3));
else if (!serveRows(allMutants)) await main();

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      /** Only mutants whose name contains this: `broker: ignores`. */
      only: { type: 'string', default: '' },
      /** JSON in one line, instead of tables. */
      json: { type: 'boolean', default: false },
      /** Puts the tables into this Markdown file, in place of its last block. */
      write: { type: 'string' },
      /** Keeps each row in this file as it is done; those of the same code that are there already are not run again. */
      keep: { type: 'string' },
    },
  });
  const chosen = allMutants.filter((mutant) => titleOf(mutant).includes(values.only));
  if (chosen.length === 0) throw new Error(`no mutant is named ${values.only}`);
  const program = new URL(import.meta.url);
  const kept = values.keep === undefined ? undefined : new KeptRows(values.keep, fingerprint(foldersOf(program)));
  const waiting = chosen.filter((mutant) => kept?.get(titleOf(mutant)) === undefined);
  let done = chosen.length - waiting.length;
  const ran = await runRows(program, waiting, (row) => {
    done++;
    kept?.add(row);
    if (process.stderr.isTTY) process.stderr.write(`\r${done} of ${chosen.length} mutants`);
  });
  const byTitle = new Map(ran.map((row) => [titleOf(row), row]));
  // In the order of the mutants, whichever run they are of.
  const rows = chosen.map(titleOf).flatMap((title) => kept?.get(title) ?? byTitle.get(title) ?? []);
  if (process.stderr.isTTY) process.stderr.write('\n');
  const matrix = matrixOf(rows, allMutants);
  const text = formatMatrix(matrix);
  console.log(values.json ? JSON.stringify(matrix) : text);
  if (values.write !== undefined) replaceTables(values.write, text);
  if (matrix.slipped.length + matrix.missed.length + matrix.toothless.length > 0) process.exitCode = 1;
}

/** Where that is what a row depends on: the mutants, the cases, and the backend that is broken. */
function foldersOf(program: URL): readonly string[] {
  const packages = ['@ts-micro/core', '@ts-micro/kit', '@ts-micro/memory', '@ts-micro/testkit'];
  const urls = [program.href, ...packages.map((name) => import.meta.resolve(name))];
  return urls.map((url) => dirname(fileURLToPath(url)));
}

/** Everything from the first section of tables on is what this command printed. */
function replaceTables(file: string, text: string): void {
  const page = readFileSync(file, 'utf8');
  const start = page.indexOf('\n## transport\n');
  if (start === -1) throw new Error(`${file} has no section "transport" to begin at`);
  writeFileSync(file, `${page.slice(0, start + 1)}${text}\n`);
}
