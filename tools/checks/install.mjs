import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startNatsServer } from '@ts-micro/testkit/nats';
import ts from 'typescript';
import { importsOf, packageOf } from './imports.mjs';
import { run } from './program.mjs';
import { snippetsOf } from './snippets.mjs';

/** @typedef {import('./pack.mjs').Packed} Packed */

const withinMs = 60_000;

/**
 * Installs one tarball into a plain npm project outside of the workspace, and uses it as its users do: the README's
 * first snippet runs, every entry loads by `import` and by `require()`, and TypeScript understands both under nodenext
 * and bundler.
 *
 * @type {(root: string, folder: string, packed: Packed, all: readonly Packed[]) => Promise<string[]>}
 */
export async function findInstallProblems(root, folder, packed, all) {
  const project = join(folder, packed.name.replace('/', '-').slice(1));
  mkdirSync(project);
  const [snippet] = snippetsOf(readFileSync(join(root, packed.folder, 'README.md'), 'utf8'));
  if (!snippet) return ['its README.md has no TypeScript block'];

  const entries = Object.keys(packed.manifest.exports)
    .filter((entry) => entry !== './package.json')
    .map((entry) => packed.name + entry.slice(1));
  const isTest = importsOf(snippet.code).includes('vitest') || snippet.code.includes('/vitest');
  writeProject(project, snippet.code, isTest, entries);

  const wanted = new Set([packed.name, ...Object.keys(packed.manifest.peerDependencies ?? {})]);
  for (const specifier of importsOf(snippet.code)) if (!/^(\.|node:)/.test(specifier)) wanted.add(packageOf(specifier));
  writeManifest(root, project, [...wanted], all);
  const install = ['install', '--prefer-offline', '--no-audit', '--no-fund', '--no-package-lock'];
  const installed = await run('npm', install, { cwd: project });
  if (!installed.ok) return [`npm install failed:\n${installed.output}`];

  return [
    ...(await loadProblems(project)),
    ...(await typeProblems(root, project)),
    ...(await snippetProblems(project, isTest)),
  ];
}

/** @type {(root: string, project: string, wanted: string[], all: readonly Packed[]) => void} */
function writeManifest(root, project, wanted, all) {
  const tarballs = Object.fromEntries(all.map(({ name, tarball }) => [name, `file:${tarball}`]));
  const catalog = readFileSync(join(root, 'pnpm-workspace.yaml'), 'utf8');
  const dependencies = Object.fromEntries(
    wanted.map((name) => [name, tarballs[name] ?? new RegExp(`^  "?${name}"?: (.+)$`, 'm').exec(catalog)?.[1] ?? '*']),
  );
  // Siblings are not published yet, so npm is told to take their tarballs too.
  writeFileSync(join(project, 'package.json'), JSON.stringify({ private: true, dependencies, overrides: tarballs }));
}

/** @type {(project: string, code: string, isTest: boolean, entries: string[]) => void} */
function writeProject(project, code, isTest, entries) {
  /** @type {(file: string, text: string) => void} */
  const write = (file, text) => writeFileSync(join(project, file), text);
  write('snippet.mts', code);
  write('entries.mts', entries.map((entry, n) => `export * as entry${n} from '${entry}';\n`).join(''));
  const { outputText } = ts.transpileModule(code, {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
  });
  write(isTest ? 'snippet.test.mjs' : 'snippet.mjs', outputText);
  write(
    'load.cjs',
    `const same = (a, b) => Object.keys(b).every((name) => a[name] === b[name]);
    (async () => {
      for (const entry of ${JSON.stringify(entries)}) {
        const required = require(entry);
        if (!same(required, await import(entry))) throw new Error(entry + ' is not the same by require() and import');
      }
    })();`,
  );
  for (const [name, module] of [
    ['nodenext', 'nodenext'],
    ['bundler', 'esnext'],
  ]) {
    const compilerOptions = {
      target: 'es2022',
      lib: ['es2023', 'esnext.disposable'],
      module,
      moduleResolution: name,
      types: ['node'],
      strict: true,
      exactOptionalPropertyTypes: true,
      noEmit: true,
    };
    write(`tsconfig.${name}.json`, JSON.stringify({ compilerOptions, files: ['snippet.mts', 'entries.mts'] }));
  }
  write(
    'nats-port.mjs',
    `import { Socket } from 'node:net';
    const { connect } = Socket.prototype;
    Socket.prototype.connect = function (...parameters) {
      const [options] = parameters.flat();
      if (Number(options?.port) === 4222) options.port = Number(process.env.NATS_PORT);
      return connect.apply(this, parameters);
    };`,
  );
}

/** @type {(project: string) => Promise<string[]>} */
async function loadProblems(project) {
  const { ok, output } = await run(process.execPath, ['load.cjs'], { cwd: project, withinMs });
  return ok ? [] : [`it does not load:\n${output}`];
}

/** @type {(root: string, project: string) => Promise<string[]>} */
async function typeProblems(root, project) {
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const roots = ['--typeRoots', join(root, 'node_modules/@types'), '--pretty', 'false'];
  /** @type {string[]} */
  const problems = [];
  for (const name of ['nodenext', 'bundler']) {
    const parameters = [compiler, '-p', `tsconfig.${name}.json`, ...roots];
    const { ok, output } = await run(process.execPath, parameters, { cwd: project });
    if (!ok) problems.push(`its types do not work under ${name}:\n${output}`);
  }
  return problems;
}

/**
 * Runs the README's snippet against a nats-server of its own, wherever it believes that to be. @type {(project: string,
 * isTest: boolean) => Promise<string[]>}
 */
async function snippetProblems(project, isTest) {
  const server = await startNatsServer({ jetstream: true });
  try {
    const env = { ...process.env, NATS_PORT: String(server.port) };
    const parameters = isTest
      ? ['node_modules/vitest/vitest.mjs', 'run', '--root', '.']
      : ['--import', './nats-port.mjs', 'snippet.mjs'];
    const { ok, output } = await run(process.execPath, parameters, { cwd: project, env, withinMs });
    return ok ? [] : [`the snippet of its README.md does not run:\n${output}`];
  } finally {
    await server[Symbol.asyncDispose]();
  }
}
