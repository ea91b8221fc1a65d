import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { listPackages } from './workspaces.mjs';

const list = 'docs/licences.md';
const allowed = ['Apache-2.0', 'MIT', 'ISC', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD', 'Unlicense'];

/**
 * Whether everything that comes with a published package has a licence of the allowed ones, and whether the list in
 * docs/licences.md says so.
 *
 * @type {(root: string) => string[]}
 */
export function findLicenceProblems(root) {
  const found = productionDependencies(root);
  const problems = found
    .filter(({ licence }) => !allowed.includes(licence))
    .map(({ name, licence }) => `${name} has the licence ${licence}, which is none of ${allowed.join(', ')}`);
  const rows = found.map(({ name, licence, by }) => `| \`${name}\` | ${licence} | ${by.join(', ')} |`);
  const written = existsSync(join(root, list)) ? readFileSync(join(root, list), 'utf8') : '';
  const present = written.match(/^\| `.*$/gm) ?? [];
  if (present.join('\n') !== rows.join('\n')) problems.push(`the table of ${list} is not:\n${rows.join('\n')}`);
  return problems;
}

/**
 * Everything that is installed with the packages, siblings apart, by name.
 *
 * @type {(root: string) => { name: string, licence: string, by: string[] }[]}
 */
function productionDependencies(root) {
  /** @type {Map<string, { licence: string, by: Set<string> }>} */
  const found = new Map();
  /** @type {(folder: string, manifest: Record<string, any>, by: string) => void} */
  const follow = (folder, manifest, by) => {
    for (const name of Object.keys(manifest.dependencies ?? {})) {
      if (name.startsWith('@ts-micro/')) continue;
      const place = installed(folder, name);
      const its = JSON.parse(readFileSync(join(place, 'package.json'), 'utf8'));
      const entry = found.get(name) ?? {
        licence: String(its.license?.type ?? its.license ?? 'unknown'),
        by: new Set(),
      };
      found.set(name, entry);
      if (entry.by.has(by)) continue;
      entry.by.add(by);
      follow(place, its, by);
    }
  };
  for (const { name, folder, manifest } of listPackages(root)) follow(join(root, folder), manifest, name);
  return [...found]
    .map(([name, { licence, by }]) => ({ name, licence, by: [...by].sort() }))
    .sort((left, right) => (left.name < right.name ? -1 : 1));
}

/** Where Node finds a package that a package depends on. @type {(folder: string, name: string) => string} */
function installed(folder, name) {
  for (let place = realpathSync(folder); ; place = dirname(place)) {
    const candidate = join(place, 'node_modules', name);
    if (existsSync(join(candidate, 'package.json'))) return realpathSync(candidate);
    if (place === dirname(place)) throw new Error(`${name}, a dependency of ${folder}, is not installed`);
  }
}
