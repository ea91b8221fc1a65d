import { context, propagation, type TextMapPropagator } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from '@opentelemetry/core';
import { type DataPoint, type Histogram, MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { memoryBroker, memoryNetwork, memoryRegistry, memoryTransport } from '@ts-micro/memory';
import { type Client, type ClientOptions, createClient, createService, type Service } from '@ts-micro/service';
import { expect } from 'vitest';
import { type OpenTelemetryOptions, openTelemetry, type Telemetry } from '../src/index.ts';

class PulledMetrics extends MetricReader {
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

export const w3c: TextMapPropagator = new CompositePropagator({
  propagators: [new W3CTraceContextPropagator(), new W3CBaggagePropagator()],
});

/** A network of its own, with an SDK that keeps what it is told. */
export class World implements AsyncDisposable {
  readonly plugins;
  readonly spans = new InMemorySpanExporter();
  readonly tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(this.spans)] });
  readonly telemetry: Telemetry;
  readonly meterProvider: MeterProvider;
  readonly #metrics = new PulledMetrics();
  readonly #owned: AsyncDisposable[] = [];

  constructor(options: OpenTelemetryOptions = {}) {
    const network = memoryNetwork();
    this.plugins = {
      transport: memoryTransport({ network }),
      broker: memoryBroker({ network }),
      registry: memoryRegistry({ network }),
    };
    this.meterProvider = new MeterProvider({ readers: [this.#metrics] });
    this.telemetry = openTelemetry({
      tracerProvider: this.tracerProvider,
      meterProvider: this.meterProvider,
      propagator: w3c,
      ...options,
    });
  }

  /** Starts a service that `prepare` gives its handlers. */
  async serve(name: string, prepare: (service: Service) => void): Promise<Service> {
    const service = createService({ name, ...this.plugins, middleware: [this.telemetry.middleware], drainGraceMs: 0 });
    prepare(service);
    await service.start();
    this.#owned.push(service);
    return service;
  }

  client(options: Partial<ClientOptions> = {}): Client {
    const client = createClient({ ...this.plugins, middleware: [this.telemetry.middleware], ...options });
    this.#owned.push(client);
    return client;
  }

  /** Waits until so many spans have ended; each by its name. */
  async ended(count: number): Promise<Map<string, ReadableSpan>> {
    await expect.poll(() => this.spans.getFinishedSpans().length).toBe(count);
    return new Map(this.spans.getFinishedSpans().map((span) => [`${kinds[span.kind]} ${span.name}`, span]));
  }

  /** The values of a metric, each with its attributes. */
  async values(name: string): Promise<DataPoint<number | Histogram>[]> {
    const { resourceMetrics } = await this.#metrics.collect();
    const metrics = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics);
    const found = metrics.find(({ descriptor }) => descriptor.name === name);
    return (found?.dataPoints ?? []) as DataPoint<number | Histogram>[];
  }

  /** The sum of a metric's values. */
  async sum(name: string): Promise<number> {
    const values = await this.values(name);
    return values.reduce((sum, { value }) => sum + (typeof value === 'number' ? value : value.count), 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const owned of this.#owned.reverse()) await owned[Symbol.asyncDispose]();
    for (const plugin of Object.values(this.plugins)) await plugin.close();
    await this.meterProvider.shutdown();
    await this.tracerProvider.shutdown();
  }
}

const kinds = ['INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'];

/** Keeps the active context across awaits, as an SDK's start does, until it is disposed of. */
export function keepContext(): Disposable {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  return {
    [Symbol.dispose]: () => {
      context.disable();
      propagation.disable();
    },
  };
}

/** The chain of names from a span up to its root, within the spans given. */
export function ancestry(span: ReadableSpan, spans: Iterable<ReadableSpan>): string[] {
  const byId = new Map(Array.from(spans, (one) => [one.spanContext().spanId, one]));
  const names: string[] = [];
  for (let at: ReadableSpan | undefined = span; at !== undefined; at = byId.get(at.parentSpanContext?.spanId ?? ''))
    names.push(`${kinds[at.kind]} ${at.name}`);
  return names;
}
