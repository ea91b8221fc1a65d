export { natsKvRegistry } from './kv-registry.ts';

export type { NatsKvRegistryOptions } from './kv-registry-options.ts';
