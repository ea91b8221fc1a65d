import { connectNats } from '@ts-micro/nats';
import { startChaosProxy, startNatsServer } from '@ts-micro/testkit/nats';
import { expect, test } from 'vitest';

const body = new Uint8Array(100);

test('who publishes in a loop and awaits `room` lets timers run, and writes no faster than the server takes', async () => {
  await using server = await startNatsServer();
  await using proxy = await startChaosProxy({ target: server.address });
  await using connection = await connectNats({ servers: proxy.address });
  let ticks = 0;
  const timer = setInterval(() => ticks++, 1);
  for (let count = 0; count < 20_000; count++) {
    connection.publish('a', body);
    await connection.room();
  }
  clearInterval(timer);
  expect(ticks).toBeGreaterThan(4);

  proxy.stall();
  let count = 0;
  while (connection.room() === undefined) {
    connection.publish('a', body);
    count++;
  }
  expect(count).toBeLessThanOrEqual(2000);
  const room = connection.room() as Promise<void>;
  expect(connection.room()).toBe(room);
  await connection.room({ signal: AbortSignal.timeout(50) });
  proxy.heal();
  await room;
  expect(connection.room()).toBeUndefined();
});

test('`room` resolves when the connection is lost', async () => {
  await using server = await startNatsServer();
  await using proxy = await startChaosProxy({ target: server.address });
  await using connection = await connectNats({ servers: proxy.address });
  proxy.stall();
  while (connection.room() === undefined) connection.publish('a', body);
  const room = connection.room();
  proxy.cut();
  await room;
  await expect.poll(() => connection.state.status).toBe('reconnecting');
  expect(connection.room()).toBeUndefined();
});
