export { createClient } from './client/create-client.ts';
export { leastLoad } from './client/discovery/least-load.ts';
export { random, roundRobin } from './client/discovery/selector.ts';
export { fromFlags } from './flags/from-flags.ts';
export { listFlags } from './flags/known-flags.ts';
export { statusOfCode } from './rpc/error-status.ts';
export { createCodecs } from './rpc/codec/codecs.ts';
export { jsonCodec } from './rpc/codec/json.ts';
export { errorOfThrown } from './rpc/error-text.ts';
export { refuse } from './rpc/refusal.ts';
export { createService } from './server/create-service.ts';
export { run } from './server/run.ts';

export type { Client } from './client/client.ts';
export type {
  CallOptions,
  ClientOptions,
  EventOptions,
  OutgoingOptions,
  StreamOptions,
  TargetOptions,
} from './client/client-options.ts';
export type { Candidate, LoadObserver, SelectorStrategy, SelectRequest } from './client/discovery/selector.ts';
export type { NodeFilter } from './client/discovery/service-view.ts';
export type { FlagSettings } from './flags/flag-settings.ts';
export type { FlaggedPlugins, FromFlagsOptions } from './flags/from-flags.ts';
export type { KnownFlag } from './flags/known-flags.ts';
export type { Environment } from './flags/read-flags.ts';
export type { FailedAttempt, Middleware, MiddlewareCall } from './middleware.ts';
export type { CallContext } from './rpc/call-context.ts';
export type { Codec, CodecUse } from './rpc/codec/codec.ts';
export type { Codecs } from './rpc/codec/codecs.ts';
export type { RunOptions } from './server/run.ts';
export type { ServiceGateway } from './server/lifecycle/gateways.ts';
export type { InvokeOptions, InvokeRequest, InvokeResponse } from './server/invoke/invoke.ts';
export type { EventContext, RequestContext } from './server/serve/handler-context.ts';
export type { HandleOptions, RequestHandler, StreamHandler } from './server/serve/routes.ts';
export type { Service, ServiceHealth, ServiceState, StopOptions, StopReport } from './server/service.ts';
export type { ServiceOptions } from './server/service-options.ts';
export type { EventHandler, SubscriptionOptions } from './server/events/subscription.ts';
export type { MessageStream } from './stream/message-stream.ts';
