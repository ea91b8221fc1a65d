import { natsRegistry } from '@ts-micro/registry-nats';
import { startNatsServer } from '@ts-micro/testkit/nats';
import { natsTransport } from '@ts-micro/transport-nats';
import { expect, test } from 'vitest';
import { createClient } from '../src/client/create-client.ts';
import { createService } from '../src/server/create-service.ts';

test('clients that wait for their answers are refused nothing however busy a node is', {
  timeout: 60_000,
}, async () => {
  await using server = await startNatsServer();
  const open = () => ({
    transport: natsTransport({ servers: server.url }),
    registry: natsRegistry({ servers: server.url }),
  });
  const plugins = [open(), open(), open(), open()] as const;
  const [own, ...others] = plugins;
  await using service = createService({ name: 'busy', ...own });
  let handled = 0;
  service.handle('Busy.Echo', () => ++handled);
  await service.start();
  const clients = others.map((each) => createClient({ ...each, retries: 0 }));
  const ask = async (client: (typeof clients)[number]) => {
    for (let count = 0; count < 50; count++) await client.call('busy', 'Busy.Echo', { count }, { timeoutMs: 50_000 });
  };
  await Promise.all(clients.flatMap((client) => Array.from({ length: 200 }, () => ask(client))));
  expect(handled).toBe(30_000);
  await Promise.all(clients.map((client) => client.close()));
  await service.stop();
  await Promise.all(plugins.flatMap((each) => Object.values(each).map((plugin) => plugin.close())));
});

test('very many streams whose handlers send without a pause let the event loop turn', {
  timeout: 60_000,
}, async () => {
  await using server = await startNatsServer();
  await using transport = natsTransport({ servers: server.url });
  await using registry = natsRegistry({ servers: server.url });
  await using service = createService({ name: 'busy', transport, registry });
  await using client = createClient({ transport, registry });
  let start: () => void = () => {};
  const started = new Promise<void>((resolve) => {
    start = resolve;
  });
  let waiting = 0;
  let left = 50;
  service.handleStream('Busy.Count', async (stream) => {
    waiting++;
    await started;
    for (let value = 0; value < 10; value++) {
      const end = performance.now() + 1;
      while (performance.now() < end);
      await stream.send(value);
    }
    left--;
  });
  await service.start();
  const streams = await Promise.all(Array.from({ length: left }, () => client.stream('busy', 'Busy.Count')));
  await expect.poll(() => waiting, { timeout: 20_000 }).toBe(50);
  let turns = 0;
  const turn = () => {
    if (left === 0) return;
    turns++;
    setImmediate(turn);
  };
  setImmediate(turn);
  start();
  for (const stream of streams) for await (const _ of stream);
  expect(turns).toBeGreaterThan(3);
});
