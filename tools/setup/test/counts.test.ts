import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';

test('whatever goes wrong in a run is counted as failed', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ts-micro-counts-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'counts.json');
  const runner = fileURLToPath(new URL('../../../node_modules/vitest/vitest.mjs', import.meta.url));
  const child = spawn(process.execPath, [runner, 'run'], {
    cwd: fileURLToPath(new URL('fixtures/', import.meta.url)),
    env: { ...process.env, TEST_COUNTS_FILE: file, VITEST: undefined },
    stdio: 'ignore',
  });
  const [status] = await once(child, 'exit');
  expect(status).toBe(1);
  // Passed: the leaking test, the one that passes, the one with the rejection. Failed: the leak, the file that does not
  // load, the failing test, the hook, the rejection. Skipped: what says so, and what its suite's hook kept from
  // running.
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ passed: 3, failed: 5, skipped: 2 });
}, 60_000);
