export { abortable, abortError, throwIfAborted } from './abort.ts';
export { bounded } from './bounded.ts';
export { CalmLogger } from './calm-logger.ts';
export { getPlugin, listPlugins, registerPlugin } from './catalogue.ts';
export { Lifetime } from './closable.ts';
export { closeAll } from './close-all.ts';
export { deepEqual } from './deep-equal.ts';
export { MicroError } from './error.ts';
export { codeOfStatus, statusOfCode } from './error-status.ts';
export { FollowingWatcher } from './following-watcher.ts';
export { HandlerQueue } from './handler-queue.ts';
export { HandlerSubscriber } from './handler-subscriber.ts';
export { LazyConnection } from './lazy-connection.ts';
export { silentLogger } from './logger.ts';
export { Mailbox } from './mailbox.ts';
export { checkHeaders, checkMessage, copyMessage } from './message.ts';
export { RecordWatcher } from './record-watcher.ts';
export { checkServiceName, checkTtl } from './registry-rules.ts';
export { serviceRecord } from './service-record.ts';
export { ServiceTable } from './service-table.ts';
export { StoreRegistry } from './store-registry.ts';
export { checkName, checkTopic, topicMatcher } from './topic.ts';

export type { AbortOptions } from './abort.ts';
export type {
  Broker,
  BrokerEvent,
  BrokerFeatures,
  BrokerHandler,
  BrokerOptions,
  PublishOptions,
  SubscribeOptions,
  Subscriber,
} from './broker.ts';
export type { PluginFactory, PluginKind, PluginKinds, PluginOptions } from './catalogue.ts';
export type { Closable } from './closable.ts';
export type { ErrorCode, MicroErrorOptions, RemoteError } from './error.ts';
export type { TableChange } from './following-watcher.ts';
export type { HandlerQueueOptions } from './handler-queue.ts';
export type { HandlerSubscriberOptions } from './handler-subscriber.ts';
export type { LazyConnectionOptions } from './lazy-connection.ts';
export type { LogFields, Logger } from './logger.ts';
export type { Headers, Message } from './message.ts';
export type { RecordWatcherOptions } from './record-watcher.ts';
export type {
  LookupOptions,
  RegisterOptions,
  Registry,
  RegistryEvent,
  RegistryFeatures,
  Watcher,
  WatchOptions,
} from './registry.ts';
export type { RegistryStore } from './registry-store.ts';
export type { EndpointRecord, NodeRecord, ServiceRecord, ServiceRecordInit, ValueRecord } from './service-record.ts';
export type { StoreRegistryOptions } from './store-registry.ts';
export type { DialOptions, Listener, ListenOptions, Socket, Transport, TransportFeatures } from './transport.ts';
