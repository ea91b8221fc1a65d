import { natsBroker } from '@ts-micro/broker-nats';
import { connectNats } from '@ts-micro/nats';
import { natsRegistry } from '@ts-micro/registry-nats';
import { createClient, createService } from '@ts-micro/service';
import { startNatsServer } from '@ts-micro/testkit/nats';
import { natsTransport } from '@ts-micro/transport-nats';
import { expect, test } from 'vitest';

test.each(['a borrowed connection', 'a connection of their own'])(
  'health says so while NATS is down, with %s',
  async (how) => {
    await using server = await startNatsServer();
    const servers = server.address;
    await using connection = await connectNats({ servers });
    const options = how === 'a borrowed connection' ? { connection } : { servers };
    await using transport = natsTransport(options);
    await using broker = natsBroker(options);
    await using registry = natsRegistry(options);
    await using service = createService({ name: 'greeter', transport, broker, registry });
    service.subscribe('greeter.say', () => {});
    await service.start();
    const well = {
      live: true,
      ready: true,
      connected: true,
      registered: true,
      draining: false,
      running: 0,
      refused: 0,
      reasons: [],
    };
    expect(service.health()).toEqual(well);
    await server.kill();
    await expect.poll(() => service.health().connected).toBe(false);
    const { live, ready, reasons } = service.health();
    expect({ live, ready }).toEqual({ live: true, ready: false });
    expect(reasons).toHaveLength(3);
    const said = ['transport', 'broker', 'registry'].map(
      (kind) => `the nats ${kind} is not connected: nats: connecting to ${servers}: connect ECONNREFUSED ${servers}`,
    );
    await expect.poll(() => service.health().reasons).toEqual(said);
    await server.restart();
    await expect.poll(() => service.health()).toEqual(well);
  },
);

test('health and what fails meanwhile have the words with which the server refuses to take the service back', async () => {
  const config = (password: string) => `authorization { user: a, password: ${password} }`;
  await using server = await startNatsServer({ config: config('b') });
  const options = { servers: server.address, user: 'a', password: 'b' };
  await using transport = natsTransport(options);
  await using registry = natsRegistry(options);
  await using service = createService({ name: 'greeter', transport, registry });
  await service.start();
  await using client = createClient({ transport, registry });
  await server.restart({ config: config('changed') });
  const within = { timeout: 15_000 };
  await expect
    .poll(() => service.health().reasons.join(), within)
    .toContain(`the nats transport is not connected: nats: connecting to ${server.address}: Authorization Violation`);
  await expect(client.call('greeter', 'Greeter.Hello', {}, { address: 'a' })).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('Authorization Violation'),
  });
  await server.restart({ config: config('b') });
  await expect.poll(() => service.health(), within).toMatchObject({ ready: true, registered: true, reasons: [] });
});
