export { connectNats } from './connect-nats.ts';
export { leaseConnection } from './connection-lease.ts';
export { decodeEnvelope, tryDecodeEnvelope } from './decode-envelope.ts';
export { encodeEnvelope } from './encode-envelope.ts';
export { mapNatsError } from './error.ts';
export { decodeHeaders, encodeHeaders } from './headers.ts';
export { PublishTracker } from './publish-tracker.ts';
export { parseServers } from './server-list.ts';
export { checkQueue, checkSubject } from './subject.ts';
export { wrapNatsConnection } from './wrap-connection.ts';

export type {
  NatsConnection,
  NatsMessage,
  NatsPublishOptions,
  NatsState,
  NatsStatus,
  NatsSubscribeOptions,
  NatsSubscription,
} from './connection.ts';
export type { ConnectionLease, NatsPluginOptions } from './connection-lease.ts';
export type { EncodedHeaders, ReceivedHeaders } from './headers.ts';
export type { NatsOptions, NatsTlsOptions } from './nats-options.ts';
export type { ServerAddress } from './server-list.ts';
export type { SubjectRules } from './subject.ts';
export type { VendorConnection, VendorMessage, VendorSubscription } from './vendor-connection.ts';
