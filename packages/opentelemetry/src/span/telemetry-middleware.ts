import {
  type Context,
  context,
  INVALID_SPAN_CONTEXT,
  ProxyTracerProvider,
  propagation,
  ROOT_CONTEXT,
  type TextMapPropagator,
  type Tracer,
  type TracerProvider,
  trace,
} from '@opentelemetry/api';
import type { MessageStream, Middleware, MiddlewareCall } from '@ts-micro/service';
import { guarded } from '../guarded.ts';
import { type Instruments, schemaUrl, scopeName } from '../metric/instruments.ts';
import { CountedStream } from '../stream/counted-stream.ts';
import { headersGetter, headersSetter } from './headers-carrier.ts';
import { Operation } from './operation.ts';
import type { Subjects } from './subject.ts';

export interface MiddlewareInit {
  readonly tracerProvider: TracerProvider | undefined;
  readonly propagator: Pick<TextMapPropagator, 'inject' | 'extract'> | undefined;
  readonly instruments: () => Instruments;
  readonly subjects: Subjects;
  readonly includes: (call: MiddlewareCall) => boolean;
}

type Propagator = NonNullable<MiddlewareInit['propagator']>;

/** What the API hands spans to where no SDK is registered. */
const silentProvider: TracerProvider = new ProxyTracerProvider().getDelegate();

/** What the handlers that run now are in the course of, for calls that are given their context. */
const contexts = new WeakMap<object, Context>();

/** The middleware of both sides: a span for each call, stream and event, and their metrics. */
export function telemetryMiddleware(init: MiddlewareInit): Middleware {
  const tracer = guarded(() => (init.tracerProvider ?? trace).getTracer(scopeName, undefined, { schemaUrl }));
  return (call, next) => {
    const isSeen = guarded(() => isHeard(init)) === true && Boolean(guarded(() => init.includes(call)));
    const operation = isSeen ? guarded(() => begin(init, tracer, call)) : undefined;
    return operation === undefined ? next() : follow(operation, call, next);
  };
}

/** False where nobody would hear of a call, as neither an SDK nor a propagator is there yet. */
function isHeard({ tracerProvider, propagator, instruments }: MiddlewareInit): boolean {
  if (tracerProvider !== undefined || propagator !== undefined || !instruments().isSilent) return true;
  const provider = trace.getTracerProvider();
  const isSilent = provider instanceof ProxyTracerProvider && provider.getDelegate() === silentProvider;
  return !isSilent || propagation.fields().length > 0;
}

function begin(init: MiddlewareInit, tracer: Tracer | undefined, call: MiddlewareCall): Operation {
  const propagator = init.propagator ?? propagation;
  const subject = init.subjects.of(call);
  // Before the span, which would not end where this throws.
  const instruments = init.instruments();
  // What called a handler may belong to whatever opened its socket, long ago.
  const parent =
    call.side === 'client' ? parentOf(call, propagator) : extracted(propagator, ROOT_CONTEXT, call.headers);
  const kind = { kind: subject.spanKind, attributes: subject.attributes };
  const begun = guarded(() => tracer?.startSpan(subject.spanName, kind, parent));
  const span = begun ?? trace.wrapSpanContext(INVALID_SPAN_CONTEXT);
  // Without a span of its own it is in the course of the one before.
  const own = begun === undefined ? parent : trace.setSpan(parent, begun);
  if (call.side === 'client') guarded(() => propagator.inject(own, call.headers, headersSetter));
  else if (call.context !== undefined) contexts.set(call.context, own);
  return new Operation({ call, subjects: init.subjects, subject, span, context: own, instruments });
}

/** Returns what the headers say of a trace, in `base`; that alone where the propagator fails. */
function extracted(propagator: Propagator, base: Context, headers: MiddlewareCall['headers']): Context {
  return guarded(() => propagator.extract(base, headers, headersGetter)) ?? base;
}

/**
 * Returns the context in whose course a client is used: the active one, that of the request it was given as `context`,
 * or what the metadata says.
 */
function parentOf({ context: given, headers }: MiddlewareCall, propagator: Propagator): Context {
  const active = context.active();
  const span = trace.getSpanContext(active);
  const handled = given && contexts.get(given);
  if (handled === undefined) return span === undefined ? extracted(propagator, active, headers) : active;
  // A span that the handler has begun itself is nearer than its own.
  return span !== undefined && span.traceId === trace.getSpanContext(handled)?.traceId ? active : handled;
}

function follow(operation: Operation, call: MiddlewareCall, next: () => Promise<unknown>): Promise<unknown> {
  if (call.kind === 'stream' && call.side === 'server')
    call.payload = new CountedStream(call.payload as MessageStream, operation);
  // On the client it is not made the active one: what the first call opens would be in its course for ever.
  const result = call.side === 'client' ? next() : context.with(operation.context, next);
  return result.then(
    (value) => {
      if (call.kind === 'stream' && isStream(value)) return followStream(operation, value);
      operation.succeed();
      return value;
    },
    (error) => {
      operation.fail(error);
      throw error;
    },
  );
}

function followStream(operation: Operation, stream: MessageStream): MessageStream {
  void stream.closed.then((cause) => {
    if (cause === undefined) operation.succeed();
    else operation.fail(cause);
  });
  return new CountedStream(stream, operation);
}

function isStream(value: unknown): value is MessageStream {
  const { closed, receive } = (value ?? {}) as Partial<MessageStream>;
  return closed instanceof Promise && typeof receive === 'function';
}
