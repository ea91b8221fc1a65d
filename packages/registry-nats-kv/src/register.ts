import { registerPlugin } from '@ts-micro/core';
import { natsKvRegistry } from '@ts-micro/registry-nats-kv';
import { kvRegistryFactory } from './kv-flags.ts';

registerPlugin('registry', 'nats-kv', kvRegistryFactory(natsKvRegistry));
