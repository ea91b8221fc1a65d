import type { Registry } from '@ts-micro/core';
import type { NatsConnection } from '@ts-micro/nats';
import { natsRegistry } from '@ts-micro/registry-nats';
import { natsKvRegistry } from '@ts-micro/registry-nats-kv';

/** Which registry a fleet has: one of Go Micro's subjects, of each service's own, or in a bucket. */
export type RegistryKind = 'go' | 'native' | 'nats-kv';

export const registryKinds: readonly RegistryKind[] = ['go', 'native', 'nats-kv'];

export const registryTitles: Readonly<Record<RegistryKind, string>> = {
  go: 'registry-nats',
  native: 'registry-nats, dialect: native',
  'nats-kv': 'registry-nats-kv',
};

/** Where a fleet registers. */
export interface FleetPlace {
  readonly address: string;
  readonly registry: RegistryKind;
}

export function openFleetRegistry(registry: RegistryKind, connection: NatsConnection): Registry {
  return registry === 'nats-kv' ? natsKvRegistry({ connection }) : natsRegistry({ connection, dialect: registry });
}
