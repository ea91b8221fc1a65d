import { execFile } from 'node:child_process';
import { expect, test } from 'vitest';

test('a line for each round and the totals last, and no busy process is left', async () => {
  const { status, stdout } = await soak('--times', '2', '--load', '1', 'packages/testkit/test/within.test.ts');
  expect(stdout.trim().split('\n')).toEqual([
    expect.stringMatching(/^round 1 of 2: [1-9]\d* passed, 0 failed \(\d+ s\)$/),
    expect.stringMatching(/^round 2 of 2: [1-9]\d* passed, 0 failed \(\d+ s\)$/),
    expect.stringMatching(/^soak: rounds: 2, busy processes: 1, [1-9]\d* passed, 0 failed$/),
  ]);
  expect(status).toBe(0);
}, 180_000);

test('a round in which nothing runs has failed', async () => {
  const { status, stdout } = await soak('--times', '1', '--load', '0', 'packages/none/test');
  expect(stdout.trim().split('\n').at(-1)).toBe('soak: rounds: 1, busy processes: 0, 0 passed, 1 failed');
  expect(status).toBe(1);
}, 180_000);

test('a bad number is refused', async () => {
  for (const bad of [
    ['--times', '0'],
    ['--times', 'x'],
    ['--load', '-1'],
    ['--lod', '1'],
  ]) {
    const { status, stdout } = await soak(...bad);
    expect([status, stdout]).toEqual([1, '']);
  }
});

/** A busy process that was left would keep the program from ending. */
function soak(...parameters: string[]): Promise<{ status: number; stdout: string }> {
  const module = JSON.stringify(new URL('../soak.mjs', import.meta.url).href);
  const program = `const { runSoak } = await import(${module}); process.exitCode = runSoak(process.argv.slice(1));`;
  return new Promise((resolve) => {
    const parametersOfNode = ['--input-type=module', '-e', program, '--', ...parameters];
    const env = { ...process.env, VITEST: undefined };
    const child = execFile(process.execPath, parametersOfNode, { env, timeout: 170_000 }, (_, stdout) =>
      resolve({ status: child.exitCode ?? -1, stdout }),
    );
  });
}
