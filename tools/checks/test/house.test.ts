import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { codeLines, exportedValues, findContractProblems } from '../contract.mjs';
import { findFolderProblems } from '../folders.mjs';
import { longCommentLines, longMarkdownLines } from '../lines.mjs';
import { workflowProblems } from '../workflows.mjs';

describe('folders', () => {
  const floors = { '@ts-micro/a': { '.': ['up'], up: ['.', 'down'], down: [] } };

  function problemsOf(
    files: Record<string, string>,
    large: Record<string, string> = {},
    table: object = floors,
  ): string[] {
    const root = mkdtempSync(join(tmpdir(), 'ts-micro-folders-'));
    onTestFinished(() => rmSync(root, { recursive: true }));
    const all = { 'packages/a/package.json': '{ "name": "@ts-micro/a" }', 'packages/a/src/index.ts': '', ...files };
    for (const [path, text] of Object.entries(all)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    return findFolderProblems(root, table as Parameters<typeof findFolderProblems>[1], large);
  }
  const both = { 'packages/a/src/up/a.ts': '', 'packages/a/src/down/deep/b.ts': '' };

  test.each([
    ['a folder imports what it may', { 'packages/a/src/up/a.ts': "import '../down/deep/b.ts'; import '../c.ts';" }, []],
    ['a folder inside of one belongs to it', { 'packages/a/src/down/c.ts': "import './deep/b.ts';" }, []],
    ['the index imports what it likes', { 'packages/a/src/index.ts': "export * from './down/deep/b.ts';" }, []],
    [
      'a folder imports none above it',
      { 'packages/a/src/down/deep/b.ts': "import type { A } from '../../up/a.ts';" },
      ['packages/a/src/down/deep/b.ts imports ../../up/a.ts: down may not import up'],
    ],
    [
      'the files beside the index have a floor too',
      { 'packages/a/src/c.ts': "import './down/deep/b.ts';" },
      ['packages/a/src/c.ts imports ./down/deep/b.ts: . may not import down'],
    ],
    [
      'a folder that nobody declared imports nothing',
      { 'packages/a/src/new/d.ts': "import '../up/a.ts';" },
      ['packages/a/src/new/d.ts: say in tools/checks/folders.mjs what its folder may import'],
    ],
  ])('%s', (_, files, problems) => {
    expect(problemsOf({ ...both, ...files })).toEqual(problems);
  });

  test('the tables say nothing of what does not exist', () => {
    expect(problemsOf({ 'packages/a/src/up/a.ts': '' })).toEqual([
      'packages/a/src/down is in tools/checks/folders.mjs, and does not exist',
    ]);
    expect(problemsOf(both, {}, { ...floors, '@ts-micro/b': {} })).toEqual([
      'tools/checks/folders.mjs names @ts-micro/b, which is no package',
    ]);
    expect(problemsOf(both, { 'packages/a/src/up': 'it is large' })).toEqual([
      'packages/a/src/up has 1 files and needs no exception in tools/checks/folders.mjs',
    ]);
  });

  test('a package with folders declares them', () => {
    expect(problemsOf(both, {}, {})).toEqual([
      'packages/a/src has folders: say in tools/checks/folders.mjs what they may import of each other',
    ]);
  });

  test('a folder has at most 15 files, or a reason, and a file at most 400 lines', () => {
    const many = Object.fromEntries(Array.from({ length: 16 }, (_, n) => [`packages/a/src/up/${n}.ts`, '']));
    const files = { 'packages/a/src/down/b.ts': '', ...many };
    expect(problemsOf(files)).toEqual(['packages/a/src/up has 16 files: cut it by idea, 15 is the most']);
    expect(problemsOf(files, { 'packages/a/src/up': 'one file for each case' })).toEqual([]);
    expect(problemsOf({ ...both, 'packages/a/src/up/a.ts': '//\n'.repeat(401) })).toEqual([
      'packages/a/src/up/a.ts has 401 lines, and 400 is the most',
    ]);
  });
});

describe('lines', () => {
  const wide = 'word '.repeat(25).trim();

  test('of Markdown end by column 120, unless they are a row, code, or one long word', () => {
    const markdown = [
      'short',
      wide,
      `| ${wide} |`,
      '```sh',
      wide,
      '```',
      `- ${'x'.repeat(130)}`,
      `- a ${'x'.repeat(130)}`,
    ];
    expect(longMarkdownLines(markdown.join('\n'))).toEqual([2, 8]);
  });

  test('of comments end by column 120, code and strings do not count', () => {
    const source = [
      `// ${wide}`,
      `/** ${wide} */`,
      `   * ${wide}`,
      `call('${wide}');`,
      `call(); // ${wide}`,
      '// short',
    ];
    expect(longCommentLines(source.join('\n'))).toEqual([1, 2, 3, 5]);
  });
});

describe('the contract', () => {
  test('counts the values of an index and not its types', () => {
    const index =
      "export { a, b } from './a.ts';\nexport type { C } from './c.ts';\nexport {\n  d,\n  type E,\n} from './d.ts';";
    expect(exportedValues(index)).toEqual(['a', 'b', 'd']);
  });

  test('counts lines that are more than comments', () => {
    expect(codeLines('/** a\n * b */\nconst a = `x\n// y`;\n\n// c\na; // d\n')).toBe(3);
    expect(codeLines('const a = `$'.concat('{b}`;\n\n/** c\n * d */\nconst e = `f`;\n'))).toBe(2);
  });
});

describe('workflows', () => {
  test('pin actions by commit and say their permissions', () => {
    const pinned = `permissions: {}\njobs:\n  a:\n    uses: ./.github/workflows/ci.yml\n  b:\n    - uses: a/b@${'0'.repeat(40)} # v1.2.3\n`;
    expect(workflowProblems('a.yml', pinned)).toEqual([]);
    expect(workflowProblems('a.yml', `uses: a/b@v1\nuses: a/b@${'0'.repeat(40)}\npermissions: write-all`)).toEqual([
      '.github/workflows/a.yml: a/b@v1 is not pinned as owner/name@<commit> # v1.2.3',
      `.github/workflows/a.yml: a/b@${'0'.repeat(40)} is not pinned as owner/name@<commit> # v1.2.3`,
      '.github/workflows/a.yml: it asks for all permissions',
    ]);
    expect(workflowProblems('a.yml', 'jobs: {}')).toEqual([
      '.github/workflows/a.yml: it does not say which permissions it needs',
    ]);
  });
});

test('core is the contract and no more, and the READMEs name what the packages export', async () => {
  expect(await findContractProblems(join(import.meta.dirname, '../../..'))).toEqual([]);
});
