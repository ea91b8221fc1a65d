import '../src/register.ts';
import { getPlugin } from '@ts-micro/core';
import { expect, test } from 'vitest';
import { type NatsKvRegistryOptions, natsKvRegistry } from '../src/index.ts';

test.each<NatsKvRegistryOptions>([
  { bucket: 'a.b' },
  { bucket: '' },
  { manage: 'no' as unknown as boolean },
  { storage: 'disk' as 'file' },
  { replicas: 0 },
  { replicas: 6 },
  { maxBytes: -1 },
  { maxAgeMs: 10 },
  { defaultLeaseMs: 0 },
  { maxRecordBytes: 0 },
  { maxNodes: 1.5 },
  { requestTimeoutMs: Number.NaN },
  { closeTimeoutMs: -1 },
  { domain: 'a.b' },
])('the options %o are invalid', (options) => {
  expect(() => natsKvRegistry(options)).toThrow(
    expect.objectContaining({ code: 'invalid', message: expect.stringContaining('nats-kv registry: option') }),
  );
});

test('an operator makes it by name, with settings of its own and of the connection', async () => {
  const factory = getPlugin('registry', 'nats-kv');
  const settings = {
    nats_kv_bucket: 'fleet',
    nats_kv_manage: 'false',
    nats_kv_storage: 'memory',
    nats_kv_replicas: '3',
    nats_kv_max_bytes: '1000000',
    nats_kv_max_age: '30m',
    nats_kv_default_lease: '60s',
    nats_kv_domain: 'hub',
    nats_kv_user: 'me',
    nats_kv_password: 'secret',
  };
  await using registry = factory({ addresses: ['127.0.0.1:4222'], settings });
  expect(registry).toMatchObject({ name: 'nats-kv', supports: { ttl: true, watch: true } });
  for (const [name, value] of [
    ['nats_kv_replicas', 'three'],
    ['nats_kv_manage', 'perhaps'],
    ['nats_kv_max_age', 'soon'],
  ] as const) {
    expect(() => factory({ settings: { [name]: value } })).toThrow(name);
  }
});
