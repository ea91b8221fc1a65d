import { defineConfig, type Options } from 'tsup';

/** Builds every package the same way: ESM for Node 20 with declarations; `entry` names the files behind its `exports`. */
export function packageBuild(entry: Options['entry']): ReturnType<typeof defineConfig> {
  return defineConfig({
    entry: entry as NonNullable<Options['entry']>,
    format: 'esm',
    target: 'node20',
    dts: { compilerOptions: { composite: false, allowImportingTsExtensions: true, customConditions: [] } },
    clean: true,
    sourcemap: false,
    treeshake: true,
  });
}
