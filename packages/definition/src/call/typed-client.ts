import type { AbortOptions } from '@ts-micro/core';
import type { CallOptions, EventOptions, MessageStream, StreamOptions } from '@ts-micro/service';
import type { ServiceDefinition } from '../define/define-service.ts';
import type { Endpoint, ErrorSchemas } from '../define/endpoint.ts';
import type { FailureOf } from '../define/failures.ts';
import type { InputOf, OutputOf, Schema } from '../define/schema.ts';

/** Tells what a call failed with. */
interface WithFailure<Errors extends ErrorSchemas> {
  /** Which of the endpoint's own errors `error` is, with its data; `undefined` for any other. */
  failure(error: unknown): FailureOf<Errors> | undefined;
}

/**
 * Calls an endpoint; resolves and fails as `client.call`, with `invalid` where the request does not fit and `malformed`
 * where the response does not.
 */
export interface UnaryCall<Request, Response, Errors extends ErrorSchemas> extends WithFailure<Errors> {
  (request: Request, options?: CallOptions): Promise<Response>;
}

/** Asks for a stream of responses. It opens when the first one is received, and then fails as `client.stream` does. */
export interface ServerStreamCall<Request, Response, Errors extends ErrorSchemas> extends WithFailure<Errors> {
  (request: Request, options?: StreamOptions): ResponseStream<Response>;
}

/**
 * Sends every request there is and resolves with the response; leaves off where the service answers or fails before.
 */
export interface ClientStreamCall<Request, Response, Errors extends ErrorSchemas> extends WithFailure<Errors> {
  (requests: Iterable<Request> | AsyncIterable<Request>, options?: StreamOptions): Promise<Response>;
}

/** Opens a stream, as `client.stream` does. */
export interface BidiStreamCall<Request, Response, Errors extends ErrorSchemas> extends WithFailure<Errors> {
  (options?: StreamOptions): Promise<MessageStream<Request, Response>>;
}

/** The responses of a server stream. Leaving a `for await` over it closes it. */
export interface ResponseStream<Response> extends AsyncIterable<Response>, AsyncDisposable {
  /** The next response; `undefined` after the last. */
  receive(options?: AbortOptions): Promise<Response | undefined>;
  /** Tells the service to stop. Idempotent. */
  close(): Promise<void>;
}

/** Publishes an event of a definition. Rejects with `invalid` where it does not fit. */
export interface EventPublisher<Event> {
  publish(event: Event, options?: EventOptions): Promise<void>;
}

interface CallByKind<Request extends Schema, Response extends Schema, Errors extends ErrorSchemas> {
  unary: UnaryCall<InputOf<Request>, OutputOf<Response>, Errors>;
  serverStream: ServerStreamCall<InputOf<Request>, OutputOf<Response>, Errors>;
  clientStream: ClientStreamCall<InputOf<Request>, OutputOf<Response>, Errors>;
  bidiStream: BidiStreamCall<InputOf<Request>, OutputOf<Response>, Errors>;
}

/** How an endpoint is called. */
export type CallOf<E extends Endpoint> = CallByKind<E['request'], E['response'], E['errors']>[E['kind']];

type TypeName<Name> = Name extends `${infer Type}.${string}` ? Type : never;

/** A client of one service: `client.Greeter.Hello(request)`, `client.events['greeter.greeted'].publish(event)`. */
export type TypedClient<D extends ServiceDefinition> = {
  readonly [Type in TypeName<keyof D['endpoints']>]: {
    readonly [Name in keyof D['endpoints'] as Name extends `${Type}.${infer Method}` ? Method : never]: CallOf<
      D['endpoints'][Name]
    >;
  };
} & { readonly events: { readonly [Topic in keyof D['events']]: EventPublisher<InputOf<D['events'][Topic]>> } };
