import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { importsUnder } from './imports.mjs';
import { listWorkspaces } from './workspaces.mjs';

/**
 * What the folders of a package's `src` may import of each other, `.` being its own files. A folder below one that is
 * named here belongs to it, unless it is named itself. `index.ts` and `register.ts` put a package together and import
 * what they like.
 *
 * @typedef {Record<string, Record<string, string[]>>} FolderFloors
 */

/** @type {FolderFloors} */
const folderFloors = {
  '@ts-micro/broker-jetstream': {
    '.': ['subscription'],
    subscription: ['.'],
  },
  '@ts-micro/cli': {
    '.': ['commands', 'fleet', 'terminal'],
    terminal: [],
    input: [],
    completion: [],
    fleet: ['terminal'],
    measure: ['terminal'],
    project: [],
    doctor: ['fleet', 'measure', 'terminal'],
    top: ['fleet', 'terminal'],
    commands: ['.', 'completion', 'doctor', 'fleet', 'input', 'measure', 'project', 'terminal', 'top'],
  },
  '@ts-micro/definition': {
    define: [],
    validate: ['define', 'json'],
    json: ['validate'],
    describe: ['define', 'json'],
    call: ['define', 'json', 'validate'],
    generate: ['describe'],
    serve: ['define', 'describe', 'json', 'validate'],
  },
  '@ts-micro/kit': {
    '.': ['frames', 'frames/peers', 'frames/stream', 'http'],
    frames: [],
    'frames/stream': ['frames'],
    'frames/peers': [],
    collections: [],
    budget: [],
    lifecycle: ['budget', 'collections'],
    settings: ['lifecycle'],
    broker: ['budget', 'collections', 'lifecycle'],
    registry: ['lifecycle'],
    request: ['budget', 'collections', 'lifecycle', 'settings'],
    http: ['settings'],
    vendor: [],
  },
  '@ts-micro/memory': {
    '.': ['broker', 'transport'],
    broker: ['.'],
    registry: ['.'],
    transport: ['.'],
  },
  '@ts-micro/nats': {
    '.': ['connection'],
    envelope: [],
    vendor: ['.', 'link'],
    link: ['.', 'connection', 'vendor'],
    connection: ['.', 'link', 'vendor'],
    flags: ['connection'],
    jetstream: ['.', 'connection'],
    intake: ['connection'],
  },
  '@ts-micro/opentelemetry': {
    '.': ['log', 'metric', 'observe', 'span'],
    log: [],
    stream: [],
    metric: ['.'],
    observe: ['.'],
    span: ['.', 'log', 'metric', 'stream'],
  },
  '@ts-micro/registry-nats': {
    '.': ['query', 'subjects', 'wire'],
    wire: [],
    subjects: ['wire'],
    query: ['wire'],
  },
  '@ts-micro/registry-nats-kv': {
    '.': ['bucket', 'following', 'keys', 'registering'],
    keys: [],
    bucket: ['.', 'keys'],
    following: ['.', 'bucket', 'keys'],
    registering: ['.', 'bucket', 'keys'],
  },
  '@ts-micro/service': {
    '.': ['rpc'],
    rpc: [],
    flags: [],
    stream: ['rpc'],
    client: ['.', 'rpc', 'stream'],
    server: ['.', 'rpc', 'stream'],
  },
  '@ts-micro/testkit': {
    '.': ['cases', 'nats', 'run', 'server'],
    run: ['.'],
    server: ['.'],
    nats: ['.', 'server'],
    cases: ['.'],
  },
  '@ts-micro/transport-nats': {
    '.': ['listener', 'socket'],
    socket: ['.', 'listener'],
    listener: ['.', 'socket'],
  },
};

const mostFiles = 15;
/** Folders that may have more files, and why. @type {Record<string, string>} */
const largeFolders = {
  'tools/bench/src/contenders': 'one file for each contender, and there are that many',
};

const mostLines = 400;

