import { natsBroker } from '@ts-micro/broker-nats';
import { natsRegistry } from '@ts-micro/registry-nats';
import { startNatsServer } from '@ts-micro/testkit/nats';
import { natsTransport } from '@ts-micro/transport-nats';
import { describe, expect, it } from 'vitest';
import { createClient, createService } from '../src/index.ts';
import { aborted, until } from './server/fixture.ts';

const boundMs = 30_000;
const configOf = (permissions: string) =>
  `authorization { users: [ { user: cli, password: c }, { user: svc, password: s ${
    permissions === '' ? '' : `, permissions: { ${permissions} }`
  } } ] }`;

/** A server whose user `svc` has these permissions, which can be changed while it runs. */
async function startServer(permissions: string) {
  const server = await startNatsServer({ config: configOf(permissions) });
  const plugins = (user: string, password: string) => {
    const options = { servers: server.url, user, password };
    return {
      transport: natsTransport({ ...options, addressPrefix: 'addr' }),
      broker: natsBroker(options),
      registry: natsRegistry(options),
    };
  };
  return {
    server,
    its: plugins('svc', 's'),
    others: plugins('cli', 'c'),
    allow: (given: string) => server.reload({ config: configOf(given) }),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
    },
  };
}

it.each([
  ['listen on its address', 'subscribe: { deny: ["addr.>"] }'],
  ['hear a topic', 'subscribe: { deny: ["news.>"] }'],
  ['hear questions of the registry', 'subscribe: { deny: ["micro.nats.query"] }'],
  ['answer anybody', 'publish: { deny: ["_INBOX.>"] }'],
  ['announce itself', 'publish: { deny: ["micro.nats.watch"] }'],
])(
  'a service that may no longer %s is neither ready nor found, says so in the words of the server, and comes back',
  async (_what, denied) => {
    await using world = await startServer('');
    const { server, its, others } = world;
    let heard = 0;
    await using service = createService({ name: 'shop', ...its, registerIntervalMs: 500, registerTtlMs: 60_000 });
    service.handle('Shop.Buy', () => ({ ok: true }));
    service.subscribe('news.a', () => void heard++);
    await service.start();
    await using client = createClient(others);
    // Its pooled socket stays open meanwhile.
    expect(await client.call('shop', 'Shop.Buy', {})).toEqual({ ok: true });
    const found = async () => (await others.registry.getService('shop')).length;

    await world.allow(denied);
    // Who may not answer learns it from the first question.
    await until('it is not ready', async () => (await found()) >= 0 && !service.health().ready, boundMs);
    await until('it is not found', async () => (await found()) === 0, boundMs);
    await until('it does not count itself in', () => !service.health().registered, boundMs);
    expect(service.health()).toMatchObject({ live: true, ready: false });
    expect(service.health().reasons.join('\n')).toMatch(/Permissions Violation for (Publish|Subscription) to/);

    await world.allow('');
    await until('it is ready', () => service.health().ready, 60_000);
    await until('it is found', async () => (await found()) === 1, boundMs);
    await until(
      'it is called',
      () =>
        client.call('shop', 'Shop.Buy', {}).then(
          () => true,
          () => false,
        ),
      boundMs,
    );
    await client.publish('news.a', {});
    await until('it hears', () => heard > 0, boundMs);
    expect(service.health().reasons.filter((reason) => !reason.startsWith('an answer was refused'))).toEqual([]);
    await service.stop();
    await client.close();
    await Promise.all([...Object.values(its), ...Object.values(others)].map((plugin) => plugin.close()));
    await until('nothing is left', async () => (await server.counts()).connections === 0, boundMs);
  },
  180_000,
);

