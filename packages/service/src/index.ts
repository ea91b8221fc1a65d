export { createClient } from './client/create-client.ts';
export { random, roundRobin } from './client/selector.ts';
export { fromFlags } from './flags/from-flags.ts';

export type { Client } from './client/client.ts';
export type {
  CallOptions,
  ClientOptions,
  EventOptions,
  OutgoingOptions,
  StreamOptions,
  TargetOptions,
} from './client/client-options.ts';
export type { Candidate, SelectorStrategy, SelectRequest } from './client/selector.ts';
export type { NodeFilter } from './client/service-view.ts';
export type { FlagSettings } from './flags/flag-settings.ts';
export type { FlaggedPlugins, FromFlagsOptions } from './flags/from-flags.ts';
export type { Environment } from './flags/read-flags.ts';
