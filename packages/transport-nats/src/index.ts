export { natsTransport } from './nats-transport.ts';

export type { NatsTransportOptions } from './transport-options.ts';
