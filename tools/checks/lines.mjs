import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './program.mjs';

const widest = 120;

/**
 * The lines of Markdown and of comments that end after column 120, as `file:line`. A table's row, a block of code, and
 * a word that is longer than any line are as long as they must be.
 *
 * @type {(root: string) => Promise<string[]>}
 */
export async function findLineProblems(root) {
  const { ok, output } = await run('git', ['ls-files', '*.md', '*.ts', '*.mjs', '*.mts'], { cwd: root });
  if (!ok) throw new Error(`git ls-files failed:\n${output}`);
  return output
    .split('\n')
    .filter((file) => !file.endsWith('CHANGELOG.md') && !file.startsWith('.changeset/'))
    .flatMap((file) => {
      const text = readFileSync(join(root, file), 'utf8');
      const found = file.endsWith('.md') ? longMarkdownLines(text) : longCommentLines(text);
      return found.map((line) => `${file}:${line}: ends after column ${widest}`);
    });
}

/** @type {(markdown: string) => number[]} */
export function longMarkdownLines(markdown) {
  let isCode = false;
  return numbersOf(markdown, (line) => {
    if (/^\s*(```|~~~)/.test(line)) isCode = !isCode;
    return !isCode && !/^\s*\|/.test(line) && isTooLong(line);
  });
}

/** @type {(source: string) => number[]} */
export function longCommentLines(source) {
  return numbersOf(source, (line) => /^\s*(\/\/|\/\*|\*)|[;,{})\]] \/\/ /.test(line) && isTooLong(line));
}

/** @type {(text: string, isBad: (line: string) => boolean) => number[]} */
function numbersOf(text, isBad) {
  return text.split('\n').flatMap((line, index) => (isBad(line) ? [index + 1] : []));
}

/** Where a line could be broken before the column. @type {(line: string) => boolean} */
function isTooLong(line) {
  if ([...line].length <= widest) return false;
  const [, start = '', rest = ''] = /^(\s*(?:\/\/|\/\*\*?|\*|[-*]|\d+\.|>)?\s*)(.*)$/s.exec(line) ?? [];
  return [...start].length + [...rest].indexOf(' ') <= widest && rest.includes(' ');
}
