import { join } from 'node:path';
import { root, runTurbo } from '../setup/program.mjs';
import { findContractProblems } from './contract.mjs';
import { findFloorProblems } from './floors.mjs';
import { findFolderProblems } from './folders.mjs';
import { findGeneratedProblems } from './generated.mjs';
import { findInstantiationProblems } from './instantiations.mjs';
import { findLicenceProblems } from './licences.mjs';
import { findLineProblems } from './lines.mjs';
import { findLinkProblems } from './links.mjs';
import { findManifestProblems } from './manifests.mjs';
import { findMemoryProblems } from './memory.mjs';
import { findOutsideProblems, outsidePackages } from './outside.mjs';
import { run } from './program.mjs';
import { findSnippetProblems } from './snippets.mjs';
import { findTypeScriptProblems } from './typescript.mjs';
import { findWorkflowProblems } from './workflows.mjs';

/**
 * Everything CI does besides tests. Each check returns what it found, and nothing when all is well.
 *
 * @type {Record<string, () => string[] | Promise<string[]>>}
 */
const checks = {
  format: () => tool('@biomejs/biome/bin/biome', 'check', '--error-on-warnings', '--colors=off'),
  types: async () => [...(await tool('typescript/bin/tsc', '-p', '.')), ...turbo('types')],
  floors: () => findFloorProblems(root),
  folders: () => findFolderProblems(root),
  contract: () => findContractProblems(root),
  lines: () => findLineProblems(root),
  links: () => findLinkProblems(root),
  manifests: () => findManifestProblems(root),
  licences: () => findLicenceProblems(root),
  workflows: () => findWorkflowProblems(root),
  unused: () => tool('knip/bin/knip.js', '--no-progress'),
  versions: () => tool('sherif/index.js'),
  snippets: () => findSnippetProblems(root),
  instantiations: () => findInstantiationProblems(root),
  packing: async () => {
    const problems = turbo('build', 'declarations');
    if (problems.length > 0) return problems;
    // Loaded only now, for it uses the testkit as it was just built.
    const { findPackingProblems } = await import('./packing.mjs');
    return findPackingProblems(root);
  },
  runtimes: async () => {
    const problems = turbo('build', 'declarations', '--filter=./packages/*');
    if (problems.length > 0) return problems;
    const { findRuntimeProblems } = await import('./runtimes.mjs');
    return findRuntimeProblems(root);
  },
  typescript: () => {
    const problems = turbo('build', 'declarations', '--filter=./packages/*');
    return problems.length > 0 ? problems : findTypeScriptProblems(root);
  },
  outside: () => {
    const problems = turbo('build', 'declarations', ...outsidePackages.map((name) => `--filter=${name}...`));
    return problems.length > 0 ? problems : findOutsideProblems(root);
  },
  memory: () => {
    const problems = turbo('build', '--filter=./tools/bench...');
    return problems.length > 0 ? problems : findMemoryProblems(root);
  },
  generated: () => {
    const problems = turbo('build', 'declarations', '--filter=./packages/*');
    return problems.length > 0 ? problems : findGeneratedProblems(root);
  },
};

/** @type {(program: string, ...parameters: string[]) => Promise<string[]>} */
async function tool(program, ...parameters) {
  const path = join(root, 'node_modules', program);
  const { ok, output } = await run(process.execPath, [path, ...parameters], { cwd: root });
  return ok ? [] : [output];
}

/** @type {(...tasks: string[]) => string[]} */
function turbo(...tasks) {
  return runTurbo(tasks) === 0 ? [] : [`turbo run ${tasks.join(' ')} failed`];
}

/**
 * A check that broke has found something too. @type {(check: () => string[] | Promise<string[]>) => Promise<string[]>}
 */
async function settled(check) {
  try {
    return await check();
  } catch (error) {
    return [error instanceof Error ? (error.stack ?? error.message) : String(error)];
  }
}

const names = process.argv.slice(2);
for (const name of names) {
  if (!Object.hasOwn(checks, name)) throw new Error(`there is no check "${name}": ${Object.keys(checks).join(', ')}`);
}
/** @type {string[]} */
const failed = [];
for (const [name, check] of Object.entries(checks)) {
  if (names.length > 0 && !names.includes(name)) continue;
  const start = performance.now();
  const problems = await settled(check);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  for (const problem of problems) console.log(problem.replaceAll(/^/gm, '  '));
  console.log(`${name}: ${problems.length === 0 ? 'ok' : 'FAILED'} (${seconds} s)`);
  if (problems.length > 0) failed.push(name);
}
console.log(failed.length === 0 ? 'check: ok' : `check: failed: ${failed.join(', ')}`);
process.exitCode = failed.length === 0 ? 0 : 1;
