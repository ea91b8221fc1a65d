import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { foldersWithContracts, formatKnown, readKnown } from '../known-backends.mjs';

const root = join(import.meta.dirname, '../../..');

test('docs/known-backends.md is what its data says', () => {
  expect(readFileSync(join(root, 'docs/known-backends.md'), 'utf8')).toBe(formatKnown(readKnown(root)));
});

test('every plugin whose contract `npm test` runs is among the known backends, and none that has no contract', () => {
  const known = new Set(readKnown(root).map(({ folder }) => folder));
  const folders = foldersWithContracts(root);
  const tested = Object.keys(folders).filter((each) => !folders[each]?.every((file) => file.includes('.backend.')));
  expect(tested.filter((folder) => !known.has(folder))).toEqual([]);
  expect([...known].filter((folder) => folders[folder] === undefined)).toEqual([]);
});

test('a level that is in part tells what is not shown', () => {
  const levels = [{ level: 'outage', status: 'in part', unproven: ['broker/half-open'] }];
  const known = { folder: 'packages/x', name: 'x', interface: 'broker', cases: { passed: 3, notSupported: 1 }, levels };
  const lines = formatKnown([known]).split('\n');
  expect(lines).toContain('| [x](../packages/x) | in part | 3 passed, 1 not supported |');
  expect(lines).toContain('- x, outage: not shown are `half-open`');
});
