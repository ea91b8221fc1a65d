import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from './program.mjs';

// Inside this workspace, from where the packages can be imported.
const folder = fileURLToPath(new URL('.instantiations/', import.meta.url));
const endpoints = 200;
/** 301,766 when this was written, zod's own inference of schemas that are used included. */
const mostInstantiations = 330_000;

/**
 * Measures what a large definition costs the compiler, by the number of types it instantiates, which is the same on
 * every machine: a definition with a handler and a call for each endpoint, less what its schemas alone take.
 *
 * @type {(root: string) => Promise<string[]>}
 */
export async function findInstantiationProblems(root) {
  const [small, schemas, large] = [
    await instantiations(root, 'small', program(1, true)),
    await instantiations(root, 'schemas', program(endpoints, false)),
    await instantiations(root, 'large', program(endpoints, true)),
  ];
  rmSync(folder, { recursive: true, force: true });
  if ([small, schemas, large].some(Number.isNaN)) return ['the generated definition does not compile'];
  const own = large - schemas;
  console.log(
    `  ${endpoints} endpoints: ${large} instantiations, ${own} more than its schemas alone; 1 endpoint: ${small}`,
  );
  return own > mostInstantiations
    ? [
        `a definition of ${endpoints} endpoints makes ${own} instantiations more than its schemas; ${mostInstantiations} is the most`,
      ]
    : [];
}

/**
 * A definition with a handler and a call for each endpoint, or its schemas alone.
 *
 * @type {(count: number, isWhole: boolean) => string}
 */
function program(count, isWhole) {
  const numbers = Array.from({ length: count }, (_, number) => number);
  const schemas = numbers.map(
    (n) => `const request${n} = z.object({ name${n}: z.string(), tags: z.array(z.object({ id${n}: z.number() })) });
const response${n} = z.object({ msg${n}: z.string(), at: z.string().optional() });
const error${n} = z.object({ limit${n}: z.number() });`,
  );
  if (!isWhole) {
    const uses = numbers.map((n) => `export const use${n} = [request${n}, response${n}, error${n}].length;`);
    return [`import { z } from 'zod';`, ...schemas, ...uses].join('\n');
  }
  const definitions = numbers.map(
    (n) =>
      `'Type${n % 20}.Method${n}': unary({ request: request${n}, response: response${n}, errors: { no${n}: error${n} } }),`,
  );
  const handlers = numbers.map(
    (n) => `'Type${n % 20}.Method${n}': ({ name${n} }, _context, fail) => {
  if (name${n} === '') throw fail('no${n}', { limit${n}: 1 });
  return { msg${n}: name${n} };
},`,
  );
  const calls = numbers.map(
    (n) => `const { msg${n} } = await api.Type${n % 20}.Method${n}({ name${n}: '', tags: [{ id${n}: 1 }] });
console.log(msg${n}.length);`,
  );
  return `import { defineService, implement, typedClient, unary } from '@ts-micro/definition';
import type { Client, Service } from '@ts-micro/service';
import { z } from 'zod';
${schemas.join('\n')}
const definition = defineService({ name: 'large', endpoints: {
${definitions.join('\n')}
} });
export function serve(service: Service): void {
  implement(service, definition, {
${handlers.join('\n')}
  });
}
export async function call(client: Client): Promise<void> {
  const api = typedClient(client, definition);
${calls.join('\n')}
}
`;
}

/** @type {(root: string, name: string, source: string) => Promise<number>} */
async function instantiations(root, name, source) {
  const project = join(folder, name);
  mkdirSync(project, { recursive: true });
  writeFileSync(join(project, 'definition.ts'), source);
  writeFileSync(
    join(project, 'tsconfig.json'),
    JSON.stringify({
      extends: '../../../../tsconfig.base.json',
      compilerOptions: {
        moduleDetection: 'force',
        isolatedDeclarations: false,
        declaration: false,
        noUnusedLocals: false,
      },
      files: ['definition.ts'],
    }),
  );
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const { output } = await run(
    process.execPath,
    [compiler, '-p', project, '--extendedDiagnostics', '--pretty', 'false'],
    {
      cwd: root,
    },
  );
  if (/error TS/.test(output)) console.log(output.split('\n').slice(0, 5).join('\n'));
  return /error TS/.test(output) ? Number.NaN : Number(/Instantiations:\s+(\d+)/.exec(output)?.[1]);
}
