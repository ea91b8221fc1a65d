import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { ServiceDefinition } from '@ts-micro/definition';
import ts from 'typescript';

const root = fileURLToPath(new URL('../', import.meta.url));

/**
 * Compiles the source of a definition together with a use of it, and loads it. Throws with what TypeScript says.
 *
 * `name` is that of its constant; `use` is TypeScript that imports the definition from `./definition.ts`.
 */
export async function compiledDefinition(source: string, name: string, use: string): Promise<ServiceDefinition> {
  const folder = join(root, '.cache', `definition-${process.pid}-${Date.now()}`);
  mkdirSync(folder, { recursive: true });
  try {
    const files = { 'definition.ts': source, 'use.ts': use };
    const paths = Object.entries(files).map(([file, text]) => {
      writeFileSync(join(folder, file), text);
      return join(folder, file);
    });
    const words = complaintsAbout(paths);
    if (words.length > 0) throw new Error(`the definition does not compile: ${words.join('; ')}\n${source}`);
    const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 };
    const module = join(folder, 'definition.mjs');
    writeFileSync(module, ts.transpileModule(source, { compilerOptions }).outputText);
    const loaded = (await import(pathToFileURL(module).href)) as Record<string, ServiceDefinition | undefined>;
    const definition = loaded[name];
    if (definition === undefined) throw new Error(`the definition is not called ${name}:\n${source}`);
    return definition;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function complaintsAbout(paths: readonly string[]): string[] {
  const { config } = ts.readConfigFile(join(root, '../../tsconfig.base.json'), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const program = ts.createProgram(paths, { ...options, isolatedDeclarations: false, declaration: false });
  return ts.getPreEmitDiagnostics(program).map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '));
}
