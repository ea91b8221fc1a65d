import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

const nothing = join(tmpdir(), 'ts-micro-no-such-program');

/** Runs code with the set-up's functions in a process with these variables, and returns what it printed. */
function inSetup(code: string, env: Record<string, string>): string {
  const script = `import * as setup from ${JSON.stringify(new URL('../backends.mjs', import.meta.url).href)};\n${code}`;
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    cwd: new URL('../../..', import.meta.url),
    env: { ...process.env, ...env },
    encoding: 'utf8',
  });
  expect(child.status, child.stderr).toBe(0);
  return child.stdout;
}

test('the backends whose servers are there are tested', () => {
  const libs = mkdtempSync(join(tmpdir(), 'ts-micro-libs-'));
  onTestFinished(() => rmSync(libs, { recursive: true }));
  const env = {
    ETCD_BIN: process.execPath,
    RABBITMQ_SERVER_BIN: process.execPath,
    EPMD_BIN: process.execPath,
    JAVA_BIN: process.execPath,
    KAFKA_LIBS: libs,
  };
  const folders = 'console.log(setup.foldersWithServers().join());';
  expect(inSetup(folders, env)).toBe('packages/registry-etcd,packages/transport-rabbitmq\n');
  writeFileSync(join(libs, 'kafka_2.13-4.1.2.jar'), '');
  expect(inSetup(folders, env)).toBe('packages/registry-etcd,packages/transport-rabbitmq,packages/broker-kafka\n');
  expect(inSetup('setup.tellWhatIsLeft();', env)).toBe('');
  expect(inSetup(folders, { ...env, EPMD_BIN: nothing })).toBe('packages/registry-etcd,packages/broker-kafka\n');
});

test('those whose servers are not there are named in a line each', () => {
  const env = { ETCD_BIN: nothing, RABBITMQ_SERVER_BIN: nothing, JAVA_BIN: nothing };
  const lines = inSetup('setup.tellWhatIsLeft(); console.log(setup.foldersWithServers().length);', env).split('\n');
  expect(lines).toEqual([
    expect.stringContaining('packages/registry-etcd, as there is no etcd; "npm run backends -- etcd" gets it'),
    expect.stringContaining('packages/transport-rabbitmq, as there is no rabbitmq;'),
    expect.stringContaining('packages/broker-kafka, as there is no kafka;'),
    '0',
    '',
  ]);
});

test('each that is wanted and cannot be had counts as a failure', () => {
  const env = { ETCD_BIN: nothing, RABBITMQ_SERVER_BIN: nothing, JAVA_BIN: nothing };
  const lines = inSetup('console.log(setup.countMissingBackends());', env).trim().split('\n');
  expect(lines).toHaveLength(4);
  expect(lines[0]).toContain('the contract of packages/registry-etcd, as there is no etcd, which is one failure');
  expect(lines[3]).toBe('3');
});
