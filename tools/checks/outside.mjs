import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { run } from './program.mjs';
import { snippetsOf } from './snippets.mjs';
import { listWorkspaces } from './workspaces.mjs';

const withinMs = 300_000;
// Servers of other systems take their time to start.
const packedWithinMs = 900_000;
const guide = 'docs/write-a-plugin.md';
const guideNeeds = ['@ts-micro/core', '@ts-micro/kit', '@ts-micro/testkit', '@types/node', 'typescript', 'vitest'];
const plugins = ['examples/plugin-redis-broker', 'examples/plugin-redis-registry', 'examples/plugin-mqtt-broker'];
/** What its tarballs are made of. */
export const outsidePackages = [
  '@ts-micro/core',
  '@ts-micro/kit',
  '@ts-micro/testkit',
  '@ts-micro-examples/redis-server',
];

/**
 * Goes the way of a plugin's author, who has only what npm gives them: in plain npm projects outside of the workspace,
 * with packed tarballs, the plugin of the guide and those of the examples are compiled and keep their contracts.
 * Everything is built before.
 *
 * @type {(root: string) => Promise<string[]>}
 */
export async function findOutsideProblems(root) {
  return inProjects(root, outsidePackages, async (attempt) => {
    await attempt(guide, guideNeeds, (project) => writeSnippets(root, project));
    for (const plugin of plugins) {
      await attempt(plugin, needsOf(root, plugin), (project) => {
        for (const part of ['src', 'test']) cpSync(join(root, plugin, part), join(project, part), { recursive: true });
      });
    }
  });
}

/**
 * Runs the tests of some of our packages as somebody does who has installed them: outside of the workspace, on their
 * tarballs. Everything is built before.
 *
 * @type {(root: string, folders: readonly string[], needed: readonly string[]) => Promise<string[]>}
 */
export async function findPackedProblems(root, folders, needed) {
  const names = folders.map((folder) => JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')).name);
  return inProjects(
    root,
    [...outsidePackages, ...needed, ...names],
    async (attempt) => {
      for (const [index, folder] of folders.entries()) {
        const name = names[index] ?? '';
        await attempt(folder, [name, ...needsOf(root, folder)], (project) => {
          cpSync(join(root, folder, 'test'), join(project, 'test'), { recursive: true });
          for (const file of readdirSync(join(project, 'test'))) pointAtPackage(join(project, 'test', file), name);
        });
      }
    },
    packedWithinMs,
  );
}

/** Has a test take from the package what it takes from its source. @type {(file: string, name: string) => void} */
function pointAtPackage(file, name) {
  const text = readFileSync(file, 'utf8').replaceAll(/'\.\.\/src\/(\w+)\.ts'/g, (_, entry) =>
    entry === 'index' ? `'${name}'` : `'${name}/${entry}'`,
  );
  writeFileSync(file, text);
}

/** @type {(root: string, folder: string) => string[]} */
function needsOf(root, folder) {
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
  return Object.keys({ ...dependencies, ...devDependencies });
}

/** @typedef {(name: string, needs: readonly string[], write: (project: string) => void) => Promise<void>} Attempt */

/**
 * Has projects made of tarballs, and returns what went wrong in them.
 *
 * @type {(root: string, packages: readonly string[], work: (attempt: Attempt) => Promise<void>, boundMs?: number) =>
 * Promise<string[]>}
 */
async function inProjects(root, packages, work, boundMs = withinMs) {
  const folder = mkdtempSync(join(tmpdir(), 'ts-micro-outside-'));
  try {
    const tarballs = await pack(root, folder, packages);
    /** @type {string[]} */
    const problems = [];
    await work(async (name, needs, write) => {
      const project = join(folder, name.replaceAll(/\W/g, '-'));
      mkdirSync(project);
      write(project);
      writeManifest(root, project, needs, tarballs);
      const problem = await tryOut(project, boundMs);
      if (problem) problems.push(`${name}: ${problem}`);
    });
    return problems;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Packs what a plugin needs; by name, the tarballs.
 *
 * @type {(root: string, folder: string, packages: readonly string[]) => Promise<Record<string, string>>}
 */
async function pack(root, folder, packages) {
  const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const filters = packages.flatMap((name) => ['--filter', name]);
  const parameters = [
    '--yes',
    '--prefer-offline',
    packageManager,
    '--recursive',
    ...filters,
    'pack',
    '--pack-destination',
    folder,
  ];
  const { ok, output } = await run('npx', parameters, { cwd: root });
  if (!ok) throw new Error(`pnpm pack failed:\n${output}`);
  const versions = new Map(listWorkspaces(root).map(({ name, manifest }) => [name, manifest.version]));
  return Object.fromEntries(
    packages.map((name) => [
      name,
      `file:${join(folder, `${name.slice(1).replace('/', '-')}-${versions.get(name)}.tgz`)}`,
    ]),
  );
}

/** The blocks of the guide that have a file's name. @type {(root: string, project: string) => void} */
function writeSnippets(root, project) {
  for (const { file, code } of snippetsOf(readFileSync(join(root, guide), 'utf8'))) {
    if (!file.includes('/')) continue;
    mkdirSync(dirname(join(project, file)), { recursive: true });
    writeFileSync(join(project, file), code);
  }
}

/** @type {(root: string, project: string, needs: readonly string[], tarballs: Record<string, string>) => void} */
function writeManifest(root, project, needs, tarballs) {
  const catalog = readFileSync(join(root, 'pnpm-workspace.yaml'), 'utf8');
  const dependencies = Object.fromEntries(
    needs.map((name) => [name, tarballs[name] ?? new RegExp(`^  "?${name}"?: (.+)$`, 'm').exec(catalog)?.[1] ?? '*']),
  );
  // Siblings are not published yet, so npm is told to take their tarballs too.
  const manifest = { private: true, type: 'module', dependencies, overrides: tarballs };
  writeFileSync(join(project, 'package.json'), JSON.stringify(manifest));
  const compilerOptions = {
    target: 'es2022',
    lib: ['es2023', 'esnext.disposable'],
    module: 'nodenext',
    types: ['node'],
    strict: true,
    exactOptionalPropertyTypes: true,
    allowImportingTsExtensions: true,
    noEmit: true,
    skipLibCheck: true,
  };
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['src', 'test'] }));
}

/**
 * Installs, compiles and tests; what went wrong, or nothing after printing the contract's last line.
 *
 * @type {(project: string, withinMs: number) => Promise<string | undefined>}
 */
async function tryOut(project, withinMs) {
  const install = ['install', '--prefer-offline', '--no-audit', '--no-fund', '--no-package-lock'];
  const installed = await run('npm', install, { cwd: project });
  if (!installed.ok) return `npm install failed:\n${installed.output}`;
  const compiled = await run(process.execPath, [join(project, 'node_modules/typescript/bin/tsc'), '-p', '.'], {
    cwd: project,
  });
  if (!compiled.ok) return `it does not compile:\n${compiled.output}`;
  const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--root', '.', '--testTimeout=20000'];
  const tested = await run(process.execPath, vitest, {
    cwd: project,
    env: { ...process.env, NO_COLOR: '1' },
    withinMs,
  });
  if (!tested.ok) return `its tests fail:\n${tested.output}`;
  for (const line of tested.output.match(/^.*\bcontract: .*$/gm) ?? []) console.log(`  ${basename(project)}: ${line}`);
  return undefined;
}
