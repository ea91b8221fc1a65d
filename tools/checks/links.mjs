import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { run } from './program.mjs';

const home = 'https://github.com/ts-micro/ts-micro';
/** What an installed package can point at: a file or a folder of the repository by its URL. */
const ofHome = /https:\/\/github\.com\/ts-micro\/ts-micro\/(?:blob|tree)\/main\/([^\s)'"`#>]+)(#[^\s)'"`>]+)?/g;

/**
 * Links to what is not there: of Markdown files to files of the repository and their headings, and of every file to
 * the repository by its URL, as packages do once they are installed.
 *
 * @type {(root: string) => Promise<string[]>}
 */
export async function findLinkProblems(root) {
  const { ok, output } = await run('git', ['ls-files', '*.md', '*.ts', '*.mjs', '*.json'], { cwd: root });
  if (!ok) throw new Error(`git ls-files failed:\n${output}`);
  const files = output.split('\n');
  return files
    .filter((file) => file !== '' && !file.endsWith('CHANGELOG.md') && !file.startsWith('tools/checks/'))
    .flatMap((file) => {
      // What was decided or changed names what was there then.
      const isHistory = /^(docs\/decisions|\.changeset)\//.test(file);
      const text = readFileSync(join(root, file), 'utf8');
      const read = (/** @type {string} */ path) => readTarget(join(root, path));
      return [
        ...(file.endsWith('.md') ? brokenLinks(file, text, read) : []),
        ...(file.endsWith('.md') && !isHistory ? brokenNames(file, text, files) : []),
        ...brokenUrls(file, text, read),
      ];
    });
}

/**
 * The text of a Markdown file, an empty one of anything else that is there, or `undefined`.
 *
 * @typedef {(path: string) => string | undefined} Read
 */

/** Of relative links and those within the page. @type {(file: string, markdown: string, read: Read) => string[]} */
export function brokenLinks(file, markdown, read) {
  return targetsOf(markdown).flatMap((target) => {
    if (/^(https?:|mailto:)/.test(target)) return [];
    const [path = '', anchor] = target.split('#');
    const page = path === '' ? markdown : read(normalize(join(dirname(file), path)));
    return problemOf(file, target, page, anchor);
  });
}

/**
 * Of tests that prose names as code, by path or, after another one, by name alone; `*` stands for one folder.
 *
 * @type {(file: string, markdown: string, files: readonly string[]) => string[]}
 */
export function brokenNames(file, markdown, files) {
  const names = [...withoutCode(markdown).matchAll(/`([\w.*/-]+\.test\.ts)`/g)].map(([, name = '']) => name);
  return names
    .filter((name) => {
      const pattern = new RegExp(`(^|/)${name.replaceAll('.', '\\.').replaceAll('*', '[^/]+')}$`);
      return !files.some((each) => pattern.test(each));
    })
    .map((name) => `${file}: names ${name}, which is not there`);
}

/** Of URLs that name a file of the repository. @type {(file: string, text: string, read: Read) => string[]} */
export function brokenUrls(file, text, read) {
  return [...text.matchAll(ofHome)]
    .filter(([, path = '']) => !path.includes('${'))
    .flatMap(([, path = '', anchor = '']) => {
      const target = path.replace(/[.,;:]$/, '');
      return problemOf(file, `${home}/…/${target}${anchor}`, read(target), anchor.slice(1));
    });
}

/** @type {(file: string, target: string, page: string | undefined, anchor: string | undefined) => string[]} */
function problemOf(file, target, page, anchor) {
  if (page === undefined) return [`${file}: links to ${target}, which is not there`];
  if (!anchor || page === '' || anchorsOf(page).includes(anchor)) return [];
  return [`${file}: links to ${target}, and there is no such heading`];
}

/** @type {(path: string) => string | undefined} */
function readTarget(path) {
  if (!existsSync(path)) return undefined;
  return statSync(path).isFile() && path.endsWith('.md') ? readFileSync(path, 'utf8') : '';
}

/** What a page links to, but for code. @type {(markdown: string) => string[]} */
function targetsOf(markdown) {
  const text = withoutCode(markdown).replaceAll(/`[^`]*`/g, '');
  const inline = [...text.matchAll(/\]\(([^()\s]+)(?: "[^"]*")?\)/g)];
  const named = [...text.matchAll(/^\[[^\]]+\]: *(\S+)/gm)];
  return [...inline, ...named].map(([, target = '']) => target);
}

/** As GitHub makes them of headings. @type {(markdown: string) => string[]} */
function anchorsOf(markdown) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  return [...withoutCode(markdown).matchAll(/^#{1,6} +(.+?) *#*$/gm)].map(([, heading = '']) => {
    const plain = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const anchor = plain.replaceAll(/[^\p{L}\p{N}\s_-]/gu, '').replaceAll(/\s/g, '-');
    const count = counts.get(anchor) ?? 0;
    counts.set(anchor, count + 1);
    return count === 0 ? anchor : `${anchor}-${count}`;
  });
}

/** @type {(markdown: string) => string} */
function withoutCode(markdown) {
  return markdown.replaceAll(/^( *)(```+|~~~+)[^\n]*\n[\s\S]*?^\1\2 *$/gm, '');
}
