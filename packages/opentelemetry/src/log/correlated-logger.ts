import { isSpanContextValid, type SpanContext, trace } from '@opentelemetry/api';
import type { LogFields, Logger } from '@ts-micro/core';
import { safeLogger } from '@ts-micro/kit';

const spanOfError = new WeakMap<object, SpanContext>();

/** Has the lines that carry this error say which span it came out of: they are written when that is over. */
export function rememberSpan(thrown: unknown, span: SpanContext): void {
  if (typeof thrown === 'object' && thrown !== null && !spanOfError.has(thrown)) spanOfError.set(thrown, span);
}

/**
 * Returns a logger that adds `trace_id`, `span_id` and `trace_flags` to each line written in the course of a span, and
 * to those whose field `error` came out of one. Where a line has such a field already, that one stays.
 */
export function correlatedLogger(logger: Logger): Logger {
  const safe = safeLogger(logger);
  return {
    debug: (message, fields) => safe.debug(message, correlated(fields)),
    info: (message, fields) => safe.info(message, correlated(fields)),
    warn: (message, fields) => safe.warn(message, correlated(fields)),
    error: (message, fields) => safe.error(message, correlated(fields)),
  };
}

function correlated(fields: LogFields | undefined): LogFields | undefined {
  const span = activeSpan() ?? spanOf(fields?.error);
  if (span === undefined || !isSpanContextValid(span)) return fields;
  const { traceId, spanId, traceFlags } = span;
  return { trace_id: traceId, span_id: spanId, trace_flags: `0${traceFlags.toString(16)}`.slice(-2), ...fields };
}

function activeSpan(): SpanContext | undefined {
  try {
    return trace.getActiveSpan()?.spanContext();
  } catch {
    // The line is worth more than its span.
    return undefined;
  }
}

function spanOf(error: unknown): SpanContext | undefined {
  return typeof error === 'object' && error !== null ? spanOfError.get(error) : undefined;
}
