import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from './program.mjs';

// Inside this workspace, from where every package of the repository can be imported.
const folder = fileURLToPath(new URL('.snippets/', import.meta.url));

/**
 * A TypeScript block of a Markdown file.
 *
 * @typedef {object} Snippet
 * @property {number} line The line its code begins on.
 * @property {string} code
 * @property {string} file Its name where the block has one (` ```ts src/broker.ts `), so that others can import it.
 */

/** @type {(markdown: string) => Snippet[]} */
export function snippetsOf(markdown) {
  return [...markdown.matchAll(/^```(?:ts|typescript)(?: +(\S+))? *\n(.*?)^```/gms)].map((match) => {
    const line = markdown.slice(0, match.index).split('\n').length + 1;
    return { line, code: match[2] ?? '', file: match[1] ?? `line-${line}.ts` };
  });
}

/** The TypeScript blocks of all Markdown files that do not compile. @type {(root: string) => Promise<string[]>} */
export async function findSnippetProblems(root) {
  rmSync(folder, { recursive: true, force: true });
  /** @type {Map<string, string>} */
  const origins = new Map();
  for (const markdown of markdownFiles(root)) {
    for (const { line, code, file } of snippetsOf(readFileSync(join(root, markdown), 'utf8'))) {
      const path = join(folder, markdown.replaceAll(/[\\/]/g, '_'), file);
      mkdirSync(dirname(path), { recursive: true });
      // As many empty lines in front as make the compiler's line numbers those of the Markdown file.
      writeFileSync(path, '\n'.repeat(line - 1) + code);
      origins.set(path, markdown);
    }
  }
  const config = {
    extends: '../../../tsconfig.base.json',
    compilerOptions: {
      moduleDetection: 'force',
      noUnusedLocals: false,
      noUnusedParameters: false,
      isolatedDeclarations: false,
      declaration: false,
    },
    files: [...origins.keys()],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const { ok, output } = await run(process.execPath, [compiler, '-p', folder, '--pretty', 'false'], { cwd: root });
  if (ok) return [];
  return output.split('\n').map((line) => {
    const [, path = '', rest = ''] = /^(.+?)(\(.*)$/.exec(line) ?? [];
    const origin = origins.get(join(root, path));
    return origin ? `${origin}${rest}` : line;
  });
}

/** @type {(root: string) => string[]} */
function markdownFiles(root) {
  const tops = readdirSync(root).filter((name) => name.endsWith('.md'));
  const folders = ['packages', 'examples', 'tools', 'docs'].filter((top) => existsSync(join(root, top)));
  const nested = folders.flatMap((top) =>
    readdirSync(join(root, top), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.md') && !/(^|[\\/])(node_modules|CHANGELOG\.md)/.test(name))
      .map((name) => join(top, name)),
  );
  return [...tops, ...nested].sort();
}
