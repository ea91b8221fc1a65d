export { memoryBroker } from './broker/memory-broker.ts';
export { memoryNetwork } from './memory-network.ts';
export { memoryRegistry } from './registry/memory-registry.ts';
export { memoryTransport } from './transport/memory-transport.ts';

export type { MemoryBrokerOptions } from './broker/memory-broker.ts';
export type { MemoryNetwork } from './memory-network.ts';
export type { MemoryRegistryOptions } from './registry/memory-registry.ts';
export type { MemoryTransportOptions } from './transport/memory-transport.ts';
