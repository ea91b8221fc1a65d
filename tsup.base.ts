import { defineConfig, type Options } from 'tsup';

/**
 * Builds every package the same way, as ESM for Node 20; `entry` names the files behind its `exports`. An entry imports
 * what another one has by the package's own name, which spares a file that both share, and every file costs whoever
 * imports it.
 */
export function packageBuild(entry: NonNullable<Options['entry']>): ReturnType<typeof defineConfig> {
  return defineConfig({
    entry,
    format: 'esm',
    target: 'node20',
    clean: true,
    treeshake: true,
    external: [/^@ts-micro\//, /^#/],
  });
}
