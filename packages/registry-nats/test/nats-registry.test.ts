import '../src/register.ts';
import { getPlugin, MicroError, type ServiceRecordInit } from '@ts-micro/core';
import { expect, test } from 'vitest';
import { type NatsRegistryOptions, natsRegistry } from '../src/index.ts';

const wrong: readonly (readonly [string, NatsRegistryOptions])[] = [
  ['queryTimeoutMs', { queryTimeoutMs: 0 }],
  ['queryTimeoutMs', { queryTimeoutMs: 2 ** 31 }],
  ['quietMs', { quietMs: Number.NaN }],
  ['quorum', { quorum: 1.5 }],
  ['defaultLeaseMs', { defaultLeaseMs: -1 }],
  ['querySubjects', { querySubjects: [] }],
  ['querySubjects', { querySubjects: ['micro.*'] }],
  ['querySubjects', { querySubjects: ['a,b'] }],
  ['watchSubjects', { watchSubjects: 'micro.nats.watch' as unknown as string[] }],
  ['watchSubjects', { watchSubjects: ['a b'] }],
];

test.each(wrong)('a wrong option %s is refused with invalid, by name', (name, options) => {
  const error = caught(() => natsRegistry(options));
  expect(error).toMatchObject({ code: 'invalid', message: expect.stringContaining(`option ${name}`) });
});

test('it needs no option and no server to be made and closed', async () => {
  const registry = natsRegistry();
  expect(registry.name).toBe('nats');
  expect(registry.supports).toEqual({ ttl: true, watch: true });
  await registry.close();
  expect(await registry.closed).toBeUndefined();
});

test('the plugin catalogue makes it from addresses', async () => {
  await using registry = getPlugin('registry', 'nats')({ addresses: ['127.0.0.1:4222', '127.0.0.1:4223'] });
  expect(registry.name).toBe('nats');
  await using withDefaults = getPlugin('registry', 'nats')({});
  expect(withDefaults.name).toBe('nats');
});

test('metadata that is no text is refused, for a Go peer would drop the whole record', async () => {
  await using registry = natsRegistry();
  const metadata = { weight: 1 } as unknown as Record<string, string>;
  const records: ServiceRecordInit[] = [
    { name: 'greeter', metadata },
    { name: 'greeter', nodes: [{ id: 'a', address: 'b', metadata }] },
    { name: 'greeter', endpoints: [{ name: 'Greeter.Hello', metadata }] },
  ];
  for (const record of records) {
    const registering = registry.register({ version: '', metadata: {}, endpoints: [], nodes: [], ...record } as never);
    await expect(registering).rejects.toMatchObject({ code: 'invalid', message: expect.stringContaining('weight') });
  }
});

test('no server is unavailable and not an empty list', async () => {
  await using registry = natsRegistry({ servers: '127.0.0.1:1', connectTimeoutMs: 1000 });
  await expect(registry.getService('greeter')).rejects.toMatchObject({ code: 'unavailable' });
  await expect(registry.listServices()).rejects.toMatchObject({ code: 'unavailable' });
  await expect(registry.watch()).rejects.toMatchObject({ code: 'unavailable' });
});

function caught(work: () => unknown): MicroError {
  try {
    work();
  } catch (error) {
    if (MicroError.is(error)) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
