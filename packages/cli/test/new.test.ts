import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CommandLine } from './program/command-line.ts';

// Where nobody is: none of this asks a server.
const program = new CommandLine('127.0.0.1:1');

// `npm run check -- generated` installs such projects from tarballs, tests, builds and runs them.
describe('ts-micro new', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ts-micro-new-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const filesIn = async (project: string) =>
    (await readdir(project, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(project.length + 1))
      .sort();

  it('writes a service by its name, and says what to do next', async () => {
    const project = join(folder, 'price-list');
    const { code, out, err } = await program.run(['new', 'service', 'price-list', '--out', project]);
    expect(code).toBe(0);
    expect(await filesIn(project)).toEqual(out.trimEnd().split('\n'));
    expect(err).toBe(`wrote a service to ${project}; there, npm install, then npm test, npm run build, npm start\n`);
    const manifest = JSON.parse(await readFile(join(project, 'package.json'), 'utf8'));
    expect(manifest).toMatchObject({ name: 'price-list', type: 'module', scripts: { start: 'node dist/main.js' } });
    expect(await readFile(join(project, 'src/service.ts'), 'utf8')).toContain("'PriceList.Hello'");
    expect(await readFile(join(project, '.github/workflows/ci.yml'), 'utf8')).toContain('npm ci');
  });

  it.each([
    ['broker', 'testBroker', 'publish'],
    ['registry', 'testRegistry', 'getService'],
    ['transport', 'testTransport', 'dial'],
  ])('writes a plugin that is a %s, with its contract', async (kind, contract, method) => {
    const project = join(folder, 'p');
    const words = ['new', 'plugin', 'bus', '--interface', kind, '--out', project, '--json'];
    const { code, out } = await program.run(words);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual({ kind: 'plugin', name: 'bus', folder: project, files: await filesIn(project) });
    expect(await readFile(join(project, 'test/contract.test.ts'), 'utf8')).toContain(contract);
    expect(await readFile(join(project, `src/bus-${kind}.ts`), 'utf8')).toContain(`missing('${method}')`);
    expect(await readFile(join(project, 'src/register.ts'), 'utf8')).toContain(`registerPlugin('${kind}', 'bus'`);
  });

  it('writes into no folder where something is', async () => {
    await writeFile(join(folder, 'mine.txt'), 'mine');
    const { code, out, err } = await program.run(['new', 'service', 'greeter', '--out', folder]);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toBe(`ts-micro: ${folder} is not empty; name another folder with --out\n`);
    expect(await readdir(folder)).toEqual(['mine.txt']);
  });

  it.each([
    [['new', 'service', '../greeter'], 'the name "../greeter" is not lower-case letters'],
    [['new', 'service', 'Greeter'], 'the name "Greeter" is not lower-case letters'],
    [['new', 'gateway', 'greeter'], 'a gateway cannot be made: it is a service or a plugin'],
    [['new', 'plugin', 'bus', '--interface', 'cache'], 'a plugin implements one of broker, registry, transport'],
    [['new', 'service'], "missing required argument 'name'"],
  ])('%j is wrong usage, in one line', async (words, line) => {
    const { code, out, err } = await program.run(words);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(`ts-micro: ${line}`);
    expect(err.trimEnd().split('\n')).toHaveLength(1);
  });
});
