import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { findFloorProblems } from '../floors.mjs';

const cases: { title: string; files: Record<string, string>; problem: string | undefined }[] = [
  {
    title: 'a plugin imports core and nats',
    files: { 'packages/broker-nats/src/index.ts': "import '@ts-micro/core'; export * from '@ts-micro/nats';" },
    problem: undefined,
  },
  {
    title: 'core imports nothing',
    files: { 'packages/core/src/index.ts': "import '@ts-micro/nats';" },
    problem: 'packages/core/src/index.ts imports @ts-micro/nats: core imports nothing',
  },
  {
    title: 'core imports nothing of Node',
    files: { 'packages/core/src/a.ts': "import type { Socket } from 'node:net';" },
    problem: 'packages/core/src/a.ts imports node:net: core runs anywhere, so it imports nothing of Node',
  },
  {
    title: 'a plugin imports no other plugin',
    files: { 'packages/broker-nats/src/deep/a.ts': "export { x } from '@ts-micro/memory';" },
    problem:
      'packages/broker-nats/src/deep/a.ts imports @ts-micro/memory: @ts-micro/broker-nats may not import @ts-micro/memory',
  },
  {
    title: 'service imports no plugin, not even when it is needed',
    files: { 'packages/service/src/a.ts': "await import('@ts-micro/memory');" },
    problem: 'packages/service/src/a.ts imports @ts-micro/memory: @ts-micro/service may not import @ts-micro/memory',
  },
  {
    title: 'the tests of service import plugins',
    files: { 'packages/service/test/a.test.ts': "import '@ts-micro/memory';" },
    problem: undefined,
  },
  {
    title: 'only nats imports the NATS client',
    files: { 'packages/broker-nats/src/a.ts': "import { connect } from 'nats';" },
    problem: 'packages/broker-nats/src/a.ts imports nats: only @ts-micro/nats imports the NATS client',
  },
  {
    title: 'in nats only the connection and what the client does not export import it',
    files: { 'packages/nats/src/link/a.ts': "import 'nats';", 'packages/nats/src/vendor/a.ts': "import 'nats';" },
    problem: 'packages/nats/src/link/a.ts imports nats: only connection/ and vendor/ use the NATS client',
  },
  {
    title: 'and they alone import the file that loads it',
    files: {
      'packages/nats/src/link/a.ts': "import client from '#nats-client';",
      'packages/nats/src/connection/a.ts': "import client from '#nats-client';",
    },
    problem: 'packages/nats/src/link/a.ts imports #nats-client: only connection/ and vendor/ use the NATS client',
  },
  {
    title: 'nobody imports a file of its package that is not in its imports',
    files: { 'packages/service/src/a.ts': "import '#nats-client';" },
    problem: 'packages/service/src/a.ts imports #nats-client: the imports of @ts-micro/service do not list it',
  },
  {
    title: 'nobody imports the source of another package',
    files: { 'packages/service/test/a.test.ts': "import '../../memory/src/index.ts';" },
    problem:
      'packages/service/test/a.test.ts imports ../../memory/src/index.ts: packages/memory/src/index.ts belongs to somebody else; import it by its package name',
  },
  {
    title: 'nobody imports a path that is not in the exports',
    files: { 'packages/service/test/a.test.ts': "import '@ts-micro/memory/src/index.ts';" },
    problem:
      'packages/service/test/a.test.ts imports @ts-micro/memory/src/index.ts: the exports of @ts-micro/memory do not list ./src/index.ts',
  },
  {
    title: 'a package lists what it imports',
    files: { 'packages/memory/src/a.ts': "import 'left-pad';" },
    problem: 'packages/memory/src/a.ts imports left-pad: the package.json of @ts-micro/memory does not list left-pad',
  },
  {
    title: 'what is shipped does not import a dependency of development',
    files: { 'packages/memory/src/a.ts': "import 'vitest';" },
    problem: 'packages/memory/src/a.ts imports vitest: the package.json of @ts-micro/memory does not list vitest',
  },
  {
    title: 'what is shipped does not import tests',
    files: { 'packages/memory/src/a.ts': "import '../test/a.ts';" },
    problem: 'packages/memory/src/a.ts imports ../test/a.ts: src imports only src',
  },
  {
    title: 'examples import what they compose',
    files: { 'examples/greeter/src/a.ts': "import '@ts-micro/service'; import '@ts-micro/memory';" },
    problem: undefined,
  },
  {
    title: 'an import in a comment is none',
    files: { 'packages/core/src/a.ts': "// import '@ts-micro/nats';\n/** import 'nats' */" },
    problem: undefined,
  },
];

for (const { title, files, problem } of cases) {
  test(title, () => {
    const root = mkdtempSync(join(tmpdir(), 'ts-micro-floors-'));
    onTestFinished(() => rmSync(root, { recursive: true }));
    const write = (path: string, text: string): void => {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    };
    const manifest = (folder: string, name: string, dependencies: string[], devDependencies: string[] = []): void =>
      write(
        `${folder}/package.json`,
        JSON.stringify({
          name,
          exports: { '.': './src/index.ts' },
          imports: name === '@ts-micro/nats' ? { '#nats-client': './nats-client.cjs' } : undefined,
          dependencies: Object.fromEntries(dependencies.map((each) => [each, '*'])),
          devDependencies: Object.fromEntries(devDependencies.map((each) => [each, '*'])),
        }),
      );
    manifest('packages/core', '@ts-micro/core', []);
    manifest('packages/nats', '@ts-micro/nats', ['@ts-micro/core', 'nats']);
    manifest('packages/memory', '@ts-micro/memory', ['@ts-micro/core'], ['vitest']);
    manifest('packages/broker-nats', '@ts-micro/broker-nats', ['@ts-micro/core', '@ts-micro/nats', 'nats']);
    manifest('packages/service', '@ts-micro/service', ['@ts-micro/core'], ['@ts-micro/memory']);
    manifest('examples/greeter', '@ts-micro-examples/greeter', ['@ts-micro/service', '@ts-micro/memory']);
    for (const [path, text] of Object.entries(files)) write(path, text);
    expect(findFloorProblems(root)).toEqual(problem === undefined ? [] : [problem]);
  });
}
