export { connectNats } from './connection/connect-nats.ts';
export { natsOptionNames, shareConnection } from './connection/shared-connection.ts';
export { decodeEnvelope, tryDecodeEnvelope } from './envelope/decode-envelope.ts';
export { encodeEnvelope } from './envelope/encode-envelope.ts';
export { maxBodyBytes } from './envelope/max-body-bytes.ts';
export { deliveryInfoOf } from './jetstream/delivery-info.ts';
export { JetStreamApi } from './jetstream/jetstream-api.ts';
export { mapNatsError } from './error.ts';
export { natsPluginFactory } from './flags/nats-plugin-factory.ts';
export { decodeHeaders, encodeHeaders } from './headers.ts';
export { fairIntakeOf } from './intake/fair-intake.ts';
export { peerOf } from './intake/peer-of.ts';
export { isNoResponders, noRespondersError, tellNoResponders } from './no-responders.ts';
export { AnswerRight } from './link/answer-right.ts';
export { PublishTracker } from './link/publish-tracker.ts';
export { detachMessage, sizeOfMessage } from './link/waiting-message.ts';
export { natsReplyInbox } from './connection/reply-inbox.ts';
export { SubjectFeeds } from './connection/subject-feeds.ts';
export { parseServers } from './connection/server-list.ts';
export { checkQueue, checkSubject, isSubject } from './subject.ts';
export { wrapNatsConnection } from './connection/wrap-connection.ts';

export type {
  NatsConnection,
  NatsMessage,
  NatsPublishOptions,
  NatsState,
  NatsStatus,
  NatsSubscribeOptions,
  NatsSubscription,
} from './connection/connection.ts';
export type { SharedConnection, NatsPluginOptions } from './connection/shared-connection.ts';
export type { NatsPluginFactory } from './flags/nats-plugin-factory.ts';
export type { EncodedHeaders, ReceivedHeaders } from './headers.ts';
export type { NatsOptions, NatsTlsOptions } from './connection/nats-options.ts';
export type { AnswerRightOptions, RefusedAnswer } from './link/answer-right.ts';
export type { NatsReplyInboxOptions } from './connection/reply-inbox.ts';
export type { ServerAddress } from './connection/server-list.ts';
export type { DeliveryInfo } from './jetstream/delivery-info.ts';
export type { JetStreamApiOptions, StoredAck } from './jetstream/jetstream-api.ts';
export type { SubjectRules } from './subject.ts';
export type { VendorConnection, VendorMessage, VendorSubscription } from './link/vendor-connection.ts';
