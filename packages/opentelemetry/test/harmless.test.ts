import { context, metrics, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import type { LogFields, Logger, Registry } from '@ts-micro/core';
import { createClient, createService } from '@ts-micro/service';
import { describe, expect, it } from 'vitest';
import { correlatedLogger, openTelemetry } from '../src/index.ts';
import { keepContext, World } from './world.ts';

const broken = (): never => {
  throw new Error('broken telemetry');
};

describe('telemetry', () => {
  it.each([
    ['throws', broken],
    // Vitest fails the run for a rejection that nobody handles.
    ['is async, and rejects,', async () => broken()],
    ['gives undefined', () => undefined],
  ])('that %s wherever it can harms no call, stream or event', async (_, bad) => {
    await using world = new World();
    const span = new Proxy({}, { get: () => broken });
    const instrument = { add: broken, record: broken };
    const failing = bad as () => never;
    const kinds = [
      { tracerProvider: { getTracer: failing } },
      { tracerProvider: { getTracer: () => ({ startSpan: failing, startActiveSpan: broken }) } },
      { tracerProvider: { getTracer: () => ({ startSpan: () => span as never, startActiveSpan: broken }) } },
      { meterProvider: { getMeter: () => new Proxy({}, { get: () => () => instrument }) as never } },
      { meterProvider: { getMeter: failing } },
      { propagator: { inject: failing, extract: failing } },
      { includes: failing },
      { topicTemplate: failing },
    ];
    for (const [at, options] of kinds.entries()) {
      const { middleware } = openTelemetry(options);
      const name = `greeter${at}`;
      const said: unknown[] = [];
      await using service = createService({ name, ...world.plugins, middleware: [middleware], drainGraceMs: 0 });
      service.handle('Greeter.Hello', () => 'hi');
      service.handle('Greeter.Fail', () => {
        throw new RangeError('no');
      });
      service.handleStream('Greeter.Echo', async (stream) => {
        for await (const value of stream) await stream.send(value);
      });
      service.subscribe(`${name}.say`, (event) => void said.push(event));
      await service.start();
      await using client = createClient({ ...world.plugins, middleware: [middleware] });
      expect(await client.call(name, 'Greeter.Hello')).toBe('hi');
      await expect(client.call(name, 'Greeter.Fail')).rejects.toThrow('no');
      await using stream = await client.stream(name, 'Greeter.Echo');
      await stream.send(1);
      expect(await stream.receive()).toBe(1);
      await client.publish(`${name}.say`, 1);
      await expect.poll(() => said).toEqual([1]);
    }
  });

  it.each([
    ['throws', broken],
    ['is async, and rejects,', async () => broken()],
    ['gives undefined', () => undefined],
  ])('ends every span though the propagator %s', async (_, bad) => {
    await using world = new World({ propagator: { inject: bad as never, extract: bad as never } });
    await world.serve('greeter', (service) => service.handle('Greeter.Hello', () => 'hi'));
    expect(await world.client().call('greeter', 'Greeter.Hello')).toBe('hi');
    const spans = await world.ended(2);
    expect([...spans.keys()].sort()).toEqual(['CLIENT greeter/Greeter.Hello', 'SERVER greeter/Greeter.Hello']);
  });

  it('whose meter throws leaves no watcher of the registry behind', async () => {
    await using world = new World();
    let watches = 0;
    const watch: Registry['watch'] = (options) => {
      watches++;
      return world.plugins.registry.watch(options);
    };
    const registry = new Proxy(world.plugins.registry, {
      get: (target, name) => (name === 'watch' ? watch : Reflect.get(target, name, target)),
    });
    const meterProvider = { getMeter: () => ({ createObservableGauge: broken }) as never };
    expect(() => openTelemetry({ meterProvider }).observe({ registry })).toThrow('broken telemetry');
    expect(watches).toBe(0);
  });

  it('describes whatever a handler throws', async () => {
    await using world = new World();
    const hostile = [
      new Proxy(
        {},
        {
          get: () => {
            throw new Error('trap');
          },
        },
      ),
      null,
      undefined,
      10n,
      Object.create(null),
    ];
    await world.serve('greeter', (service) =>
      service.handle('Greeter.Throw', (index: number) => {
        throw hostile[index];
      }),
    );
    const client = world.client();
    for (const index of hostile.keys())
      await expect(client.call('greeter', 'Greeter.Throw', index)).rejects.toMatchObject({ code: 'remote' });
    const spans = await world.ended(hostile.length * 2);
    expect(spans.get('SERVER greeter/Greeter.Throw')?.attributes).toMatchObject({ 'error.type': '500' });
  });

  it('does nothing without an SDK', async () => {
    await using world = new World();
    const { middleware } = openTelemetry();
    await using service = createService({
      name: 'greeter',
      ...world.plugins,
      middleware: [middleware],
      drainGraceMs: 0,
    });
    service.handle('Greeter.Hello', (_request, { metadata }) => metadata);
    await service.start();
    await using client = createClient({ ...world.plugins, middleware: [middleware] });
    const metadata = { traceparent: 'as it was', Tenant: 'a' };
    expect(await client.call('greeter', 'Greeter.Hello', {}, { metadata })).toEqual(metadata);
  });

  it('made before the SDK is registered writes to it from then on', async () => {
    await using world = new World();
    const { middleware } = openTelemetry();
    await using service = createService({
      name: 'greeter',
      ...world.plugins,
      middleware: [middleware],
      drainGraceMs: 0,
    });
    service.handle('Greeter.Hello', () => 'hi');
    await service.start();
    await using client = createClient({ ...world.plugins, middleware: [middleware] });
    await client.call('greeter', 'Greeter.Hello');
    const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
    const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 600_000 });
    const meterProvider = new MeterProvider({ readers: [reader] });
    trace.setGlobalTracerProvider(world.tracerProvider);
    metrics.setGlobalMeterProvider(meterProvider);
    try {
      await client.call('greeter', 'Greeter.Hello');
      await world.ended(2);
      await meterProvider.forceFlush();
      const names = exporter
        .getMetrics()
        .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics))
        .map(({ descriptor }) => descriptor.name);
      expect(names).toContain('rpc.client.call.duration');
    } finally {
      trace.disable();
      metrics.disable();
      await meterProvider.shutdown();
    }
  });

  it('refuses options that cannot be, naming them', () => {
    expect(() => openTelemetry({ includes: 1 as never })).toThrow('includes');
    expect(() => openTelemetry(null as never)).toThrow('opentelemetry: the options are null');
    expect(() => openTelemetry({ include: () => true } as object)).toThrow('includes may be meant');
    expect(() => openTelemetry({ propagator: { inject: () => {} } as never })).toThrow('the method extract');
    expect(() => openTelemetry({ tracerProvider: {} as never })).toThrow('tracerProvider');
    expect(() => openTelemetry({ meterProvider: {} as never })).toThrow('meterProvider');
    expect(() => openTelemetry({ propagator: {} as never })).toThrow('propagator');
    expect(() => openTelemetry().observe({ registry: {} as never })).toThrow('registry');
    expect(() => openTelemetry().observe({ services: {} as never })).toThrow('services');
  });

  it('leaves out the endpoints that tools ask, unless it is told otherwise', async () => {
    await using world = new World();
    await world.serve('greeter', () => {});
    await world.client().call('greeter', 'Debug.Health');
    expect(world.spans.getFinishedSpans()).toEqual([]);
    await using seen = new World({ includes: () => true });
    await seen.serve('greeter', () => {});
    await seen.client().call('greeter', 'Debug.Health');
    await seen.ended(2);
  });
});

