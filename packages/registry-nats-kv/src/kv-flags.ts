import type { PluginFlag } from '@ts-micro/core';
import type { PluginSettings } from '@ts-micro/kit';
import { type NatsPluginFactory, natsPluginFactory } from '@ts-micro/nats';
import { type NatsKvRegistryOptions, who } from './kv-registry-options.ts';

const prefix = 'nats_kv';

const flags: readonly PluginFlag[] = [
  { name: 'nats_kv_bucket', about: 'the bucket: micro-registry' },
  { name: 'nats_kv_manage', about: 'false: use a bucket that is there, and make none' },
  { name: 'nats_kv_storage', about: 'file or memory' },
  { name: 'nats_kv_replicas', about: 'on how many servers a node is stored' },
  { name: 'nats_kv_max_bytes', about: 'the most bytes of the bucket' },
  { name: 'nats_kv_max_age', about: 'how long a node is kept that nobody renews: 1h' },
  { name: 'nats_kv_default_lease', about: 'the lease of nodes that have none of their own: 90s' },
  { name: 'nats_kv_domain', about: 'the JetStream domain' },
];

/**
 * Returns what registers the registry: its own settings, and those of a NATS connection as `nats_kv_user` and so on.
 */
export function kvRegistryFactory<P>(make: (options: NatsKvRegistryOptions) => P): NatsPluginFactory<P> {
  return natsPluginFactory(make, prefix, { who, flags, optionsOf });
}

function optionsOf(settings: PluginSettings): NatsKvRegistryOptions {
  return {
    bucket: settings.text('nats_kv_bucket'),
    manage: settings.boolean('nats_kv_manage'),
    storage: settings.text('nats_kv_storage') as 'file' | 'memory' | undefined,
    replicas: settings.whole('nats_kv_replicas'),
    maxBytes: settings.whole('nats_kv_max_bytes'),
    maxAgeMs: settings.milliseconds('nats_kv_max_age'),
    defaultLeaseMs: settings.milliseconds('nats_kv_default_lease'),
    domain: settings.text('nats_kv_domain'),
  };
}
