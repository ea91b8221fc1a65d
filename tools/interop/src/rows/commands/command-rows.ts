import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Row } from '../../matrix/row.ts';
import type { Stage } from '../../matrix/stage.ts';
import { seeded } from '../mutate.ts';
import { randomRecord } from '../random-record.ts';

const direction = 'command';
// The command line came with v5; it speaks to services of every generation by the same wire.
const generations = ['v5'];

/**
 * The endpoints of a record as `micro SERVICE ...` spells them: `Greeter.WhoAmI` is `whoAmI` below a service `greeter`.
 */
function wordsOf(endpoint: string, service: string): string[] {
  const name = endpoint
    .split('.')
    .map((part) => part.charAt(0).toLowerCase() + part.slice(1))
    .join('.');
  return (name.startsWith(`${service}.`) ? name.slice(service.length + 1) : name).split('.');
}

/**
 * What `micro` says. It is asked again where it says nothing, as its registry waits only 100 ms for a service's answer.
 */
async function says(stage: Stage, ...parameters: string[]): Promise<string> {
  for (let tries = 1; ; tries++) {
    const { stdout, stderr } = await stage.micro(...parameters);
    if (stdout.trim() !== '') return stdout;
    // Its help goes to stderr.
    if (stderr.includes('USAGE:')) return stderr;
    if (tries === 10) throw new Error(`micro ${parameters.join(' ')} says nothing: ${stderr}`);
  }
}

async function describe(stage: Stage, service: string): Promise<{ endpoints: { name: string }[] }> {
  return JSON.parse(await says(stage, 'describe', service));
}

/** What Go Micro's own command line makes of our services. */
export const commandRows: readonly Row[] = [
  {
    id: 'micro-services',
    title: '`micro services` lists a TypeScript service, `micro describe` shows its endpoints with a request each',
    direction,
    generations,
    run: async (stage) => {
      await stage.serveTs({ name: 'greeter' });
      const services = await says(stage, 'services');
      assert.ok(services.split('\n').includes('greeter'), services);
      const { endpoints } = await describe(stage, 'greeter');
      assert.ok(endpoints.length >= 8, JSON.stringify(endpoints));
      for (const endpoint of endpoints) {
        assert.ok('request' in endpoint && endpoint.request !== null, `no request in ${JSON.stringify(endpoint)}`);
      }
    },
  },
  {
    id: 'micro-call',
    title: '`micro call` and `micro greeter hello --name=John` call a TypeScript service',
    direction,
    generations,
    run: async (stage) => {
      await stage.serveTs({ name: 'greeter' });
      const called = await says(stage, 'call', 'greeter', 'Greeter.Hello', '{"name":"John"}');
      assert.deepEqual(JSON.parse(called), { msg: 'Hello John' });
      assert.match(await says(stage, 'greeter', 'hello', '--name=John'), /Hello John/);
    },
  },
  {
    id: 'micro-mcp',
    title: "Go Micro's MCP server lists a TypeScript endpoint with its description and fields",
    direction,
    generations,
    run: async (stage) => {
      await stage.serveTs({ name: 'greeter' });
      // Waits until its registry has heard of the service.
      await says(stage, 'describe', 'greeter');
      const question = '{"jsonrpc":"2.0","id":1,"method":"tools/list"}\n';
      const { stdout } = await stage.microReading(question, 'mcp', 'serve');
      const { tools } = JSON.parse(stdout.split('\n')[0] ?? '').result;
      const hello = tools.find(({ name }: { name: string }) => name === 'greeter.Greeter.Hello');
      assert.match(hello?.description, /Greets somebody by name/);
      assert.equal(hello.inputSchema.properties.name.type, 'string');
    },
  },
  {
    id: 'micro-every-endpoint',
    title: '`micro SERVICE ENDPOINT` and its `--help` survive every kind of endpoint: plain, stream, subscriber',
    direction,
    generations,
    run: async (stage) => {
      await stage.serveTs({ name: 'greeter' });
      assert.match(await says(stage, 'greeter', '--help'), /hello/);
      const { endpoints } = await describe(stage, 'greeter');
      for (const { name } of endpoints) {
        const words = wordsOf(name, 'greeter');
        await stage.micro('greeter', ...words, '--help');
        await stage.micro('greeter', ...words, '--name=John');
      }
    },
  },
  {
    id: 'micro-any-record',
    title: 'no record of 200 random ones that a TypeScript registry can announce makes the `micro` command panic',
    direction,
    generations,
    // Six hundred processes.
    withinMs: 400_000,
    run: async (stage) => {
      const { registry } = await stage.tsClient();
      const random = seeded(20);
      for (let n = 0; n < 200; n++) {
        const name = `random-${randomUUID().slice(0, 8)}`;
        const record = randomRecord(random, name);
        await registry.register(record);
        await describe(stage, name);
        const words = wordsOf(record.endpoints[0]?.name ?? 'none', name);
        await stage.micro(name, ...words, '--help');
        await stage.micro(name, ...words, '--name=John');
        await registry.deregister(record);
      }
    },
  },
];