describe('a service that may not answer from the beginning', () => {
  it('is not ready once anybody asks for it, and does not start again until it may', async () => {
    await using world = await startServer('publish: { deny: ["_INBOX.>"] }');
    const { its, others } = world;
    await using service = createService({ name: 'mute', ...its });
    service.handle('Mute.Say', () => ({ ok: true }));
    await service.start();
    await using client = createClient({ ...others, timeoutMs: 3000 });
    await expect(client.call('mute', 'Mute.Say', {})).rejects.toMatchObject({ code: 'not_found' });
    await until('it is not ready', () => !service.health().ready, boundMs);
    expect(service.health().reasons.join('\n')).toContain('Permissions Violation for Publish to "_INBOX.');
    // Its announcement was heard; that it left is heard as well.
    await until(
      'it is known to nobody',
      () =>
        client.call('mute', 'Mute.Say', {}).then(
          () => false,
          ({ code }) => code === 'not_found',
        ),
      boundMs,
    );
    await using other = createService({ name: 'mute-too', ...its });
    await expect(other.start()).rejects.toMatchObject({
      code: 'unauthorized',
      message: expect.stringContaining('Permissions Violation for Publish to "_INBOX.'),
    });
    await world.allow('');
    await until(
      'the other starts',
      () =>
        other.start().then(
          () => true,
          () => false,
        ),
      boundMs,
    );
    await other.stop();
    await service.stop();
    await client.close();
    await Promise.all([...Object.values(its), ...Object.values(others)].map((plugin) => plugin.close()));
  }, 120_000);

  it.each(['go', 'auto'] as const)(
    'over a transport alone, dialect %s, loses its listener with the words of the server',
    async (dialect) => {
      await using world = await startServer('publish: { deny: ["_INBOX.>"] }');
      const options = { servers: world.server.url, dialect };
      await using its = natsTransport({ ...options, user: 'svc', password: 's' });
      await using others = natsTransport({ ...options, user: 'cli', password: 'c' });
      const service = createService({ name: 'mute', transport: its, address: 'addr.mute' });
      service.handle('Mute.Say', () => ({ ok: true }));
      service.handleStream('Mute.Many', async (stream) => {
        for (let i = 0; i < 20; i++) await stream.send({ i });
      });
      await service.start();
      expect(service.health().ready).toBe(true);
      await using client = createClient({ transport: others, timeoutMs: 1000 });
      const address = 'addr.mute';
      const call = () => client.call('mute', 'Mute.Say', {}, { address, metadata: {} });
      await expect(call()).rejects.toMatchObject({ code: 'timeout' });
      await until('it is not ready', () => !service.health().ready, boundMs);
      expect(service.health().reasons.join('\n')).toContain('Permissions Violation for Publish to "_INBOX.');
      // Nobody waits for answers that cannot come.
      await until(
        'it refuses at once',
        () =>
          call().then(
            () => false,
            ({ code }) => code === 'unavailable',
          ),
        boundMs,
      );
      await world.allow('');
      await until('it is ready', () => service.health().ready, 60_000);
      expect(await call()).toEqual({ ok: true });
      await service.stop();
    },
    120_000,
  );
});

it.each([
  ['hear answers', 'subscribe: { deny: ["_INBOX.>"] }', /Permissions Violation for Subscription to "_INBOX\./],
  ['call the service', 'publish: { deny: ["addr.>"] }', /Permissions Violation for Publish to "addr\./],
])(
  'a caller that may no longer %s fails at once with the words of the server, and goes on once it may',
  async (_what, denied, words) => {
    await using world = await startServer('');
    const { its: callers, others: services } = world;
    await using service = createService({ name: 'shop', ...services });
    let asked = 0;
    service.handle('Shop.Wait', (_request, { signal }) => {
      asked++;
      return aborted(signal);
    });
    service.handle('Shop.Buy', () => ({ ok: true }));
    await service.start();
    await using client = createClient({ ...callers, timeoutMs: 60_000, retries: 0 });
    expect(await client.call('shop', 'Shop.Buy', {})).toEqual({ ok: true });
    const pending = client.call('shop', 'Shop.Wait', {}).then(
      () => undefined,
      (error: unknown) => error,
    );
    await until('it is asked', () => asked === 1, boundMs);
    await world.allow(denied);
    const isAboutAnswers = denied.startsWith('subscribe');
    if (isAboutAnswers) expect(await pending).toMatchObject({ message: expect.stringMatching(words) });
    await expect(client.call('shop', 'Shop.Buy', {})).rejects.toMatchObject({
      code: 'unauthorized',
      message: expect.stringMatching(words),
    });
    await world.allow('');
    await until(
      'it calls again',
      () =>
        client.call('shop', 'Shop.Buy', {}).then(
          () => true,
          () => false,
        ),
      boundMs,
    );
    await client.close({ signal: AbortSignal.timeout(100) });
    await pending;
    await service.stop({ signal: AbortSignal.timeout(100) });
    await Promise.all([...Object.values(callers), ...Object.values(services)].map((plugin) => plugin.close()));
  },
  120_000,
);
