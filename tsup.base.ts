import { defineConfig, type Options } from 'tsup';

/** Builds every package the same way, as ESM for Node 20; `entry` names the files behind its `exports`. */
export function packageBuild(entry: NonNullable<Options['entry']>): ReturnType<typeof defineConfig> {
  return defineConfig({ entry, format: 'esm', target: 'node20', clean: true, treeshake: true });
}
