import assert from 'node:assert/strict';
import { context } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from '@opentelemetry/core';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { openTelemetry } from '@ts-micro/opentelemetry';
import { createClient, createService } from '@ts-micro/service';
import type { Row } from '../../matrix/row.ts';
import { eventually } from '../../matrix/wait.ts';
import { type TracedSpan, treeOf } from './trace-tree.ts';

const propagator = new CompositePropagator({
  propagators: [new W3CTraceContextPropagator(), new W3CBaggagePropagator()],
});

/** Go Micro's OpenTelemetry wrapper and ours, in one trace. */
export const traceRows: readonly Row[] = [
  {
    id: 'one-trace',
    title: 'a trace over TypeScript, Go, an event of Go and TypeScript again is one tree',
    direction: 'events',
    generations: ['v5', 'v6'],
    run: async (stage) => {
      context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
      const spans = new InMemorySpanExporter();
      const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] });
      try {
        const { middleware } = openTelemetry({ tracerProvider, propagator });
        await using traced = await stage.startGo('server', '--name', 'traced.greeter', '--trace');
        const peer = await stage.openTs();
        const plugins = { ...peer.plugins, middleware: [middleware] };
        await using client = createClient(plugins);
        await using stock = createService({ name: 'traced.stock', ...plugins, drainGraceMs: 0 });
        const taken: unknown[] = [];
        stock.handle('Stock.Take', (item) => void taken.push(item));
        await using listener = createService({ name: 'traced.listener', ...plugins, drainGraceMs: 0 });
        listener.subscribe('greeter.greeted', (greeted) => client.call<void>('traced.stock', 'Stock.Take', greeted));
        await stock.start();
        await listener.start();

        const name = 'one trace';
        assert.deepEqual(await client.call('traced.greeter', 'Greeter.Hello', { name }), { msg: `Hello ${name}` });
        await eventually('the last service is called', () => taken.length > 0);
        const all = (): TracedSpan[] => [
          ...spans.getFinishedSpans().map((span) => ({
            name: span.name,
            traceId: span.spanContext().traceId,
            spanId: span.spanContext().spanId,
            parentSpanId: span.parentSpanContext?.spanId,
          })),
          ...traced.lines.filter(({ event }) => event === 'span').map((line) => line as unknown as TracedSpan),
        ];
        await eventually('all six spans', () => all().length >= 6);
        assert.deepEqual(treeOf(all()), [
          'traced.greeter/Greeter.Hello > traced.greeter.Greeter.Hello > Pub to greeter.greeted > ' +
            'process greeter.greeted > traced.stock/Stock.Take > traced.stock/Stock.Take',
        ]);
      } finally {
        context.disable();
        await tracerProvider.shutdown();
      }
    },
  },
];
