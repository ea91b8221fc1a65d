import assert from 'node:assert/strict';
import { MicroError } from '@ts-micro/core';
import { natsServices } from '@ts-micro/nats-services';
import { createService } from '@ts-micro/service';
import { findPython, runPython } from '../../matrix/nats-command.ts';
import type { Row } from '../../matrix/row.ts';
import type { Stage } from '../../matrix/stage.ts';

const direction = 'command';
// Nothing of Go Micro is in it, so it need not be run with every generation.
const generations = ['v5'];
// The first of them builds the program, or installs the library.
const withinMs = 600_000;
const name = 'plain-greeter';

/** Runs while a service is there that NATS sees. */
async function withPlainGreeter(stage: Stage, play: (id: string) => Promise<void>): Promise<void> {
  const { plugins } = await stage.tsClient();
  const service = createService({ name, version: '1.2.0', id: 'one', drainGraceMs: 0, ...plugins });
  service.handle(
    'Greeter.Hello',
    (request: { name: string }) => {
      if (request.name === '') throw new MicroError('invalid', 'a name is needed');
      return { msg: `Hello ${request.name}` };
    },
    { metadata: { description: 'Says hello' } },
  );
  natsServices(service, { servers: stage.nats.address, description: 'Greets plainly' });
  await service.start();
  try {
    await play(`${name}-one`);
  } finally {
    await service.stop();
  }
}

const pythonClient = `
import asyncio, json, sys
import nats

async def main():
    client = await nats.connect(sys.argv[1])
    hello = await client.request("${name}.Greeter.Hello", b'{"name":"John"}', timeout=10)
    failed = await client.request("${name}.Greeter.Hello", b'{"name":""}', timeout=10)
    info = await client.request("$SRV.INFO.${name}", b"", timeout=10)
    print(json.dumps([json.loads(hello.data), failed.headers, json.loads(info.data)["endpoints"][0]["subject"]]))
    await client.drain()

asyncio.run(main())
`;

/** What NATS' own tools and clients make of a TypeScript service with `natsServices`. */
export const natsServicesRows: readonly Row[] = [
  {
    id: 'nats-micro',
    title: '`nats micro ls`, `info`, `stats` and `ping` see, describe and measure a TypeScript service',
    direction,
    generations,
    withinMs,
    run: (stage) =>
      withPlainGreeter(stage, async (id) => {
        await stage.natsCommand('req', `${name}.Greeter.Hello`, '{"name":"John"}');
        const list = await stage.natsCommand('micro', 'ls');
        assert.match(list, new RegExp(`${name} .* 1\\.2\\.0 .* ${id} .* Greets plainly`));
        const info = await stage.natsCommand('micro', 'info', name);
        assert.match(info, new RegExp(`Subject: ${name}\\.Greeter\\.Hello`));
        assert.match(info, /Says hello/);
        assert.match(await stage.natsCommand('micro', 'stats', name), /Greeter-Hello +│ 1 +│ q +│ 0 /);
        assert.match(await stage.natsCommand('micro', 'ping'), new RegExp(`${name} ${id} .*rtt=`));
      }),
  },
  {
    id: 'nats-req',
    title: '`nats req` calls a TypeScript service with plain JSON, and shows an error of its handler',
    direction,
    generations,
    withinMs,
    run: (stage) =>
      withPlainGreeter(stage, async () => {
        const hello = await stage.natsCommand('req', `${name}.Greeter.Hello`, '{"name":"John"}');
        assert.match(hello, /\{"msg":"Hello John"\}/);
        const failed = await stage.natsCommand('req', `${name}.Greeter.Hello`, '{"name":""}');
        assert.match(failed, /Nats-Service-Error: a name is needed/);
        assert.match(failed, /Nats-Service-Error-Code: 400/);
      }),
  },
  {
    id: 'nats-py',
    title: 'nats-py finds and calls a TypeScript service with plain JSON, and gets its errors',
    direction,
    generations,
    withinMs,
    run: (stage) =>
      withPlainGreeter(stage, async () => {
        const said = await runPython(findPython(), pythonClient, stage.nats.address);
        assert.deepEqual(JSON.parse(said), [
          { msg: 'Hello John' },
          { 'Nats-Service-Error': 'a name is needed', 'Nats-Service-Error-Code': '400' },
          `${name}.Greeter.Hello`,
        ]);
      }),
  },
];
