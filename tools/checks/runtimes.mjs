import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { startNatsServer } from '@ts-micro/testkit/nats';
import { npmInstall, packAll, tarballsByName } from './pack.mjs';
import { run } from './program.mjs';

const page = 'docs/toolchains.md';
const said = 'Hello John 3145728 1,2,3 hi';
const withinMs = 120_000;

/** What each runtime is run by. @type {Record<string, string[]>} */
const runtimes = {
  'this Node': [process.execPath],
  'Node 20.19': ['npx', '--yes', '--prefer-offline', 'node@20.19.0'],
  'Node 22': ['npx', '--yes', '--prefer-offline', 'node@22'],
  'Node 24': ['npx', '--yes', '--prefer-offline', 'node@24'],
  'Node 26': ['npx', '--yes', '--prefer-offline', 'node@26'],
  Bun: ['npx', '--yes', '--prefer-offline', 'bun@1.4.5'],
  Deno: ['npx', '--yes', '--prefer-offline', 'deno@2.9.6', 'run', '--allow-all'],
};

/** What else the page's programs need. */
const tools = {
  '@babel/core': '^7',
  '@babel/plugin-transform-modules-commonjs': '^7',
  '@types/node': '^20',
  esbuild: '*',
  jest: '^30',
  typescript: '~5.9',
};

/**
 * The programs of docs/toolchains.md that do not run on what it names. Everything is built before. @type {(root:
 * string) => Promise<string[]>}
 */
export async function findRuntimeProblems(root) {
  const folder = mkdtempSync(join(tmpdir(), 'ts-micro-runtimes-'));
  const server = await startNatsServer();
  try {
    await install(root, folder);
    return await problemsIn(folder, { ...process.env, NATS_URL: server.address, NO_COLOR: '1' });
  } finally {
    await server[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @type {(root: string, folder: string) => Promise<void>} */
async function install(root, folder) {
  const tarballs = tarballsByName(await packAll(root, folder));
  const manifest = { private: true, dependencies: { ...tarballs, ...tools }, overrides: tarballs };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  for (const [, file = '', code = ''] of readFileSync(join(root, page), 'utf8').matchAll(programRule)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), code);
  }
  await npmInstall(folder);
}

const programRule = /^```(?:js|cts) +(\S+) *\n(.*?)^```/gms;

/** @type {(cwd: string, env: NodeJS.ProcessEnv) => Promise<string[]>} */
async function problemsIn(cwd, env) {
  /** @type {string[]} */
  const problems = [];
  /** @type {(what: string, command: string[], expected: string) => Promise<void>} */
  const attempt = async (what, [program = '', ...parameters], expected) => {
    const { ok, output } = await run(program, parameters, { cwd, env, withinMs });
    if (!ok || !output.includes(expected)) problems.push(`${page}: ${what} does not say "${expected}":\n${output}`);
  };
  const node = process.execPath;
  const bin = (/** @type {string} */ path) => join(cwd, 'node_modules', path);
  for (const [what, command] of Object.entries(runtimes)) await attempt(what, [...command, 'smoke.mjs'], said);
  await attempt('CommonJS', [node, 'app.cjs'], 'Hello John');

  const compile = [
    '--module',
    'nodenext',
    '--target',
    'es2022',
    '--lib',
    'es2023,esnext.disposable',
    '--strict',
    'app.cts',
  ];
  await attempt('the compiler for CommonJS', [node, bin('typescript/bin/tsc'), ...compile], '');
  await attempt('TypeScript for CommonJS', [node, 'app.cjs'], 'true');
  const older = compile.map((parameter) => (parameter === 'nodenext' ? 'node16' : parameter));
  const refused = await run(node, [bin('typescript/bin/tsc'), '--noEmit', ...older], { cwd, env });
  if (!refused.output.includes('TS1479')) problems.push(`${page}: node16 is no TS1479 any more:\n${refused.output}`);

  const jest = bin('jest/bin/jest.js');
  await attempt(
    'Jest',
    [node, '--experimental-vm-modules', jest, '--config', 'jest/jest.config.mjs', '--ci'],
    '1 passed, 1 total',
  );
  await attempt('Jest with Babel', [node, jest, '--config', 'jest-cjs/jest.config.cjs', '--ci'], '1 passed, 1 total');

  await attempt('esbuild', [node, 'bundle.config.mjs'], '');
  await attempt('the bundle', [node, 'bundle.mjs'], said);
  return problems;
}
