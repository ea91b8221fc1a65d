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
  /** The most nodes that a lookup returns, and that a watcher knows; the others are left out. @default 20000 */
  readonly maxNodes?: number | undefined;
  /** The memory that they may take, in bytes, roughly; beyond, the same. @default 67108864 (64 MiB) */
  readonly maxBytes?: number | undefined;
  /** The longest record in characters that is stored, and read. @default 1048576 (1 MiB) */
  readonly maxRecordBytes?: number | undefined;
  /** Told of messages that are none of a registry's, and of what is left out. @default silent */
  readonly logger?: Logger | undefined;
}

/**
 * A `NodeRegistry` over a store that knows nothing of leases or changes: texts by name that all instances share, a
 * clock, and a feed. Leases run on the store's clock, and every instance tells the others what it changes.
 */
export class StoreRegistry extends NodeRegistry {
  constructor({ store, maxRecordBytes = 2 ** 20, logger = silentLogger, ...options }: StoreRegistryOptions) {
    const who = `${options.name} registry`;
    const nodes = new TextNodeStore(store, who, new RateLimitedLogger(logger), maxRecordBytes);
    super({ ...options, store: nodes, logger });
  }
}
