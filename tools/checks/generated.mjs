import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { npmInstall, packAll, tarballsByName } from './pack.mjs';
import { run } from './program.mjs';
import { workflowProblems } from './workflows.mjs';

const interfaces = ['broker', 'registry', 'transport'];
const runsWithinMs = 60_000;
const env = { ...process.env, NO_COLOR: '1' };
const onMemory = ['--transport=memory', '--broker=memory', '--registry=memory'];

/**
 * Writes projects with `ts-micro new` as it is published, outside of the workspace, and uses them: a service compiles,
 * passes its test, is built and runs; a plugin compiles and is built, and its contract, report and badge are red until
 * it is written; what the workflow of either does can be done.
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
  return [...(await workflowRuns(project)), ...(await use(project))];
}

/**
 * Does what its workflow does with what is installed, but for its tests, which are red in a plugin.
 *
 * @type {(project: string) => Promise<string[]>}
 */
async function workflowRuns(project) {
  const workflow = readFileSync(join(project, '.github/workflows/ci.yml'), 'utf8');
  const problems = workflowProblems('ci.yml', workflow);
  const commands = [...workflow.matchAll(/^ {6}- run: (.+)$/gm)].map(([, command = '']) => command);
  const others = commands.filter((each) => !['npm ci', 'npm test'].includes(each));
  if (others.length !== commands.length - 2) problems.push('its workflow does not install, or does not run its tests');
  for (const command of others) {
    const [name = '', ...parameters] = command.split(' ');
    const { ok, output } = await run(name, parameters, { cwd: project, env });
    if (!ok) return [...problems, `${command}, of its workflow, fails:\n${output}`];
  }
  return problems;
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
  if (!output.includes('is not written yet')) return [`its contract does not say what is missing:\n${output}`];
  const report = await npmRun(project, 'contract', '--', '--badge', 'contract.svg');
  if (report.ok || !/^contract: \d+ passed, [1-9]\d* failed/m.test(report.output))
    return [`its report does not say that it failed:\n${report.output}`];
  const badge = readFileSync(join(project, 'contract.svg'), 'utf8');
  return /calm.* failed/.test(badge) ? [] : [`its badge does not say that it failed:\n${badge}`];
}

/** @type {(project: string, script: string, ...parameters: string[]) => ReturnType<typeof run>} */
function npmRun(project, script, ...parameters) {
  return run('npm', ['run', script, ...parameters], { cwd: project, env });
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
