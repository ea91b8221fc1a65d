import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

/** @typedef {{ file: string, specifier: string }} Import */

/**
 * Every import, re-export, `import()` and `require()` of the source files under a folder. @type {(folder: string) =>
 * Import[]}
 */
export function importsUnder(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|mts|js|mjs)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !/[\\/](node_modules|dist)[\\/]/.test(file))
    .sort()
    .flatMap((file) => importsOf(readFileSync(file, 'utf8')).map((specifier) => ({ file, specifier })));
}

/** @type {(source: string) => string[]} */
export function importsOf(source) {
  return ts.preProcessFile(source, true, true).importedFiles.map((found) => found.fileName);
}

/** `@ts-micro/testkit/nats` is of `@ts-micro/testkit`. @type {(specifier: string) => string} */
export function packageOf(specifier) {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}
