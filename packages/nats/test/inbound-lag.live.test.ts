import { connectNats } from '@ts-micro/nats';
import { startNatsServer } from '@ts-micro/testkit/nats';
import { expect, test } from 'vitest';
import { InboundLag } from '../src/intake/inbound-lag.ts';

function block(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

test('what waits for more than a quarter of a second for a blocked process is late, and is not once it was read', async () => {
  await using server = await startNatsServer();
  await using connection = await connectNats({ servers: server.url });
  const lag = new InboundLag(connection);
  block(50);
  expect(lag.isBehind()).toBe(false);
  block(300);
  expect(lag.isBehind()).toBe(true);
  await expect
    .poll(async () => {
      await connection.flush();
      block(20);
      return lag.isBehind();
    })
    .toBe(false);
});
