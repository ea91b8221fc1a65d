import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { findInstallProblems } from './install.mjs';
import { packAll } from './pack.mjs';
import { run } from './program.mjs';

/** @typedef {import('./pack.mjs').Packed} Packed */

const attw = fileURLToPath(new URL('node_modules/@arethetypeswrong/cli/dist/index.js', import.meta.url));

/**
 * Packs every package as it would be published, looks the tarballs over, and installs each alone into a fresh project.
 * The packages are built before.
 *
 * @type {(root: string) => Promise<string[]>}
 */
export async function findPackingProblems(root) {
  const folder = mkdtempSync(join(tmpdir(), 'ts-micro-packing-'));
  try {
    const packed = await packAll(root, folder);
    const found = await twoAtATime(packed, async (each) => {
      const problems = [
        ...(await contentProblems(each)),
        ...(await publintProblems(each)),
        ...(await typeEntryProblems(each)),
        ...(await findInstallProblems(root, folder, each, packed)),
      ];
      return problems.map((problem) => `${each.name}: ${problem}`);
    });
    return found.flat();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @type {(packed: Packed) => Promise<string[]>} */
async function contentProblems({ tarball }) {
  const list = await run('tar', ['-tzf', tarball], { cwd: '.' });
  const files = list.output.split('\n').map((file) => file.replace('package/', ''));
  const missing = ['package.json', 'README.md', 'LICENSE'].filter((file) => !files.includes(file));
  const foreign = files.filter(
    (file) => !/^(package\.json|README\.md|LICENSE|CHANGELOG\.md|nats-client\.cjs|dist\/.+\.(js|d\.ts))$/.test(file),
  );
  const manifest = await run('tar', ['-xzOf', tarball, 'package/package.json'], { cwd: '.' });
  const leftovers = ['workspace:', 'catalog:', '@ts-micro/source'].filter((text) => manifest.output.includes(text));
  return [
    ...missing.map((file) => `the tarball has no ${file}`),
    ...foreign.map((file) => `the tarball has ${file}, which nobody needs`),
    ...leftovers.map((text) => `the tarball's package.json still says ${text}`),
  ];
}

/** @type {(packed: Packed) => Promise<string[]>} */
async function publintProblems({ tarball }) {
  const bytes = readFileSync(tarball);
  const { messages, pkg } = await publint({ pack: { tarball: new Uint8Array(bytes).buffer }, strict: true });
  return messages.map((message) => `publint: ${formatMessage(message, pkg, { color: false })}`);
}

/** @type {(packed: Packed) => Promise<string[]>} */
async function typeEntryProblems({ tarball }) {
  const parameters = [attw, tarball, '--profile', 'esm-only', '--no-emoji', '--no-color', '--format', 'ascii'];
  const { ok, output } = await run(process.execPath, parameters, { cwd: '.' });
  return ok ? [] : [`attw:\n${output}`];
}

/**
 * @template T, R
 * @param {readonly T[]} items
 * @param {(item: T) => Promise<R>} work
 * @returns {Promise<R[]>}
 */
async function twoAtATime(items, work) {
  /** @type {R[]} */
  const results = [];
  const waiting = [...items.entries()];
  const worker = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) results[next[0]] = await work(next[1]);
  };
  await Promise.all([worker(), worker()]);
  return results;
}
