import { camelCase, pascalCase } from './names.ts';
import { commonFiles, commonManifest, json, type ProjectFiles, ranges } from './project-files.ts';

/** The interfaces that a plugin can implement. */
export const pluginInterfaces = ['broker', 'registry', 'transport'] as const;
export type PluginInterface = (typeof pluginInterfaces)[number];

/** Returns a plugin whose methods are not written yet, and the contract that says so. */
export function pluginProject(name: string, kind: PluginInterface): ProjectFiles {
  const file = `${name}-${kind}`;
  const type = pascalCase(file);
  const factory = camelCase(file);
  return {
    ...commonFiles(),
    'package.json': json({
      name,
      ...commonManifest,
      scripts: { ...commonManifest.scripts, contract: 'npm run build && node contract.js' },
      sideEffects: ['./dist/register.js'],
      files: ['dist'],
      exports: {
        '.': { types: './dist/index.d.ts', default: './dist/index.js' },
        './register': { types: './dist/register.d.ts', default: './dist/register.js' },
      },
      dependencies: ranges('@ts-micro/core', '@ts-micro/kit'),
      devDependencies: ranges('@ts-micro/testkit', '@types/node', 'typescript', 'vitest'),
    }),
    'src/index.ts': `export { ${factory} } from './${file}.ts';
export type { ${type}Options } from './${file}.ts';
`,
    'src/register.ts': `import { registerPlugin } from '@ts-micro/core';
import { ${factory} } from './${file}.ts';

registerPlugin('${kind}', '${name}', ({ addresses, logger }) => ${factory}({ addresses, logger }));
`,
    [`src/${file}.ts`]: sourceOf({ name, kind, type, factory }),
    'test/contract.test.ts': `import { test${pascalCase(kind)} } from '@ts-micro/testkit/vitest';
import { ${factory} } from '../src/${file}.ts';

// Each line of the contract is a test, and red until it is kept.
test${pascalCase(kind)}({ name: '${name}', open: () => ${factory}() });
`,
    'contract.js': `// The contract as a program: a report of its levels, as JSON with --json, as a badge with --badge contract.svg.
import { ${kind}Contract, runProgram } from '@ts-micro/testkit';
import { ${factory} } from './dist/index.js';

await runProgram(${kind}Contract({ name: '${name}', open: () => ${factory}() }));
`,
    'README.md': `# ${name}

A ${kind} of [ts-micro](https://github.com/ts-micro/ts-micro) over ${name}.

\`\`\`sh
npm install
npm test        # red until the contract is kept: it says what is missing
npx vitest      # the same each time that a file is saved; -t TEXT runs some of it
npm run build
npm run contract -- --badge contract.svg
\`\`\`

[Write a plugin](https://github.com/ts-micro/ts-micro/blob/main/docs/write-a-plugin.md) goes through all of it. Commit
\`package-lock.json\`; the workflow installs by it.
`,
  };
}

interface SourceInit {
  readonly name: string;
  readonly kind: PluginInterface;
  readonly type: string;
  readonly factory: string;
}

const descriptions: Readonly<Record<PluginInterface, string>> = {
  broker: 'Publish and subscribe',
  registry: 'Service discovery',
  transport: 'Request and response',
};

const methods: Readonly<Record<PluginInterface, readonly string[]>> = {
  broker: ['connect', 'disconnect', 'publish', 'subscribe'],
  registry: ['register', 'deregister', 'getService', 'listServices', 'watch'],
  transport: ['dial', 'listen'],
};

const members: Readonly<Record<PluginInterface, readonly string[]>> = {
  broker: [
    "address: addresses[0] ?? '',",
    'options: { addresses },',
    'supports: { queues: true, wildcards: true, maxBodyBytes: 1024 * 1024 },',
  ],
  registry: ['supports: { ttl: true, watch: true },'],
  transport: ['supports: { closeNotice: true, failFast: true, namedAddresses: true, maxBodyBytes: 1024 * 1024 },'],
};

function sourceOf({ name, kind, type, factory }: SourceInit): string {
  const isAddressed = kind === 'broker';
  const lines = [
    ...members[kind].map((member) =>
      member.startsWith('supports')
        ? `// What it cannot do it says here, and refuses with \`unsupported\`.\n    ${member}`
        : member,
    ),
    ...methods[kind].map((method) => `${method}: () => missing('${method}'),`),
  ];
  return `import { type ${pascalCase(kind)}, type Logger, MicroError } from '@ts-micro/core';
import { Lifetime } from '@ts-micro/kit';

export interface ${type}Options {
  /** Servers as \`host:port\`. */
  readonly addresses?: readonly string[] | undefined;
  /** @default silent */
  readonly logger?: Logger | undefined;
}

const who = '${name} ${kind}';

/** ${descriptions[kind]} over ${name}. */
export function ${factory}(${isAddressed ? '{ addresses = [] }' : '_options'}: ${type}Options = {}): ${pascalCase(kind)} {
  // What it opened is let go of here.
  const lifetime = new Lifetime(who, async () => {});
  const missing = async (method: string): Promise<never> => {
    lifetime.assertOpen();
    throw new MicroError('internal', \`\${who}: \${method} is not written yet\`);
  };

  return {
    name: '${name}',
    ${lines.join('\n    ')}
    closed: lifetime.closed,
    close: (options) => lifetime.close(options),
    [Symbol.asyncDispose]: () => lifetime.close(),
  };
}
`;
}