describe('a log', () => {
  it('has the trace and span of each line', async () => {
    using _context = keepContext();
    await using world = new World();
    const { lines, logger } = recordingLogger();
    await world.serve('greeter', (service) =>
      service.handle('Greeter.Hello', async () => {
        await Promise.resolve();
        logger.info('greeted', { name: 'John' });
      }),
    );
    logger.info('outside');
    await world.client().call('greeter', 'Greeter.Hello');
    const spans = await world.ended(2);
    const { traceId, spanId } = spans.get('SERVER greeter/Greeter.Hello')?.spanContext() ?? {};
    expect(lines).toEqual([
      ['outside', undefined],
      ['greeted', { name: 'John', trace_id: traceId, span_id: spanId, trace_flags: '01' }],
    ]);
  });

  it('has them on the line of the runtime about a handler that failed, written after its span', async () => {
    await using world = new World();
    const { lines, logger } = recordingLogger();
    const { middleware } = world.telemetry;
    await using service = createService({
      name: 'greeter',
      ...world.plugins,
      middleware: [middleware],
      logger,
      drainGraceMs: 0,
    });
    const error = new RangeError('broken');
    service.handle('Greeter.Fail', () => {
      throw error;
    });
    service.subscribe('greeter.say', () => {
      throw new TypeError('not heard');
    });
    await service.start();
    const client = world.client();
    await client.call('greeter', 'Greeter.Fail').catch(() => {});
    await client.publish('greeter.say', {});
    const spans = await world.ended(4);
    await expect.poll(() => lines.map(([message]) => message)).toContain('event not handled');
    const spanOf = (name: string) => ({ span_id: spans.get(name)?.spanContext().spanId });
    expect(lines).toContainEqual([
      'handler failed',
      expect.objectContaining({ error, ...spanOf('SERVER greeter/Greeter.Fail') }),
    ]);
    expect(lines).toContainEqual([
      'event not handled',
      expect.objectContaining(spanOf('CONSUMER process greeter.say')),
    ]);
  });

  it('is written though the span it belongs to cannot be asked', () => {
    using _context = keepContext();
    const { lines, logger } = recordingLogger();
    const span = { spanContext: broken } as never;
    context.with(trace.setSpan(ROOT_CONTEXT, span), () => logger.info('still said', { name: 'John' }));
    expect(lines).toEqual([['still said', { name: 'John' }]]);
  });

  it('keeps the fields of a line that has them, and a logger that throws harms nobody', () => {
    using _context = keepContext();
    const { lines, logger } = recordingLogger();
    const parent = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 1 };
    context.with(trace.setSpanContext(ROOT_CONTEXT, parent), () => {
      logger.warn('own', { trace_id: 'mine' });
      correlatedLogger({ debug: broken, info: broken, warn: broken, error: broken }).error('lost');
    });
    expect(lines).toEqual([['own', { trace_id: 'mine', span_id: parent.spanId, trace_flags: '01' }]]);
  });
});

function recordingLogger(): { lines: [string, LogFields | undefined][]; logger: Logger } {
  const lines: [string, LogFields | undefined][] = [];
  const log = (message: string, fields?: LogFields) => void lines.push([message, fields]);
  return { lines, logger: correlatedLogger({ debug: log, info: log, warn: log, error: log }) };
}
