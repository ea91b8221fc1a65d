import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './program.mjs';
import { listPackages } from './workspaces.mjs';

/** @typedef {import('./workspaces.mjs').Workspace} Workspace */
/** @typedef {Workspace & { tarball: string }} Packed */

/**
 * Packs every package into `folder` as it would be published. They are built before.
 *
 * @type {(root: string, folder: string) => Promise<Packed[]>}
 */
export async function packAll(root, folder) {
  const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const pack = ['--recursive', '--filter', './packages/*', 'pack', '--pack-destination', folder];
  const { ok, output } = await run('npx', ['--yes', '--prefer-offline', packageManager, ...pack], { cwd: root });
  if (!ok) throw new Error(`pnpm pack failed:\n${output}`);
  return listPackages(root).map((workspace) => {
    const file = `${workspace.name.slice(1).replace('/', '-')}-${workspace.manifest.version}.tgz`;
    return { ...workspace, tarball: join(folder, file) };
  });
}

/**
 * What a project outside of the workspace depends on and overrides to get all packages from their tarballs, as they are
 * not published yet.
 *
 * @type {(packed: readonly Packed[]) => Record<string, string>}
 */
export function tarballsByName(packed) {
  return Object.fromEntries(packed.map(({ name, tarball }) => [name, `file:${tarball}`]));
}

/** @type {(cwd: string) => Promise<void>} */
export async function npmInstall(cwd) {
  const parameters = ['install', '--prefer-offline', '--no-audit', '--no-fund', '--no-package-lock'];
  const { ok, output } = await run('npm', parameters, { cwd });
  if (!ok) throw new Error(`npm install failed:\n${output}`);
}
