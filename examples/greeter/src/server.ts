import '@ts-micro/memory/register';
import '@ts-micro/broker-nats/register';
import '@ts-micro/registry-nats/register';
import '@ts-micro/transport-nats/register';
import { type LogFields, MicroError, silentLogger } from '@ts-micro/core';
import { fromFlags, run } from '@ts-micro/service';
import { createGreeter } from './greeter.ts';
import { runToEnd } from './run-to-end.ts';

// The greeter, composed by flags: `node server.js --registry=nats --transport=nats --broker=nats`.
await runToEnd('greeter server', async () => {
  await using plugins = fromFlags(process.argv, process.env);
  const { service, client } = createGreeter(plugins, (text) => console.log(`say ${text}`));
  await using _client = client;
  await run(service, {
    onRunning: () => console.log(`ready ${service.name} ${service.node?.id} ${service.node?.address}`),
    logger: { ...silentLogger, warn: complain, error: complain },
  });
});

function complain(message: string, { error, abandoned = '' }: LogFields = {}): void {
  console.error(`greeter server: ${error === undefined ? `${message} ${abandoned}` : MicroError.textOf(error)}`);
}
