import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { listPackages } from './workspaces.mjs';

const longestReadme = 80;
const home = 'https://github.com/ts-micro/ts-micro';

/** What is wrong in the package.json, README and LICENSE of each package. @type {(root: string) => string[]} */
export function findManifestProblems(root) {
  const license = readFileSync(join(root, 'LICENSE'), 'utf8');
  // Decision 0007 leans on members of the client that it does not declare.
  const pin = /^ {2}nats: (.*)$/m.exec(readFileSync(join(root, 'pnpm-workspace.yaml'), 'utf8'))?.[1];
  const pinProblems = /^\d+\.\d+\.\d+$/.test(pin ?? '') ? [] : [`pnpm-workspace.yaml: nats is ${pin}, not one version`];
  const packageProblems = listPackages(root).flatMap(({ folder, manifest }) => {
    /** @type {string[]} */
    const problems = [];
    /** @type {(ok: boolean, problem: string) => void} */
    const demand = (ok, problem) => void (ok || problems.push(`${folder}: ${problem}`));
    /** @type {(file: string) => string} */
    const read = (file) => (existsSync(join(root, folder, file)) ? readFileSync(join(root, folder, file), 'utf8') : '');

    demand(manifest.name === `@ts-micro/${basename(folder)}`, `its name is ${manifest.name}, not that of its folder`);
    demand(manifest.license === 'Apache-2.0', 'license is not Apache-2.0');
    demand(manifest.type === 'module', 'type is not module');
    demand(manifest.engines?.node === '>=20.19', 'engines.node is not >=20.19');
    demand(manifest.homepage === `${home}/tree/main/${folder}#readme`, 'homepage is not its folder in the repository');
    demand(manifest.bugs === `${home}/issues`, 'bugs is not where issues of the repository are');
    demand(
      isDeepStrictEqual(manifest.repository, { type: 'git', url: `git+${home}.git`, directory: folder }),
      'repository is not its folder in the repository, from which provenance is told',
    );
    demand(
      ['ts-micro', 'microservices'].every((word) => manifest.keywords?.includes(word)) && manifest.keywords.length > 2,
      'keywords are not ts-micro, microservices and what it is about',
    );
    demand(manifest.publishConfig?.access === 'public', 'publishConfig.access is not public');
    demand(read('LICENSE') === license, 'its LICENSE is not a copy of the one at the top');

    const readme = read('README.md');
    const { heading, paragraph } = beginningOf(readme);
    demand(heading === manifest.name, `README.md does not begin with "# ${manifest.name}"`);
    demand(
      paragraph === manifest.description || paragraph.startsWith(`${manifest.description} `),
      `the first sentence of README.md is not the description "${manifest.description}"`,
    );
    demand(
      !readme.includes('](../../'),
      'README.md links to a path that an installed package does not have; write the URL',
    );
    const lines = readme.trimEnd().split('\n').length;
    demand(lines <= longestReadme, `README.md has ${lines} lines, and ${longestReadme} is the most`);

    for (const [entry, target] of Object.entries(manifest.exports)) {
      if (entry === './package.json') continue;
      const source = target['@ts-micro/source'];
      demand(typeof source === 'string' && read(source) !== '', `exports["${entry}"] has no source file`);
      const output = String(source).replace('./src/', './dist/').replace(/\.ts$/, '');
      const expected = { '@ts-micro/source': source, types: `${output}.d.ts`, default: `${output}.js` };
      demand(isDeepStrictEqual(target, expected), `exports["${entry}"] does not point at what ${source} is built to`);
    }
    demand(
      isDeepStrictEqual(manifest.publishConfig?.exports, withoutSource(manifest.exports)),
      'publishConfig.exports is not exports without @ts-micro/source',
    );
    const effects = './register' in manifest.exports ? ['./dist/register.js'] : false;
    demand(
      isDeepStrictEqual(manifest.sideEffects, effects),
      `sideEffects is not ${JSON.stringify(effects)}: only registering has effects`,
    );
    return problems;
  });
  return [...pinProblems, ...packageProblems];
}

/** @type {(readme: string) => { heading: string, paragraph: string }} */
function beginningOf(readme) {
  const [heading = '', paragraph = ''] = readme.split(/\n{2,}/);
  return { heading: heading.replace(/^# `?|`?$/g, ''), paragraph: paragraph.replaceAll('\n', ' ') };
}

/** @type {(exports: Record<string, any>) => Record<string, any>} */
function withoutSource(exports) {
  return Object.fromEntries(
    Object.entries(exports).map(([entry, target]) => {
      if (typeof target === 'string') return [entry, target];
      const { '@ts-micro/source': _source, ...published } = target;
      return [entry, published];
    }),
  );
}
