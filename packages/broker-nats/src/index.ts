export { natsBroker } from './nats-broker.ts';

export type { BrokerFormat } from './message-format.ts';
export type { NatsBroker } from './nats-broker.ts';
export type { NatsBrokerOptions, NatsBrokerSettings } from './nats-broker-options.ts';
