import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { expect, it } from 'vitest';

// Beside the tests, from where the packages can be imported; it is never written.
const file = fileURLToPath(new URL('hovered.ts', import.meta.url));
const source = `import type { Client } from '@ts-micro/service';
import { typedClient } from '../src/index.ts';
import { zodGreeter } from './definitions.ts';
export async function use(client: Client) {
  const { Greeter } = typedClient(client, zodGreeter);
  const answer = await Greeter.Length({ text: '' });
  const counted = Greeter.Count({ to: 1 });
  const failed = Greeter.Count.failure(undefined);
  return [answer, counted, failed];
}
`;

it('an editor shows the types of calls as plain objects', { timeout: 180_000 }, () => {
  const hover = editorOn(source);
  expect(hover('answer =')).toBe('const answer: { at: Date; length: number; }');
  expect(hover('Length(')).toBe(
    '(property) Length: UnaryCall (request: { text: string; }, options?: CallOptions) => Promise<{ at: Date; length: number; }>',
  );
  expect(hover('counted =')).toBe('const counted: ResponseStream<{ value: number; }>');
  expect(hover('failed =')).toBe(
    'const failed: { readonly name: "too_far"; readonly data: { limit: number; }; readonly detail: string; } | undefined',
  );
});

/** Tells what an editor shows over the first place of a text, on one line. */
function editorOn(text: string): (place: string) => string {
  const folder = fileURLToPath(new URL('.', import.meta.url));
  const { config } = ts.readConfigFile(`${folder}tsconfig.json`, ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, folder);
  const service = ts.createLanguageService({
    getScriptFileNames: () => [file],
    getScriptVersion: () => '1',
    getScriptSnapshot: (name) =>
      name === file || ts.sys.fileExists(name)
        ? ts.ScriptSnapshot.fromString(name === file ? text : readFileSync(name, 'utf8'))
        : undefined,
    getCurrentDirectory: () => folder,
    getCompilationSettings: () => options,
    getDefaultLibFileName: ts.getDefaultLibFilePath,
    fileExists: ts.sys.fileExists,
    readFile: ts.sys.readFile,
    directoryExists: ts.sys.directoryExists,
  });
  return (place) => {
    const info = service.getQuickInfoAtPosition(file, text.indexOf(place));
    return ts.displayPartsToString(info?.displayParts).replaceAll(/\s+/g, ' ');
  };
}
