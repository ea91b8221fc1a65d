export { natsServices } from './nats-services.ts';

export type { NatsServices } from './nats-services.ts';
export type { NatsServicesOptions } from './nats-services-options.ts';
export type { EndpointInfo, EndpointStats, ServiceIdentification, ServiceInfo, ServiceStats } from './service-info.ts';
