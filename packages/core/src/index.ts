export { abortError } from './abort.ts';
export { getPlugin, listPlugins, registerPlugin } from './catalogue.ts';
export { MicroError } from './error.ts';
export { silentLogger } from './logger.ts';
export { checkHeaders, checkMessage } from './message.ts';
export { serviceRecord } from './service-record.ts';
export { checkName, checkTopic, topicMatcher } from './topic.ts';

export type { AbortOptions } from './abort.ts';
export type {
  Broker,
  BrokerEvent,
  BrokerFeatures,
  BrokerHandler,
  BrokerOptions,
  PublishOptions,
  RedeliveryOptions,
  SubscribeOptions,
  Subscriber,
} from './broker.ts';
export type { PluginFactory, PluginFlag, PluginKind, PluginKinds, PluginOptions } from './catalogue.ts';
export type { Closable, Plugin } from './closable.ts';
export type { ErrorCode, MicroErrorOptions, RemoteError } from './error.ts';
export type { LogFields, Logger } from './logger.ts';
export type { Headers, Message } from './message.ts';
export type {
  LookupOptions,
  RegisterOptions,
  Registry,
  RegistryEvent,
  RegistryFeatures,
  Watcher,
  WatchOptions,
} from './registry.ts';
export type { EndpointRecord, NodeRecord, ServiceRecord, ServiceRecordInit, ValueRecord } from './service-record.ts';
export type {
  DialOptions,
  Listener,
  ListenOptions,
  SendOptions,
  Socket,
  Transport,
  TransportFeatures,
} from './transport.ts';
