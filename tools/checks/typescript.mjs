import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { npmInstall, packAll, tarballsByName } from './pack.mjs';
import { run } from './program.mjs';

/** The compilers that users may have, the oldest and the newest among them. */
const compilers = ['5.6', '5.7', '5.8', '5.9', '6', 'latest'];
const resolutions = { node16: 'node16', nodenext: 'nodenext', bundler: 'esnext' };
const tests = 'packages/definition/test';

/**
 * Compiles the type tests of definitions, every wrong use among them, against the packed packages with each compiler
 * and module resolution; and every entry of every package without `skipLibCheck`. Everything is built before.
 *
 * @type {(root: string) => Promise<string[]>}
 */
export async function findTypeScriptProblems(root) {
  const folder = mkdtempSync(join(tmpdir(), 'ts-micro-typescript-'));
  try {
    await writeProject(root, folder);
    /** @type {string[]} */
    const problems = [];
    for (const compiler of compilers) {
      problems.push(...(await problemsBy(folder, compiler)));
    }
    return problems;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @type {(root: string, folder: string) => Promise<void>} */
async function writeProject(root, folder) {
  const packed = await packAll(root, folder);
  const tarballs = tarballsByName(packed);
  const { devDependencies } = JSON.parse(readFileSync(join(root, 'packages/definition/package.json'), 'utf8'));
  const catalog = readFileSync(join(root, 'pnpm-workspace.yaml'), 'utf8');
  /** @type {(name: string) => string} */
  const versionOf = (name) => {
    const named = devDependencies[name];
    const version = named === 'catalog:' ? new RegExp(`^  "?${name}"?: (.+)$`, 'm').exec(catalog)?.[1] : named;
    if (version === undefined) throw new Error(`packages/definition does not depend on ${name}`);
    return version;
  };
  const validators = ['@valibot/to-json-schema', 'arktype', 'effect', 'valibot', 'zod'];
  const dependencies = {
    ...tarballs,
    ...Object.fromEntries([...validators, '@types/node'].map((name) => [name, versionOf(name)])),
    ...Object.fromEntries(compilers.map((version) => [aliasOf(version), `npm:typescript@${version}`])),
    'expect-type': '^1',
  };
  const manifest = { private: true, type: 'module', dependencies, overrides: tarballs };
  /** @type {(file: string, text: string) => void} */
  const write = (file, text) => writeFileSync(join(folder, file), text);
  write('package.json', JSON.stringify(manifest));
  for (const file of ['definitions.ts', 'types.test.ts']) {
    const text = readFileSync(join(root, tests, file), 'utf8')
      .replaceAll("'../src/index.ts'", "'@ts-micro/definition'")
      .replaceAll("'./definitions.ts'", "'./definitions.js'")
      .replace(
        /import \{.*\} from 'vitest';/,
        "import { expectTypeOf } from 'expect-type';\nimport { describe, it } from './runner.js';",
      );
    write(file, text);
  }
  write(
    'runner.ts',
    'export function describe(_: string, run: () => void): void { run(); }\nexport const it = describe;\n',
  );
  const entries = packed.flatMap(({ name, manifest: { exports } }) =>
    Object.entries(exports)
      .filter(([, to]) => typeof to === 'object')
      .map(([entry]) => name + entry.slice(1)),
  );
  write('entries.ts', entries.map((entry, n) => `export * as entry${n} from '${entry}';\n`).join(''));
  for (const [moduleResolution, module] of Object.entries(resolutions)) {
    for (const [files, skipLibCheck] of /** @type {const} */ ([
      [['types.test.ts'], true],
      [['entries.ts'], false],
    ])) {
      const compilerOptions = {
        target: 'es2022',
        lib: ['es2023', 'esnext.disposable', 'dom'],
        module,
        moduleResolution,
        types: ['node'],
        strict: true,
        skipLibCheck,
        noEmit: true,
      };
      write(`${moduleResolution}.${files[0]}.json`, JSON.stringify({ compilerOptions, files }));
    }
  }
  await npmInstall(folder);
}

/** @type {(cwd: string, compiler: string) => Promise<string[]>} */
async function problemsBy(cwd, compiler) {
  const program = join(cwd, 'node_modules', aliasOf(compiler), 'bin/tsc');
  const { output: version } = await run(process.execPath, [program, '--version'], { cwd });
  /** @type {(moduleResolution: string, file: string) => Promise<string[]>} */
  const problemsOf = async (moduleResolution, file) => {
    const project = `${moduleResolution}.${file}.json`;
    const { ok, output } = await run(process.execPath, [program, '-p', project, '--pretty', 'false'], { cwd });
    // Others' declarations are theirs: @bufbuild/protobuf's want TypeScript 5.7, or skipLibCheck.
    const ours = output.split('\n').filter((line) => !/^node_modules\/(?!@ts-micro\/)/.test(line));
    const isFine = ok || ours.join('').trim() === '';
    return isFine ? [] : [`${version.trim()}, ${moduleResolution}, ${file}:\n${ours.join('\n')}`];
  };
  /** @type {string[]} */
  const problems = [];
  for (const moduleResolution of Object.keys(resolutions)) {
    const files = ['types.test.ts', 'entries.ts'];
    const found = await Promise.all(files.map((file) => problemsOf(moduleResolution, file)));
    problems.push(...found.flat());
  }
  console.log(`  ${version.trim()}: ${problems.length === 0 ? 'ok' : `${problems.length} problems`}`);
  return problems;
}

/** @type {(version: string) => string} */
function aliasOf(version) {
  return `typescript-${version.replace('.', '-')}`;
}
