import type { MeterProvider, TextMapPropagator, TracerProvider } from '@opentelemetry/api';
import { metrics } from '@opentelemetry/api';
import type { Closable, Logger } from '@ts-micro/core';
import { OptionChecks, type OptionNames } from '@ts-micro/kit';
import type { Middleware, MiddlewareCall } from '@ts-micro/service';
import { correlatedLogger } from './log/correlated-logger.ts';
import { currentInstruments, meterOf } from './metric/instruments.ts';
import { type Observed, observe } from './observe/observe.ts';
import { Subjects } from './span/subject.ts';
import { telemetryMiddleware } from './span/telemetry-middleware.ts';

export interface OpenTelemetryOptions {
  /** @default the one registered with the API, whenever that is */
  readonly tracerProvider?: TracerProvider | undefined;
  /** @default the one registered with the API, whenever that is */
  readonly meterProvider?: MeterProvider | undefined;
  /** Writes and reads the headers of a trace. @default the one registered with the API: W3C `traceparent`, `baggage` */
  readonly propagator?: Pick<TextMapPropagator, 'inject' | 'extract'> | undefined;
  /** Says which calls, streams and events are seen. @default all but the endpoints `Debug.Health` and `Debug.Stats` */
  readonly includes?: ((call: MiddlewareCall) => boolean) | undefined;
  /**
   * Gives published topics that carry an id a name without it, for spans and metrics: `orders.17.created` becomes
   * `orders.{id}.created`. Events that come by a wildcard have its pattern as their name anyway.
   * @default as they are
   */
  readonly topicTemplate?: ((topic: string) => string | undefined) | undefined;
}

/** What a program hands to its services, clients and plugins to be seen. */
export interface Telemetry {
  /** For services and clients alike. Put it first, so that what other middleware refuses is seen too. */
  readonly middleware: Middleware;
  /**
   * Shows the state of services and plugins as metrics, until it is closed. Call it once the SDK is registered. Throws
   * `invalid` for an option.
   */
  observe(observed: Observed): Closable;
  /** Returns the logger with the trace and span of each line: see `correlatedLogger`. */
  logger(logger: Logger): Logger;
}

const checks = new OptionChecks('opentelemetry');
const optionNames: OptionNames<OpenTelemetryOptions> = {
  tracerProvider: true,
  meterProvider: true,
  propagator: true,
  includes: true,
  topicTemplate: true,
};

/**
 * Connects services and clients to OpenTelemetry. Without a registered SDK it does nothing, and costs little. Nothing
 * that a provider, propagator or option throws harms a call. Throws `invalid` for an option.
 */
export function openTelemetry(options: OpenTelemetryOptions = {}): Telemetry {
  checks.named(options, optionNames);
  const { tracerProvider, meterProvider, propagator, includes = isNoDebug, topicTemplate } = options;
  for (const [name, value] of Object.entries({ includes, topicTemplate })) {
    if (value !== undefined && typeof value !== 'function') throw checks.invalid(name, value, 'a function');
  }
  if (tracerProvider !== undefined && typeof tracerProvider?.getTracer !== 'function')
    throw checks.invalid('tracerProvider', tracerProvider, 'one');
  if (meterProvider !== undefined && typeof meterProvider?.getMeter !== 'function')
    throw checks.invalid('meterProvider', meterProvider, 'one');
  if (propagator !== undefined) checks.methods('propagator', propagator, 'inject', 'extract');
  const subjects = new Subjects(topicTemplate);
  const instruments = currentInstruments(meterProvider);
  return {
    middleware: telemetryMiddleware({ tracerProvider, propagator, instruments, subjects, includes }),
    observe: (observed) => observe(meterOf(meterProvider ?? metrics.getMeterProvider()), observed),
    logger: correlatedLogger,
  };
}

function isNoDebug({ kind, name }: MiddlewareCall): boolean {
  return kind !== 'unary' || (name !== 'Debug.Health' && name !== 'Debug.Stats');
}
