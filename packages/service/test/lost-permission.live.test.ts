import { randomUUID } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { natsBroker } from '@ts-micro/broker-nats';
import { natsRegistry } from '@ts-micro/registry-nats';
import { startNatsServer } from '@ts-micro/testkit/nats';
import { natsTransport } from '@ts-micro/transport-nats';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createClient, createService } from '../src/index.ts';
import { until } from './server/fixture.ts';

// A file of its own, as the server reads it again when it is told to.
const file = join(tmpdir(), `users-${randomUUID()}.conf`);
const allow = (denied: string) =>
  writeFile(
    file,
    `authorization { users: [ { user: cli, password: c }, { user: svc, password: s ${
      denied === '' ? '' : `, permissions: { subscribe: { deny: ["${denied}"] } }`
    } } ] }`,
  );

beforeAll(() => allow(''));
afterAll(() => rm(file, { force: true }));

it.each([
  ['its address', 'addr.>'],
  ['a topic', 'news.>'],
])(
  'a service that may no longer listen on %s is neither ready nor found, and comes back',
  async (_what, denied) => {
    await using server = await startNatsServer({ config: `include "../${basename(file)}"` });
    const plugins = (user: string, password: string) => {
      const options = { servers: server.url, user, password };
      return {
        transport: natsTransport({ ...options, addressPrefix: 'addr' }),
        broker: natsBroker(options),
        registry: natsRegistry(options),
      };
    };
    const [its, others] = [plugins('svc', 's'), plugins('cli', 'c')];
    let heard = 0;
    await using service = createService({ name: 'shop', ...its });
    service.handle('Shop.Buy', () => ({ ok: true }));
    service.subscribe('news.a', () => void heard++);
    await service.start();
    await using client = createClient(others);
    // Its pooled socket stays open meanwhile.
    expect(await client.call('shop', 'Shop.Buy', {})).toEqual({ ok: true });

    await allow(denied);
    server.signal('SIGHUP');
    await until('it is not ready', () => !service.health().ready, 15_000);
    await until('it is not found', async () => (await others.registry.getService('shop')).length === 0, 15_000);
    expect(service.health()).toMatchObject({ live: true, registered: false });

    await allow('');
    server.signal('SIGHUP');
    await until('it is ready', () => service.health().ready, 30_000);
    await until('it is found', async () => (await others.registry.getService('shop')).length === 1, 15_000);
    expect(await client.call('shop', 'Shop.Buy', {})).toEqual({ ok: true });
    await client.publish('news.a', {});
    await until('it hears', () => heard > 0, 15_000);
    await service.stop();
    await client.close();
    await Promise.all([...Object.values(its), ...Object.values(others)].map((plugin) => plugin.close()));
    await until('nothing is left', async () => (await server.counts()).connections === 0, 15_000);
  },
  90_000,
);
