import { writeFileSync } from 'node:fs';
import type { Reporter, SerializedError, TestModule } from 'vitest/node';

/**
 * Writes the totals of a run as JSON into the file that `TEST_COUNTS_FILE` names.
 *
 * A file or suite that broke outside its tests, a test that never finished, and an error nobody caught count as failed.
 */
export class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    const file = process.env.TEST_COUNTS_FILE;
    if (!file) return;
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    for (const testModule of modules) {
      if (testModule.errors().length > 0) counts.failed++;
      for (const suite of testModule.children.allSuites()) if (suite.errors().length > 0) counts.failed++;
      for (const test of testModule.children.allTests()) {
        const { state } = test.result();
        counts[state === 'pending' ? 'failed' : state]++;
      }
    }
    writeFileSync(file, JSON.stringify(counts));
  }
}
