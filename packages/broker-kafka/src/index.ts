export { kafkaBroker } from './kafka-broker.ts';

export type { KafkaBrokerOptions } from './kafka-broker-options.ts';
