import '@ts-micro/broker-nats/register';
import '@ts-micro/registry-nats/register';
import '@ts-micro/transport-nats/register';
import { createClient, createService, fromFlags, listFlags } from '@ts-micro/service';
import { startNatsServer } from '@ts-micro/testkit/nats';
import { expect, test } from 'vitest';

const plugins = { MICRO_TRANSPORT: 'nats', MICRO_BROKER: 'nats', MICRO_REGISTRY: 'nats' };

test('a service and its client are composed with credentials from flags and environment', async () => {
  await using server = await startNatsServer({ config: 'authorization { user: app, password: "s3cret,/@" }' });
  const env = { ...plugins, MICRO_NATS_ADDRESS: server.address, MICRO_NATS_PASSWORD: 's3cret,/@' };
  await using chosen = fromFlags(['--nats-user', 'app'], env);
  await using service = createService({ name: 'flagged', ...chosen });
  service.handle('Flagged.Hello', () => ({ msg: 'hello' }));
  await service.start();
  await using client = createClient(chosen);
  expect(await client.call('flagged', 'Flagged.Hello', {})).toEqual({ msg: 'hello' });
});

test('the flags of NATS are listed once for its three plugins, and a mistyped one is refused', () => {
  const names = listFlags().map(({ name }) => name);
  expect(names.filter((name) => name === 'nats_creds')).toEqual(['nats_creds']);
  expect(new Set(names).size).toBe(names.length);
  expect(() => fromFlags(['--nats_cred=x'], plugins)).toThrow('--nats_cred is not known; did you mean --nats_creds?');
});
