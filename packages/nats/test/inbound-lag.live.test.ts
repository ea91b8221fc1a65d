import { connectNats } from '@ts-micro/nats';
import { startNatsServer } from '@ts-micro/testkit/nats';
import { expect, test } from 'vitest';
import { InboundLag } from '../src/intake/inbound-lag.ts';

function block(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

test('many requests that wait for more than a quarter of a second for a blocked process are late, few are not', async () => {
  await using server = await startNatsServer();
  await using connection = await connectNats({ servers: server.url });
  let asked = 0;
  const lag = new InboundLag(connection, () => asked);
  block(50);
  expect(lag.isBehind()).toBe(false);
  asked = 1024;
  block(300);
  expect(lag.isBehind()).toBe(false);
  asked = 1025;
  expect(lag.isBehind()).toBe(true);
  await expect
    .poll(async () => {
      await connection.flush();
      block(20);
      return lag.isBehind();
    })
    .toBe(false);
});