/**
 * What breaks the order inside of packages: an import against the floors of folders, a folder of too many files, a file
 * of too many lines, and an entry of these tables that nothing stands behind.
 *
 * @type {(root: string, floors?: FolderFloors, large?: Record<string, string>) => string[]}
 */
export function findFolderProblems(root, floors = folderFloors, large = largeFolders) {
  const packages = listWorkspaces(root).filter(({ kind }) => kind === 'packages');
  const names = new Set(packages.map(({ name }) => name));
  const unknown = Object.keys(floors).filter((name) => !names.has(name));
  return [
    ...unknown.map((name) => `tools/checks/folders.mjs names ${name}, which is no package`),
    ...packages.flatMap(({ name, folder }) => floorProblems(root, `${folder}/src`, floors[name])),
    ...sizeProblems(root, large),
  ];
}

/** @type {(root: string, src: string, floors: Record<string, string[]> | undefined) => string[]} */
function floorProblems(root, src, floors) {
  const present = new Set(filesUnder(root, src).map((file) => dirname(file).slice(src.length + 1) || '.'));
  if (floors === undefined) {
    return present.size > 1
      ? [`${src} has folders: say in tools/checks/folders.mjs what they may import of each other`]
      : [];
  }
  const problems = Object.keys(floors)
    .filter((folder) => ![...present].some((other) => other === folder || other.startsWith(`${folder}/`)))
    .map((folder) => `${src}/${folder} is in tools/checks/folders.mjs, and does not exist`);
  for (const { file, specifier } of importsUnder(join(root, src))) {
    const place = relative(join(root, src), file).split(sep).join('/');
    if (!specifier.startsWith('.') || place === 'index.ts' || place === 'register.ts') continue;
    const from = floorOf(floors, dirname(place));
    const to = floorOf(floors, join(dirname(place), dirname(specifier)).split(sep).join('/'));
    if (from === undefined)
      problems.push(`${src}/${place}: say in tools/checks/folders.mjs what its folder may import`);
    else if (to !== from && !(floors[from] ?? []).includes(to ?? '')) {
      problems.push(`${src}/${place} imports ${specifier}: ${from} may not import ${to}`);
    }
  }
  return problems;
}

/**
 * The entry that a folder belongs to. @type {(floors: Record<string, string[]>, folder: string) => string | undefined}
 */
function floorOf(floors, folder) {
  if (folder === '.' || folder in floors) return folder;
  const parent = dirname(folder);
  return parent === '.' ? undefined : floorOf(floors, parent);
}

/** @type {(root: string, large: Record<string, string>) => string[]} */
function sizeProblems(root, large) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  /** @type {string[]} */
  const problems = [];
  for (const { folder } of listWorkspaces(root)) {
    for (const file of filesUnder(root, folder)) {
      if (file.includes('/src/')) counts.set(dirname(file), (counts.get(dirname(file)) ?? 0) + 1);
      const lines = readFileSync(join(root, file), 'utf8').trimEnd().split('\n').length;
      const isShipped = file.includes('/src/') || folder.startsWith('tools/');
      if (isShipped && lines > mostLines) problems.push(`${file} has ${lines} lines, and ${mostLines} is the most`);
    }
  }
  for (const [folder, count] of counts) {
    if (count <= mostFiles) continue;
    if (large[folder] === undefined)
      problems.push(`${folder} has ${count} files: cut it by idea, ${mostFiles} is the most`);
  }
  for (const folder of Object.keys(large)) {
    const count = counts.get(folder) ?? 0;
    if (count <= mostFiles)
      problems.push(`${folder} has ${count} files and needs no exception in tools/checks/folders.mjs`);
  }
  return problems;
}

/** Source files, as paths from the root. @type {(root: string, folder: string) => string[]} */
function filesUnder(root, folder) {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|mjs)$/.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((file) => !/(^|\/)(node_modules|dist|\.snippets)\//.test(file));
}
