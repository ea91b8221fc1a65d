import { pascalCase } from './names.ts';
import { commonFiles, commonManifest, json, type ProjectFiles, ranges } from './project-files.ts';

/** Returns a service with one endpoint, a test of it, and a program that runs it. */
export function serviceProject(name: string): ProjectFiles {
  const type = pascalCase(name);
  const create = `create${type}`;
  return {
    ...commonFiles(),
    'package.json': json({
      name,
      private: true,
      ...commonManifest,
      scripts: { ...commonManifest.scripts, start: 'node dist/main.js' },
      dependencies: ranges(
        '@ts-micro/broker-nats',
        '@ts-micro/core',
        '@ts-micro/memory',
        '@ts-micro/registry-nats',
        '@ts-micro/service',
        '@ts-micro/transport-nats',
      ),
      devDependencies: ranges('@types/node', 'typescript', 'vitest'),
    }),
    'src/service.ts': `import { MicroError } from '@ts-micro/core';
import { createService, type Service, type ServiceOptions } from '@ts-micro/service';

export interface HelloRequest {
  readonly name: string;
}

export interface HelloResponse {
  readonly msg: string;
}

/** Makes the service; the plugins say what it runs on. */
export function ${create}(plugins: Pick<ServiceOptions, 'transport' | 'broker' | 'registry'>): Service {
  const service = createService({ name: '${name}', version: '0.1.0', ...plugins });
  service.handle<HelloRequest, HelloResponse>('${type}.Hello', ({ name }) => {
    if (!name) throw new MicroError('invalid', 'a name is needed');
    return { msg: \`Hello \${name}\` };
  });
  return service;
}
`,
    'src/main.ts': `import '@ts-micro/broker-nats/register';
import '@ts-micro/memory/register';
import '@ts-micro/registry-nats/register';
import '@ts-micro/transport-nats/register';
import { fromFlags, run } from '@ts-micro/service';
import { ${create} } from './service.ts';

// NATS, where neither a flag nor the environment chooses something else.
const defaults = { MICRO_TRANSPORT: 'nats', MICRO_BROKER: 'nats', MICRO_REGISTRY: 'nats' };
await using plugins = fromFlags(process.argv, { ...defaults, ...process.env });
await run(${create}(plugins));
`,
    'test/service.test.ts': `import { memoryBroker, memoryNetwork, memoryRegistry, memoryTransport } from '@ts-micro/memory';
import { createClient } from '@ts-micro/service';
import { expect, it } from 'vitest';
import { ${create} } from '../src/service.ts';

it('greets by name, and refuses an empty one', async () => {
  const network = memoryNetwork();
  await using transport = memoryTransport({ network });
  await using broker = memoryBroker({ network });
  await using registry = memoryRegistry({ network });
  await using service = ${create}({ transport, broker, registry });
  await service.start();
  await using client = createClient({ transport, broker, registry });
  expect(await client.call('${name}', '${type}.Hello', { name: 'John' })).toEqual({ msg: 'Hello John' });
  await expect(client.call('${name}', '${type}.Hello', { name: '' })).rejects.toMatchObject({ remote: { code: 400 } });
});
`,
    'README.md': `# ${name}

A service of [ts-micro](https://github.com/ts-micro/ts-micro).

\`\`\`sh
npm install
npm test
npm run build && npm start -- --nats_address=127.0.0.1:4222
npx @ts-micro/cli call ${name} ${type}.Hello '{"name":"John"}'
\`\`\`

\`src/service.ts\` is the service, \`src/main.ts\` runs it on what flags and environment choose:
\`npx @ts-micro/cli flags\` lists them. Without a server: \`--transport=memory
--broker=memory --registry=memory\`. Commit \`package-lock.json\`; the workflow installs by it.
`,
  };
}
