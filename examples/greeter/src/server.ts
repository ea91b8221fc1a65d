import '@ts-micro/memory/register';
import '@ts-micro/broker-nats/register';
import '@ts-micro/registry-nats/register';
import '@ts-micro/transport-nats/register';
import { fromFlags } from '@ts-micro/service';
import { createGreeter } from './greeter.ts';
import { runToEnd } from './run-to-end.ts';

// The greeter, composed by flags: `node server.js --registry=nats --transport=nats --broker=nats`.
await runToEnd('greeter server', async (stopRequested) => {
  await using plugins = fromFlags(process.argv, process.env);
  const { service, client } = createGreeter(plugins, (text) => console.log(`say ${text}`));
  await using _client = client;
  await using _service = service;
  const stopping = new Promise((resolve) => stopRequested.addEventListener('abort', resolve, { once: true }));
  try {
    await service.start({ signal: stopRequested });
  } catch (error) {
    if (stopRequested.aborted) return;
    throw error;
  }
  console.log(`ready ${service.name} ${service.node?.id} ${service.node?.address}`);
  await stopping;
  const { abandoned } = await service.stop();
  if (abandoned.length > 0) console.error(`greeter server: abandoned ${abandoned.join(', ')}`);
});
