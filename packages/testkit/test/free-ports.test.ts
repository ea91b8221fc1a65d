import { once } from 'node:events';
import { createServer } from 'node:net';
import { freePorts } from '@ts-micro/testkit/nats';
import { expect, test } from 'vitest';

test('ports are different, can be listened on, and lie below those the system gives unasked', async () => {
  const ports = await freePorts(20);
  expect(new Set(ports).size).toBe(20);
  for (const port of ports) {
    expect(port).toBeGreaterThanOrEqual(10_000);
    expect(port).toBeLessThan(32_768);
    const server = createServer().listen(port, '127.0.0.1');
    await once(server, 'listening');
    server.close();
    await once(server, 'close');
  }
});
