export { typedClient } from './call/create-typed-client.ts';
export { defineService } from './define/define-service.ts';
export { bidiStream, clientStream, serverStream, unary } from './define/endpoint.ts';
export { unchecked } from './define/schema.ts';
export { definitionOf } from './generate/definition-of.ts';
export { handle, implement, subscribe } from './serve/implement.ts';

export type { TypedClientOptions } from './call/create-typed-client.ts';
export type {
  BidiStreamCall,
  CallOf,
  ClientStreamCall,
  EventPublisher,
  ResponseStream,
  ServerStreamCall,
  TypedClient,
  UnaryCall,
} from './call/typed-client.ts';
export type {
  EndpointMap,
  EventMap,
  JsonSchemaConverter,
  NoEvents,
  ServiceDefinition,
  ServiceInit,
} from './define/define-service.ts';
export type { Endpoint, EndpointInit, EndpointKind, ErrorSchemas, NoErrors } from './define/endpoint.ts';
export type { Fail, FailOptions, FailureOf } from './define/failures.ts';
export type { InputOf, OutputOf, Schema } from './define/schema.ts';
export type { EventHandlerOf, HandlerOf, Handlers } from './serve/handlers.ts';
export type { ImplementOptions, TypedSubscriptionOptions } from './serve/implement.ts';
