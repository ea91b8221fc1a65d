import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { npmInstall, packAll, tarballsByName } from './pack.mjs';
import { run } from './program.mjs';

const interfaces = ['broker', 'registry', 'transport'];
const runsWithinMs = 60_000;
const onMemory = ['--transport=memory', '--broker=memory', '--registry=memory'];

/**
 * Writes projects with `ts-micro new` as it is published, outside of the workspace, and uses them: a service compiles,
 * passes its test, is built and runs; a plugin compiles and is built, and its contract is red until it is written.
 * Everything is built before.
 *
 * @type {(root: string) => Promise<string[]>}
 */
export async function findGeneratedProblems(root) {
  const folder = mkdtempSync(join(tmpdir(), 'ts-micro-generated-'));
  try {
    const tarballs = tarballsByName(await packAll(root, folder));
    const program = await installProgram(folder, tarballs);
    /** @type {string[]} */
    const problems = [];
    /** @type {(name: string, words: string[], use: (project: string) => Promise<string[]>) => Promise<void>} */
    const attempt = async (name, words, use) => {
      const made = await run(process.execPath, [program, 'new', ...words, '--out', name], { cwd: folder });
      const found = made.ok ? await usedProblems(join(folder, name), tarballs, use) : [made.output];
      problems.push(...found.map((problem) => `ts-micro new ${words.join(' ')}: ${problem}`));
    };
    await attempt('service', ['service', 'price-list'], serviceProblems);
    for (const each of interfaces) await attempt(each, ['plugin', 'my-bus', '--interface', each], pluginProblems);
    return problems;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @type {(folder: string, tarballs: Record<string, string>) => Promise<string>} */
async function installProgram(folder, tarballs) {
  const project = join(folder, 'program');
  mkdirSync(project);
  const dependencies = { '@ts-micro/cli': tarballs['@ts-micro/cli'] };
  writeFileSync(join(project, 'package.json'), JSON.stringify({ private: true, dependencies, overrides: tarballs }));
  await npmInstall(project);
  return join(project, 'node_modules/@ts-micro/cli/dist/main.js');
}

/**
 * @type {(project: string, tarballs: Record<string, string>, use: (project: string) => Promise<string[]>) =>
 * Promise<string[]>}
 */
async function usedProblems(project, tarballs, use) {
  const manifest = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'));
  const loose = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies }).filter(
    ([, range]) => !/^\^\d/.test(range),
  );
  if (loose.length > 0) return [`its package.json wants ${loose.map((entry) => entry.join(' ')).join(', ')}`];
  for (const names of [manifest.dependencies, manifest.devDependencies])
    for (const name of Object.keys(names)) names[name] = tarballs[name] ?? names[name];
  // They are not published yet.
  writeFileSync(join(project, 'package.json'), JSON.stringify({ ...manifest, overrides: tarballs }));
  await npmInstall(project);
  for (const script of ['types', 'build']) {
    const { ok, output } = await npmRun(project, script);
    if (!ok) return [`npm run ${script} fails:\n${output}`];
  }
  return use(project);
}

/** @type {(project: string) => Promise<string[]>} */
async function serviceProblems(project) {
  const { ok, output } = await npmRun(project, 'test');
  if (!ok) return [`its test fails:\n${output}`];
  const said = await runsUntilTold(project);
  return said === undefined ? [] : [`it does not run and stop:\n${said}`];
}

/** @type {(project: string) => Promise<string[]>} */
async function pluginProblems(project) {
  const { ok, output } = await npmRun(project, 'test');
  if (ok) return ['its contract is green though nothing is written'];
  return output.includes('is not written yet') ? [] : [`its contract does not say what is missing:\n${output}`];
}

/** @type {(project: string, script: string) => ReturnType<typeof run>} */
function npmRun(project, script) {
  return run('npm', ['run', script], { cwd: project, env: { ...process.env, NO_COLOR: '1' } });
}

/**
 * What it said, unless it ran and stopped by SIGTERM as it should.
 *
 * @type {(cwd: string) => Promise<string | undefined>}
 */
function runsUntilTold(cwd) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['dist/main.js', ...onMemory], { cwd, timeout: runsWithinMs });
    let said = '';
    child.stdout.on('data', (text) => {
      said += text;
    });
    child.stderr.on('data', (text) => {
      said += text;
      if (String(text).includes('running')) child.kill('SIGTERM');
    });
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code) =>
      resolve(code === 0 && said.includes('stopped') ? undefined : `${said}\nexit ${code}`),
    );
  });
}
