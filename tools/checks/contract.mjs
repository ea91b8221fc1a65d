import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

const mostValues = 12;
const mostLines = 500;

/**
 * Whether `@ts-micro/core` is still interfaces, errors and rules, and no machinery. @type {(root: string) => string[]}
 */
export function findContractProblems(root) {
  const src = join(root, 'packages/core/src');
  const values = exportedValues(readFileSync(join(src, 'index.ts'), 'utf8'));
  const lines = readdirSync(src, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .reduce((sum, file) => sum + codeLines(readFileSync(join(src, file), 'utf8')), 0);
  const problems = [];
  if (values.length > mostValues) {
    problems.push(`core exports ${values.length} values, and ${mostValues} is the most: ${values.join(', ')}`);
  }
  for (const name of ['core', 'kit']) {
    const folder = join(root, 'packages', name);
    const readme = readFileSync(join(folder, 'README.md'), 'utf8');
    const untold = exportedValues(readFileSync(join(folder, 'src/index.ts'), 'utf8')).filter(
      (value) => !new RegExp(`\`${value}\\b`).test(readme),
    );
    if (untold.length > 0) problems.push(`the README of ${name} does not name ${untold.join(', ')}`);
  }
  if (lines >= mostLines) problems.push(`core has ${lines} lines of code, and fewer than ${mostLines} is the rule`);
  return problems;
}

/** The names that an index re-exports and that are no types. @type {(index: string) => string[]} */
export function exportedValues(index) {
  return [...index.matchAll(/^export \{([^}]*)\}/gms)].flatMap(([, list = '']) =>
    list
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== '' && !name.startsWith('type ')),
  );
}

/** How many lines have more than comments on them. @type {(source: string) => number} */
export function codeLines(source) {
  const file = ts.createSourceFile('source.ts', source, ts.ScriptTarget.Latest, true);
  const lines = new Set();
  // Parsed, as a scanner alone takes the end of one template for the beginning of another, with comments in it.
  const count = (/** @type {ts.Node} */ node) => {
    if (ts.isJSDoc(node)) return;
    const parts = node.getChildren(file);
    for (const part of parts) count(part);
    if (parts.length > 0 || node.getWidth(file) === 0) return;
    const first = file.getLineAndCharacterOfPosition(node.getStart(file)).line;
    const last = file.getLineAndCharacterOfPosition(node.getEnd()).line;
    for (let line = first; line <= last; line++) lines.add(line);
  };
  count(file);
  return lines.size;
}
