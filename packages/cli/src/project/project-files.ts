import { createRequire } from 'node:module';

/** The files of a project by their paths, and what is in them. */
export type ProjectFiles = Readonly<Record<string, string>>;

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

const manifest: Manifest = createRequire(import.meta.url)('@ts-micro/cli/package.json');

/** Returns the range of versions that this program was made with, of each package named. */
export function ranges(...names: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(names.map((name) => [name, rangeOf(name)]));
}

function rangeOf(name: string): string {
  const range = manifest.dependencies[name] ?? manifest.devDependencies[name] ?? '';
  if (/^\d/.test(range)) return `^${range}`;
  // In the workspace of ts-micro itself nothing has a version yet.
  return range.startsWith('^') ? range : 'latest';
}

export function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

/** What every project has, whatever is in it. */
export function commonFiles(): ProjectFiles {
  return {
    '.github/workflows/ci.yml': workflow,
    '.gitignore': 'node_modules/\ndist/\n',
    'tsconfig.json': json({
      compilerOptions: {
        target: 'ES2022',
        lib: ['ES2023', 'ESNext.Disposable'],
        types: ['node'],
        module: 'NodeNext',
        strict: true,
        exactOptionalPropertyTypes: true,
        noUncheckedIndexedAccess: true,
        verbatimModuleSyntax: true,
        rewriteRelativeImportExtensions: true,
        declaration: true,
        skipLibCheck: true,
        noEmit: true,
      },
      include: ['src', 'test'],
    }),
    'tsconfig.build.json': json({
      extends: './tsconfig.json',
      compilerOptions: { noEmit: false, rootDir: 'src', outDir: 'dist' },
      include: ['src'],
    }),
  };
}

/** What every project's package.json has. */
export const commonManifest = {
  version: '0.1.0',
  type: 'module',
  engines: { node: '>=20.19' },
  scripts: { build: 'tsc -p tsconfig.build.json', types: 'tsc -p .', test: 'vitest run' },
} as const;

// Pinned by commits, as a tag can be moved.
const workflow = `name: ci
on:
  push:
    branches: [main]
  pull_request:
permissions:
  contents: read
jobs:
  test:
    runs-on: ubuntu-latest
    timeout-minutes: 10
    strategy:
      matrix:
        node: [20, 22, 24]
    steps:
      - uses: actions/checkout@11d5960a326750d5838078e36cf38b85af677262 # v4.4.0
        with:
          persist-credentials: false
      - uses: actions/setup-node@49933ea5288caeca8642d1e84afbd3f7d6820020 # v4.4.0
        with:
          node-version: \${{ matrix.node }}
      - run: npm ci
      - run: npm run types
      - run: npm test
      - run: npm run build
`;
