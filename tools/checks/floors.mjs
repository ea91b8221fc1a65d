import { builtinModules } from 'node:module';
import { dirname, join, relative, sep } from 'node:path';
import { importsUnder, packageOf } from './imports.mjs';
import { listWorkspaces } from './workspaces.mjs';

/** @typedef {import('./workspaces.mjs').Workspace} Workspace */

const core = '@ts-micro/core';
const kit = '@ts-micro/kit';
const nats = '@ts-micro/nats';
const service = '@ts-micro/service';

/**
 * Which of its siblings the `src` of a package may import. Whatever is not named here is a plugin. @type
 * {Record<string, string[]>}
 */
const siblingsAllowed = {
  [core]: [],
  [kit]: [core],
  [nats]: [core, kit],
  '@ts-micro/testkit': [core, kit],
  [service]: [core, kit],
  '@ts-micro/definition': [core, kit, service],
  '@ts-micro/protobuf': [core, service, '@ts-micro/definition'],
  '@ts-micro/opentelemetry': [core, kit, service],
  '@ts-micro/probes': [core, kit, service],
  '@ts-micro/nats-services': [core, kit, nats, service],
  '@ts-micro/cli': [
    core,
    kit,
    service,
    '@ts-micro/definition',
    '@ts-micro/broker-jetstream',
    '@ts-micro/broker-nats',
    '@ts-micro/memory',
    '@ts-micro/registry-nats',
    '@ts-micro/registry-nats-kv',
    '@ts-micro/transport-nats',
  ],
};
const siblingsOfPlugins = [core, kit, nats];

const builtins = new Set(builtinModules);

/** What breaks the floors, each line naming the file and what it imports. @type {(root: string) => string[]} */
export function findFloorProblems(root) {
  const workspaces = new Map(listWorkspaces(root).map((workspace) => [workspace.name, workspace]));
  /** @type {string[]} */
  const problems = [];
  for (const workspace of workspaces.values()) {
    for (const { file, specifier } of importsUnder(join(root, workspace.folder))) {
      const place = relative(root, file).split(sep).join('/');
      const reason = whyNot(root, workspaces, workspace, place, specifier);
      if (reason) problems.push(`${place} imports ${specifier}: ${reason}`);
    }
  }
  return problems;
}

/**
 * @type {(root: string, workspaces: Map<string, Workspace>, importer: Workspace, place: string, specifier: string) =>
 * string | undefined}
 */
function whyNot(root, workspaces, importer, place, specifier) {
  const isShipped = importer.kind === 'packages' && place.startsWith(`${importer.folder}/src/`);
  if (specifier.startsWith('.')) return whyNotPath(root, importer, place, specifier);
  if (specifier.startsWith('node:') || builtins.has(specifier)) {
    if (!specifier.startsWith('node:')) return 'write it with node: in front';
    return isShipped && importer.name === core ? 'core runs anywhere, so it imports nothing of Node' : undefined;
  }

  if (specifier.startsWith('#')) {
    if (!(specifier in (importer.manifest.imports ?? {}))) return `the imports of ${importer.name} do not list it`;
    return isShipped ? whyNotClient(place) : undefined;
  }

  const name = packageOf(specifier);
  const imported = workspaces.get(name);
  if (imported) {
    const entry = `.${specifier.slice(name.length)}`;
    if (!(entry in (imported.manifest.exports ?? {}))) return `the exports of ${name} do not list ${entry}`;
  }
  if (name === importer.name) return undefined;
  if (isShipped) {
    const reason = whyNotShipped(importer, imported, name, place);
    if (reason) return reason;
  }
  const { dependencies, peerDependencies, devDependencies } = importer.manifest;
  const listed = { ...dependencies, ...peerDependencies, ...(isShipped ? {} : devDependencies) };
  return name in listed ? undefined : `the package.json of ${importer.name} does not list ${name}`;
}

/** @type {(importer: Workspace, imported: Workspace | undefined, name: string, place: string) => string | undefined} */
function whyNotShipped(importer, imported, name, place) {
  if (importer.name === core) return 'core imports nothing';
  if (imported && !(siblingsAllowed[importer.name] ?? siblingsOfPlugins).includes(name)) {
    return `${importer.name} may not import ${name}`;
  }
  if (name === 'nats' && importer.name !== nats) return `only ${nats} imports the NATS client`;
  if (name === 'nats') return whyNotClient(place);
  if (name.startsWith('@nats-io/')) return 'the newer NATS client is for tests only';
  return undefined;
}

/**
 * What is imported by `#` is the NATS client as well, the only such file there is. @type {(place: string) => string |
 * undefined}
 */
function whyNotClient(place) {
  return /\/src\/(connection|vendor)\//.test(place) ? undefined : 'only connection/ and vendor/ use the NATS client';
}

/** @type {(root: string, importer: Workspace, place: string, specifier: string) => string | undefined} */
function whyNotPath(root, importer, place, specifier) {
  const target = relative(root, join(root, dirname(place), specifier))
    .split(sep)
    .join('/');
  if (target.startsWith(`${importer.folder}/`)) {
    const isShipped = place.startsWith(`${importer.folder}/src/`);
    return isShipped && !target.startsWith(`${importer.folder}/src/`) ? 'src imports only src' : undefined;
  }
  // Build settings at the root are everybody's; a tool may use another tool's file.
  if (!target.includes('/') || (importer.kind === 'tools' && target.startsWith('tools/'))) return undefined;
  return `${target} belongs to somebody else; import it by its package name`;
}
