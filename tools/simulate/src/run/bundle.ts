import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';
import type { Fault } from '../faults/fault.ts';

// From `src/run` in a test, from `dist` where it is built.
const here = fileURLToPath(new URL('.', import.meta.url));
const folder = here.replace(/(src\/run|dist)\/?$/, '');
const root = join(folder, '../..');

/**
 * Bundles the worker with the runtime as it is in the sources, and a fault put into it if one is given; returns the
 * file. It goes where the system keeps temporary files, and its imports are all inside but for `node:` modules.
 */
export async function bundleWorker(fault?: Fault): Promise<string> {
  const outfile = join(mkdtempSync(join(tmpdir(), 'ts-micro-simulate-')), 'worker.mjs');
  const left = new Set(fault?.changes.map(({ file }) => file));
  const faulty: Plugin = {
    name: 'fault',
    setup: ({ onLoad }) =>
      onLoad({ filter: /packages\/.*\.ts$/ }, ({ path }) => {
        const changes = fault?.changes.filter(({ file }) => join(root, file) === path) ?? [];
        if (changes.length === 0) return undefined;
        let contents = readFileSync(path, 'utf8');
        for (const { file, from, to } of changes) {
          if (contents.split(from).length !== 2) throw new Error(`${file} does not have once: ${from}`);
          contents = contents.replace(from, () => to);
          left.delete(file);
        }
        return { contents, loader: 'ts' };
      }),
  };
  await build({
    entryPoints: [join(folder, 'src/worker.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    conditions: ['@ts-micro/source'],
    sourcemap: 'inline',
    logLevel: 'silent',
    plugins: fault === undefined ? [] : [faulty],
    // The NATS client is CommonJS and requires `node:` modules.
    banner: {
      js: "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);",
    },
  });
  if (left.size > 0) throw new Error(`the fault changes what is not part of the runtime: ${[...left].join(', ')}`);
  return outfile;
}
