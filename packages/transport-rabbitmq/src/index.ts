export { rabbitmqTransport } from './rabbitmq-transport.ts';

export type { RabbitmqTransportOptions } from './rabbitmq-transport-options.ts';
