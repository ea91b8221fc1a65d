import type { EventContext, MessageStream, RequestContext } from '@ts-micro/service';
import type { ServiceDefinition } from '../define/define-service.ts';
import type { Endpoint, ErrorSchemas } from '../define/endpoint.ts';
import type { Fail } from '../define/failures.ts';
import type { InputOf, OutputOf, Schema } from '../define/schema.ts';

/** The handler of an endpoint of each kind. */
interface HandlerByKind<Request extends Schema, Response extends Schema, Errors extends ErrorSchemas> {
  unary: (
    request: OutputOf<Request>,
    context: RequestContext,
    fail: Fail<Errors>,
  ) => InputOf<Response> | Promise<InputOf<Response>>;
  /** Returns what is sent one after the other, as a generator does. */
  serverStream: (
    request: OutputOf<Request>,
    context: RequestContext,
    fail: Fail<Errors>,
  ) => AsyncIterable<InputOf<Response>> | Iterable<InputOf<Response>>;
  clientStream: (
    requests: AsyncIterable<OutputOf<Request>>,
    context: RequestContext,
    fail: Fail<Errors>,
  ) => InputOf<Response> | Promise<InputOf<Response>>;
  /** Sends through the stream, or returns what is sent, as a generator does. */
  bidiStream: (
    stream: MessageStream<InputOf<Response>, OutputOf<Request>>,
    context: RequestContext,
    fail: Fail<Errors>,
  ) => void | Promise<void> | AsyncIterable<InputOf<Response>>;
}

/** The handler of an endpoint. */
export type HandlerOf<E extends Endpoint> = HandlerByKind<E['request'], E['response'], E['errors']>[E['kind']];

/** A handler for each endpoint of a definition. */
export type Handlers<D extends ServiceDefinition> = {
  readonly [Name in keyof D['endpoints']]: HandlerOf<D['endpoints'][Name]>;
};

/** The handler of an event. */
export type EventHandlerOf<S extends Schema> = (event: OutputOf<S>, context: EventContext) => void | Promise<void>;
