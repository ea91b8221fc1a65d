export { natsRegistry } from './nats-registry.ts';

export type { NatsRegistryOptions } from './nats-registry-options.ts';
