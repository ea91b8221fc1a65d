/**
 * The names of attributes by OpenTelemetry's semantic conventions 1.45: those of RPC are stable, those of messaging in
 * development. What they have no name for begins with `ts_micro.`.
 */
export const attribute = {
  errorType: 'error.type',
  rpcSystem: 'rpc.system.name',
  rpcMethod: 'rpc.method',
  rpcStatus: 'rpc.status_code',
  serverAddress: 'server.address',
  messagingSystem: 'messaging.system.name',
  operationName: 'messaging.operation.name',
  operationType: 'messaging.operation.type',
  destination: 'messaging.destination.name',
  destinationTemplate: 'messaging.destination.template',
  consumerGroup: 'messaging.consumer.group.name',
  direction: 'network.io.direction',
  nodeId: 'ts_micro.node.id',
  nodeVersion: 'ts_micro.node.version',
  attempts: 'ts_micro.attempts',
  attempt: 'ts_micro.attempt',
  errorMessage: 'ts_micro.error.message',
  messagesSent: 'ts_micro.stream.messages_sent',
  messagesReceived: 'ts_micro.stream.messages_received',
  service: 'ts_micro.service',
  plugin: 'ts_micro.plugin',
  pluginKind: 'ts_micro.plugin.kind',
  outcome: 'ts_micro.outcome',
} as const;

/** The names of metrics, likewise. */
export const metric = {
  clientDuration: 'rpc.client.call.duration',
  serverDuration: 'rpc.server.call.duration',
  publishDuration: 'messaging.client.operation.duration',
  sentMessages: 'messaging.client.sent.messages',
  processDuration: 'messaging.process.duration',
  consumedMessages: 'messaging.client.consumed.messages',
  clientActive: 'ts_micro.client.active_calls',
  serverActive: 'ts_micro.server.active_calls',
  eventsActive: 'ts_micro.events.active',
  retries: 'ts_micro.client.retries',
  streamMessages: 'ts_micro.stream.messages',
  serviceReady: 'ts_micro.service.ready',
  serviceRunning: 'ts_micro.service.running',
  serviceRefused: 'ts_micro.service.refused',
  pluginConnected: 'ts_micro.plugin.connected',
  brokerMessages: 'ts_micro.broker.messages',
  registryServices: 'ts_micro.registry.services',
  registryNodes: 'ts_micro.registry.nodes',
} as const;

/** The value of `rpc.system.name`. */
export const rpcSystem = 'ts-micro';

/** The name of a retry among the events of a span. */
export const retryEvent = 'ts_micro.retry';
