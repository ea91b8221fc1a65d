import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { natsBroker } from '@ts-micro/broker-nats';
import { natsRegistry } from '@ts-micro/registry-nats';
import { createClient, createService } from '@ts-micro/service';
import { startNatsServer } from '@ts-micro/testkit/nats';
import { natsTransport } from '@ts-micro/transport-nats';
import { expect, it } from 'vitest';
import { openTelemetry } from '../src/index.ts';
import { OtlpReceiver } from './otlp-receiver.ts';
import { keepContext, w3c } from './world.ts';

it('a trace over services and an event on NATS is one tree at an OTLP receiver', async () => {
  using _context = keepContext();
  await using nats = await startNatsServer();
  await using receiver = await OtlpReceiver.open();
  const exporter = new OTLPTraceExporter({ url: receiver.url });
  const tracerProvider = new BasicTracerProvider({ spanProcessors: [new BatchSpanProcessor(exporter)] });
  const { middleware } = openTelemetry({ tracerProvider, propagator: w3c });
  const servers = nats.address;
  await using transport = natsTransport({ servers });
  await using broker = natsBroker({ servers });
  await using registry = natsRegistry({ servers });
  const plugins = { transport, broker, registry };

  await using client = createClient({ ...plugins, middleware: [middleware] });
  await using stock = createService({ name: 'stock', ...plugins, middleware: [middleware], drainGraceMs: 0 });
  const taken: unknown[] = [];
  stock.handle('Stock.Take', (item) => void taken.push(item));
  await using mailer = createService({ name: 'mailer', ...plugins, middleware: [middleware], drainGraceMs: 0 });
  mailer.subscribe('orders.created', (order) => client.call<void>('stock', 'Stock.Take', order), { queue: 'mailer' });
  await using shop = createService({ name: 'shop', ...plugins, middleware: [middleware], drainGraceMs: 0 });
  shop.handle('Shop.Order', async (order) => {
    await client.publish('orders.created', order);
    return {};
  });
  for (const service of [stock, mailer, shop]) await service.start();

  await client.call('shop', 'Shop.Order', { item: 'tea' });
  await expect.poll(() => taken).toEqual([{ item: 'tea' }]);
  await expect
    .poll(async () => {
      await tracerProvider.forceFlush();
      return receiver.paths;
    })
    .toEqual([
      'shop/Shop.Order > shop/Shop.Order > publish orders.created > process orders.created > ' +
        'stock/Stock.Take > stock/Stock.Take',
    ]);
  expect(receiver.spans).toHaveLength(6);
  expect(new Set(receiver.spans.map(({ traceId }) => traceId)).size).toBe(1);
  await tracerProvider.shutdown();
});
