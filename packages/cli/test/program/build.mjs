import { fileURLToPath } from 'node:url';
import { build } from 'tsup';

/**
 * Builds the program from source into the folder given, with everything it needs inside, so that tests can spawn it.
 */
await build({
  config: false,
  entry: [fileURLToPath(new URL('../../src/main.ts', import.meta.url))],
  outDir: process.argv[2],
  format: 'esm',
  target: 'node20',
  splitting: false,
  clean: false,
  silent: true,
  noExternal: [/.*/],
  // The NATS client and commander are CommonJS, and ask for Node's modules by `require`.
  banner: {
    js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);",
  },
  esbuildOptions: (options) => {
    // Of the siblings' files only the built ones are said to have effects.
    options.ignoreAnnotations = true;
    options.conditions = ['@ts-micro/source'];
  },
});
