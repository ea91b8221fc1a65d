import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * One package.json of the repository.
 *
 * @typedef {object} Workspace
 * @property {'packages' | 'examples' | 'tools'} kind The top-level folder it is in.
 * @property {string} name Its npm name.
 * @property {string} folder Its folder in the repository: `packages/core`.
 * @property {Record<string, any>} manifest Its parsed package.json.
 */

/** @type {(root: string) => Workspace[]} */
export function listWorkspaces(root) {
  return /** @type {const} */ (['packages', 'examples', 'tools']).flatMap((kind) =>
    foldersIn(join(root, kind)).flatMap((folder) => {
      const file = join(root, kind, folder, 'package.json');
      if (!existsSync(file)) return [];
      const manifest = JSON.parse(readFileSync(file, 'utf8'));
      return [{ kind, name: manifest.name, folder: `${kind}/${folder}`, manifest }];
    }),
  );
}

/** Those that are published. @type {(root: string) => Workspace[]} */
export function listPackages(root) {
  return listWorkspaces(root).filter((workspace) => workspace.kind === 'packages');
}

/** @type {(folder: string) => string[]} */
function foldersIn(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);
}
