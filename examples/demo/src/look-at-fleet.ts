import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { natsBroker } from '@ts-micro/broker-nats';
import { runCommandLine } from '@ts-micro/cli';
import type { NatsConnection } from '@ts-micro/nats';
import { natsServices } from '@ts-micro/nats-services';
import { natsRegistry } from '@ts-micro/registry-nats';
import { natsTransport } from '@ts-micro/transport-nats';
import { createGreeter } from '@ts-micro-examples/greeter';
import { expect, show, tell } from './tell.ts';

/** What an operator sees of a running greeter, with `ts-micro` and with NATS' own `nats` where that is installed. */
export async function lookAtFleet(connection: NatsConnection): Promise<void> {
  tell("One more greeter starts, which NATS' own tools see as well. An operator looks at it: ts-micro services");
  await using transport = natsTransport({ connection });
  await using broker = natsBroker({ connection });
  await using registry = natsRegistry({ connection });
  const { service, client } = createGreeter({ transport, broker, registry }, () => {});
  await using _client = client;
  await using greeter = service;
  natsServices(greeter, { connection });
  await greeter.start();
  const code = await runCommandLine(['services', `--nats_address=${connection.address}`]);
  expect(code === 0, 'ts-micro services exits with 0');

  tell("The same by NATS' own command line: nats micro ls");
  const said = await natsSays('micro', 'ls', '--server', connection.address);
  if (said === undefined) {
    show('not shown, as there is no program called nats on PATH');
    return;
  }
  console.log(said);
  expect(said.includes('greeter'), 'nats micro ls lists the greeter');
}

/** What `nats` says; `undefined` where there is no such program. */
async function natsSays(...parameters: readonly string[]): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)('nats', parameters, { timeout: 30_000 });
    return stdout.trimEnd();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
