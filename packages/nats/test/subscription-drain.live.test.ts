import { randomUUID } from 'node:crypto';
import { startNatsServer } from '@ts-micro/testkit/nats';
import { expect, test } from 'vitest';
import { connectNats } from '../src/index.ts';

const none = new Uint8Array();

test('a queue member that drains loses nothing of what it was chosen for', async () => {
  await using server = await startNatsServer();
  await using publisher = await connectNats({ servers: server.url });
  await using member = await connectNats({ servers: server.url });
  const subject = randomUUID();
  const heard = [0, 0, 0];
  const join = (index: number) =>
    member.subscribe(subject, {
      queue: 'workers',
      onMessage: () => void heard.splice(index, 1, (heard[index] ?? 0) + 1),
    });
  const [stays, leaves, leavesToo] = [join(0), join(1), join(2)];
  await Promise.all([stays.confirm(), leaves.confirm(), leavesToo.confirm()]);
  let drained = Promise.resolve();
  for (let count = 1; count <= 3000; count++) {
    publisher.publish(subject, none);
    if (count === 1000) drained = leaves.drain();
    if (count % 100 === 0) await publisher.flush();
  }
  await drained;
  await leavesToo.drain();
  await member.flush();
  expect(heard.reduce((sum, each) => sum + each)).toBe(3000);
});

test('after a drain nothing more comes, and a second one is none', async () => {
  await using server = await startNatsServer();
  await using connection = await connectNats({ servers: server.url });
  const heard: string[] = [];
  const subscription = connection.subscribe('a', { onMessage: ({ subject }) => heard.push(subject) });
  await subscription.confirm();
  const { subscriptions } = await server.counts();
  connection.publish('a', none);
  await Promise.all([subscription.drain(), subscription.drain()]);
  expect(heard).toEqual(['a']);
  await expect.poll(async () => (await server.counts()).subscriptions).toBe(subscriptions - 1);
  connection.publish('a', none);
  await connection.flush();
  await subscription.drain();
  expect(heard).toEqual(['a']);
});

test('a drain without a connection rejects with unavailable and has ended all the same', async () => {
  await using server = await startNatsServer();
  await using connection = await connectNats({ servers: server.url });
  const heard: string[] = [];
  const subscription = connection.subscribe('a', { onMessage: ({ subject }) => heard.push(subject) });
  await subscription.confirm();
  await server.kill();
  await expect.poll(() => connection.state.status, { timeout: 10_000 }).toBe('reconnecting');
  await expect(subscription.drain()).rejects.toMatchObject({ code: 'unavailable' });
  await server.restart();
  await connection.ready();
  connection.publish('a', none);
  await connection.flush();
  expect(heard).toEqual([]);
});
