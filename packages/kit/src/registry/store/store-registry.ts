import { type Logger, silentLogger } from '@ts-micro/core';
import { RateLimitedLogger } from '../../lifecycle/rate-limited-logger.ts';
import { NodeRegistry } from './node-registry.ts';
import type { RegistryStore } from './registry-store.ts';
import { TextNodeStore } from './text-node-store.ts';

export interface StoreRegistryOptions {
  /** Names it in flags and node metadata: `redis`. */
  readonly name: string;
  readonly store: RegistryStore;
  /** How long closing waits for the store to take away what was registered here, in milliseconds. @default 5000 */
  readonly closeTimeoutMs?: number | undefined;
  /** Told of messages that are none of a registry's. @default silent */
  readonly logger?: Logger | undefined;
}

/**
 * A `NodeRegistry` over a store that knows nothing of leases or changes: texts by name that all instances share, a
 * clock, and a feed. Leases run on the store's clock, and every instance tells the others what it changes.
 */
export class StoreRegistry extends NodeRegistry {
  constructor({ name, store, closeTimeoutMs, logger = silentLogger }: StoreRegistryOptions) {
    const who = `${name} registry`;
    super({ name, store: new TextNodeStore(store, who, new RateLimitedLogger(logger)), closeTimeoutMs });
  }
}
