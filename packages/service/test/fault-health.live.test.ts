import { natsBroker } from '@ts-micro/broker-nats';
import { connectNats } from '@ts-micro/nats';
import { natsRegistry } from '@ts-micro/registry-nats';
import { createService } from '@ts-micro/service';
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
    expect(reasons).toEqual([
      'the nats transport is not connected',
      'the nats broker is not connected',
      'the nats registry is not connected',
    ]);
    await server.restart();
    await expect.poll(() => service.health()).toEqual(well);
  },
);
