import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runProgram, runTurbo } from './program.mjs';

/** @typedef {{ passed: number, failed: number, skipped: number }} Counts */

/**
 * Runs vitest, and prints `N passed, N failed` as the very last line, from the runner's own totals. What was missing
 * before it, so that tests cannot run, counts as failed.
 *
 * @type {(parameters: string[], missing?: number) => number}
 */
export function runTests(parameters, missing = 0) {
  // Tests that start a program need it built; the others run from source, and say something even when this fails.
  const isBuilt = runTurbo(['build', '--continue']) === 0;
  if (!isBuilt) console.log('setup: the build failed, which counts as one failure');
  const folder = mkdtempSync(join(tmpdir(), 'ts-micro-test-'));
  try {
    const file = join(folder, 'counts.json');
    const env = { ...process.env, TEST_COUNTS_FILE: file };
    const status = runProgram(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...parameters], { env });
    const counts = readCounts(file);
    // A runner that fails without a failed test (a crash, a broken configuration) is a failure all the same.
    if (status !== 0 && counts.failed === 0) counts.failed = 1;
    if (!isBuilt) counts.failed++;
    counts.failed += missing;
    const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : '';
    console.log(`${counts.passed} passed, ${counts.failed} failed${skipped}`);
    return counts.failed > 0 ? status || 1 : status;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * What `TEST_COUNTS_FILE` holds after a run; nothing at all where the run broke off. @type {(file: string) => Counts}
 */
export function readCounts(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return { passed: 0, failed: 0, skipped: 0 };
  }
}
