export { natsBroker } from './nats-broker.ts';

export type { BrokerDialect } from './message-dialect.ts';
export type { NatsBroker } from './nats-broker.ts';
export type { NatsBrokerOptions, NatsBrokerSettings, OutagePolicy } from './nats-broker-options.ts';
export type { PublishStats } from './publish-stats.ts';
