import type { Registry } from '@ts-micro/core';
import { NodeRegistry } from '@ts-micro/kit';
import { EtcdClient } from './etcd-client.ts';
import { EtcdFeed } from './etcd-feed.ts';
import { EtcdNodeStore } from './etcd-node-store.ts';
import { type EtcdRegistryOptions, etcdSettings } from './etcd-registry-options.ts';

/**
 * Service discovery over etcd 3, in Go Micro's layout. Connects at its first use. Throws `invalid` naming the option.
 */
export function etcdRegistry(options: EtcdRegistryOptions = {}): Registry {
  const settings = etcdSettings(options);
  const client = new EtcdClient(settings);
  const feed: EtcdFeed = new EtcdFeed(client, settings, () => void registry.resume());
  const { maxNodes, maxBytes, maxRecordBytes } = settings;
  const store = new EtcdNodeStore(client, feed, settings);
  const registry = new NodeRegistry({ name: 'etcd', store, maxNodes, maxBytes, maxRecordBytes });
  return Object.defineProperty(registry, 'isConnected', { get: () => feed.isRunning, enumerable: true });
}
