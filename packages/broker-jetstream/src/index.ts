export { jetstreamBroker } from './jetstream-broker.ts';

export type { JetStreamBroker } from './jetstream-broker.ts';
export type { EventDialect } from './event-form.ts';
export type {
  JetStreamBrokerOptions,
  JetStreamBrokerSettings,
  JetStreamSubscribeOptions,
  StreamOptions,
  SubscribeFrom,
} from './jetstream-broker-options.ts';
