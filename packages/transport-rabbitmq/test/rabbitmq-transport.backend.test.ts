import type { Socket } from '@ts-micro/core';
import { startRabbitmq } from '@ts-micro-tools/backends';
import { connect } from 'amqplib';
import { afterAll, expect, test } from 'vitest';
import { rabbitmqTransport } from '../src/index.ts';

const server = await startRabbitmq();
afterAll(() => server[Symbol.asyncDispose]());
const servers = server.address;
const message = (text: string, headers = {}) => ({ headers, body: new TextEncoder().encode(text) });

test('what Go Micro publishes is answered where it asks, with its correlation id, as often as it asks', async () => {
  await using transport = rabbitmqTransport({ servers });
  const listener = await transport.listen('from-go');
  const sockets: Socket[] = [];
  await listener.accept(async (socket) => {
    sockets.push(socket);
    for await (const { headers, body } of socket) await socket.send({ headers: { ...headers, Answer: 'yes' }, body });
  });
  const connection = await connect(`amqp://${servers}`);
  const channel = await connection.createChannel();
  const answers: unknown[] = [];
  // As Go's plugin does it: the exchange `micro`, direct reply-to, headers as a table, no type.
  await channel.consume('amq.rabbitmq.reply-to', (answer) => answers.push(answer), { noAck: true });
  for (const number of ['1', '2', '3']) {
    const properties = { correlationId: 'id-1', replyTo: 'amq.rabbitmq.reply-to', headers: { Number: number } };
    channel.publish('micro', 'from-go', Buffer.from(number), properties);
    await expect
      .poll(() => answers.at(-1))
      .toMatchObject({
        content: Buffer.from(number),
        properties: { correlationId: 'id-1', headers: { Number: number, Answer: 'yes' } },
      });
  }
  expect(sockets).toHaveLength(1);
  await connection.close();
});

test('headers that RabbitMQ obeys are plain headers', async () => {
  await using transport = rabbitmqTransport({ servers });
  const listener = await transport.listen();
  await listener.accept(async (socket) => {
    for await (const each of socket) await socket.send(each);
  });
  const socket = await transport.dial(listener.address, { metadata: listener.metadata });
  const headers = { CC: 'a,b', BCC: '[]', 'Ts-Micro-Headers': 'x', 'x-delay': '1', [`N${'n'.repeat(300)}`]: 'long' };
  await socket.send(message('hello', headers));
  expect(await socket.receive()).toEqual(message('hello', headers));
});

test('an address that another connection listens on is a conflict', async () => {
  await using one = rabbitmqTransport({ servers });
  await using other = rabbitmqTransport({ servers });
  await (await one.listen('taken')).accept(() => {});
  await expect((await other.listen('taken')).accept(() => {})).rejects.toMatchObject({ code: 'conflict' });
  await expect(one.listen('taken')).rejects.toMatchObject({ code: 'conflict' });
});

test('a sender waits for a peer of ts-micro that does not receive, and goes on when it does', {
  timeout: 120_000,
}, async () => {
  await using transport = rabbitmqTransport({ servers });
  const listener = await transport.listen();
  let goOn = () => {};
  const paused = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  let received = 0;
  await listener.accept(async (socket) => {
    await paused;
    for await (const _ of socket) received++;
  });
  const socket = await transport.dial(listener.address, { metadata: listener.metadata });
  for (let sent = 0; sent < 1024; sent++) await socket.send(message(`${sent}`));
  const signal = AbortSignal.timeout(200);
  await expect(socket.send(message('too early'), { signal })).rejects.toMatchObject({ code: 'timeout' });
  goOn();
  for (let sent = 0; sent < 2000; sent++) await socket.send(message(`${sent}`));
  await expect.poll(() => received, { timeout: 60_000 }).toBe(3024);
});

test('a password that is wrong and a virtual host that is not there are unauthorized', async () => {
  await using wrong = rabbitmqTransport({ servers, user: 'guest', password: 'wrong' });
  await expect(wrong.dial('a')).rejects.toMatchObject({ code: 'unauthorized' });
  await using elsewhere = rabbitmqTransport({ servers: `amqp://guest:guest@${servers}/nowhere` });
  await expect(elsewhere.dial('a')).rejects.toMatchObject({ code: 'unauthorized' });
});
