// For every backend: lives, waits, queues, options.
export { abortable, closeOptions, nativeSignal, throwIfAborted } from './lifecycle/abort.ts';
export { AbortFanOut, abortFanOut } from './lifecycle/abort-fan-out.ts';
export { bounded } from './lifecycle/bounded.ts';
export { ClosableBase } from './lifecycle/closable-base.ts';
export { closeAll } from './lifecycle/close-all.ts';
export { isTurnOver, nextTurnOfLoop, ownTurnOfLoop } from './lifecycle/event-loop.ts';
export { Fifo } from './collections/fifo.ts';
export { LazyConnection } from './lifecycle/lazy-connection.ts';
export { Lifetime } from './lifecycle/lifetime.ts';
export { ByteBudget } from './budget/byte-budget.ts';
export { hasMoreParts, mostJsonParts } from './budget/json-parts.ts';
export { bytesOfMessage, detachedBytes, detachedMessage, memoryOfMessage } from './budget/message-bytes.ts';
export { Mailbox } from './lifecycle/mailbox.ts';
export { OptionChecks } from './lifecycle/options.ts';
export { OwnContext } from './lifecycle/own-context.ts';
export { RateLimitedLogger } from './lifecycle/rate-limited-logger.ts';
export { PeerQueues } from './collections/peer-queues.ts';
export { Roster } from './collections/roster.ts';
export { callSafely, ignoreRejection, ignoreRejectionsIn, safeLogger } from './lifecycle/safe-logger.ts';
export { longestTimerMs, pause, untilAborted } from './lifecycle/timers.ts';

// For brokers.
export { BrokerBase } from './broker/broker-base.ts';
export { HandlerQueue } from './broker/handler-queue.ts';
export { HandlerSubscriber } from './broker/handler-subscriber.ts';
export { checkRedelivery, refuseDurability } from './broker/durability.ts';
export { LogSubscriber } from './broker/log-subscriber.ts';
export { messageFromJson, messageToJson } from './broker/message-json.ts';
export { OffsetTracker } from './broker/offset-tracker.ts';
export { OrderedBatches } from './broker/ordered-batches.ts';
export { OutageBuffer } from './broker/outage-buffer.ts';
export { SettlingSubscriber } from './broker/settling-subscriber.ts';

// For the settings that operators give.
export { parseGoDuration } from './settings/go-duration.ts';
export { nearest } from './lifecycle/nearest.ts';
export { PluginSettings } from './settings/plugin-settings.ts';
export { accessPlugin } from './settings/access-plugin.ts';
export { accessSettings } from './settings/server-access.ts';

// For registries.
export { deepEqual } from './registry/deep-equal.ts';
export { FollowingWatcher } from './registry/following-watcher.ts';
export { RegistryBase } from './registry/registry-base.ts';
export { RecordWatcher } from './registry/record-watcher.ts';
export { checkRecord, checkRecordBytes, checkServiceName, checkTtl } from './registry/registry-rules.ts';
export { LeaseTable } from './registry/lease-table.ts';
export { mergeAnswers } from './registry/peers/merge-answers.ts';
export { NodeRegistry } from './registry/store/node-registry.ts';
export { PeerWatcher } from './registry/peers/peer-watcher.ts';
export { recordFromJson, recordToJson } from './registry/record-json.ts';
export { nodeChanges } from './registry/store/node-changes.ts';
export { splitRecord } from './registry/store/stored-node.ts';
export { StoreRegistry } from './registry/store/store-registry.ts';

// Node's bytes and texts, the fast way where it has one.
export {
  base64Of,
  isTransferred,
  latin1Of,
  utf8Of,
  writeBase64,
  writeLatin1,
  writeUtf8,
} from './vendor/bytes-and-text.ts';

// For transports, and for whatever else asks and is answered over a bus.
export { ConversationListener } from './request/conversation-listener.ts';
export { ConversationSocket } from './request/conversation-socket.ts';
export { shown } from './request/shown.ts';
export { randomToken } from './request/random-token.ts';
export { ReplyInbox } from './request/reply-inbox.ts';

export type { BytesHolder, HeldBytes } from './budget/byte-budget.ts';
export type { MailboxBytes } from './lifecycle/mailbox.ts';
export type { Abortable } from './lifecycle/abort-fan-out.ts';
export type { HandlerQueueOptions, WaitingBytes } from './broker/handler-queue.ts';
export type { HandlerSubscriberOptions } from './broker/handler-subscriber.ts';
export type { LogRecord, LogSubscriberOptions } from './broker/log-subscriber.ts';
export type { OutageBufferLimits, OutageBufferOptions, OutageMessage } from './broker/outage-buffer.ts';
export type { OrderedBatchesOptions } from './broker/ordered-batches.ts';
export type { RedeliverySettings } from './broker/durability.ts';
export type { Delivery, SettlingSubscriberOptions } from './broker/settling-subscriber.ts';
export type { LazyConnectionOptions } from './lifecycle/lazy-connection.ts';
export type { OptionNames } from './lifecycle/options.ts';
export type { RosterMember } from './collections/roster.ts';
export type { LeaseTableOptions, PutOptions } from './registry/lease-table.ts';
export type { TableChange } from './registry/following-watcher.ts';
export type { PeerQueue } from './collections/peer-queues.ts';
export type { LeasedRecord } from './registry/peers/leased-record.ts';
export type { LeasedAnnouncement, PeerWatcherOptions } from './registry/peers/peer-watcher.ts';
export type { RecordWatcherOptions } from './registry/record-watcher.ts';
export type { ConversationListenerOptions, ConversationMessage } from './request/conversation-listener.ts';
export type { ConversationKind, ConversationSocketOptions } from './request/conversation-socket.ts';
export type { RecordChange } from './registry/store/node-changes.ts';
export type { NodeRegistryOptions } from './registry/store/node-registry.ts';
export type { HeldNode, NodeChange, NodesHeld, NodeStore } from './registry/store/node-store.ts';
export type { RegistryStore } from './registry/store/registry-store.ts';
export type { StoreRegistryOptions } from './registry/store/store-registry.ts';
export type { AccessPlugin } from './settings/access-plugin.ts';
export type {
  AccessRules,
  AccessSettings,
  CheckedAccess,
  ServerAccess,
  ServerTls,
} from './settings/server-access.ts';
export type { ReplyEvents, ReplyInboxOptions, ReplyReceiver, ReplySubscription } from './request/reply-inbox.ts';
