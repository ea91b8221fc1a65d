export { natsBroker } from './nats-broker.ts';

export type { BrokerFormat } from './message-format.ts';
export type { NatsBroker } from './nats-broker.ts';
export type { NatsBrokerOptions, NatsBrokerSettings, OutagePolicy } from './nats-broker-options.ts';
export type { PublishBooks } from './publish-books.ts';
