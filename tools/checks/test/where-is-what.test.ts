import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '../../..');

test('every file that ARCHITECTURE.md names as an answer is there', () => {
  const page = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8');
  const table = page.slice(page.indexOf('## Where is what'), page.indexOf('## Rules'));
  const files = [...table.matchAll(/`(packages\/[^`]+)`/g)].map(([, file = '']) => file);
  expect(files.length).toBeGreaterThanOrEqual(20);
  expect(files.filter((file) => !existsSync(join(root, file)))).toEqual([]);
});
