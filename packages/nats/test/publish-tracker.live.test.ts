import { connectNats, PublishTracker } from '@ts-micro/nats';
import { startChaosProxy, startNatsServer } from '@ts-micro/testkit/nats';
import { expect, test } from 'vitest';

const body = new Uint8Array(10);

test('what is written is confirmed by itself, with few pings', async () => {
  await using server = await startNatsServer();
  await using connection = await connectNats({ servers: server.address });
  const lost: number[] = [];
  const tracker = new PublishTracker(connection, (count) => lost.push(count));
  for (let count = 0; count < 1000; count++) {
    connection.publish('a', body);
    tracker.wrote();
  }
  expect(tracker.open).toBe(1000);
  await expect.poll(() => tracker.confirmed).toBe(1000);
  expect(tracker.open).toBe(0);
  tracker.close();
  expect(lost).toEqual([]);
});

test('what is written on a link that is lost is uncertain, once, and what comes after it is confirmed', async () => {
  await using server = await startNatsServer();
  await using proxy = await startChaosProxy({ target: server.address });
  await using connection = await connectNats({ servers: proxy.address });
  const lost: number[] = [];
  const tracker = new PublishTracker(connection, (count) => lost.push(count));
  const write = () => {
    connection.publish('a', body);
    tracker.wrote();
  };
  write();
  await tracker.settle();
  proxy.stall();
  write();
  write();
  proxy.cut();
  await expect.poll(() => lost).toEqual([2]);
  proxy.heal();
  await connection.ready();
  write();
  await tracker.settle();
  expect(tracker.confirmed).toBe(2);
  tracker.close();
  expect(lost).toEqual([2]);
});

test('settling ends with its signal, and closing says what is then uncertain', async () => {
  await using server = await startNatsServer();
  await using proxy = await startChaosProxy({ target: server.address });
  await using connection = await connectNats({ servers: proxy.address });
  const lost: number[] = [];
  const tracker = new PublishTracker(connection, (count) => lost.push(count));
  proxy.stall();
  connection.publish('a', body);
  tracker.wrote();
  await tracker.settle({ signal: AbortSignal.timeout(50) });
  expect(tracker.open).toBe(1);
  tracker.close();
  expect(lost).toEqual([1]);
  proxy.heal();
});
