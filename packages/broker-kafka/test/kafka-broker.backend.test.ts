import { Admin, Producer } from '@platformatic/kafka';
import type { BrokerEvent, Message } from '@ts-micro/core';
import { startKafka } from '@ts-micro-tools/backends';
import { afterAll, expect, test } from 'vitest';
import { kafkaBroker } from '../src/index.ts';

const server = await startKafka();
afterAll(() => server[Symbol.asyncDispose]());
const servers = server.address;
const client = { clientId: 'other', bootstrapBrokers: [servers], autocreateTopics: true };
const textOf = ({ body }: Message) => new TextDecoder().decode(body);

test('what other programs write is handed out as it is, and stops nothing', { timeout: 60_000 }, async () => {
  await using broker = kafkaBroker({ servers });
  const events: BrokerEvent[] = [];
  await broker.subscribe('others', (event) => void events.push(event), { queue: 'readers' });
  const producer = new Producer(client);
  const bytes = (text: string) => Buffer.from(text);
  const value = (text: string, headers: [string, string][] = []) => ({
    ...{ topic: 'others', key: bytes('k'), value: bytes(text) },
    headers: new Map(headers.map(([name, word]) => [bytes(name), bytes(word)])),
  });
  const deleted = { topic: 'others', key: bytes('k') };
  const written = [value('{"Header":7,"Body":"not base64"}'), value('{"Header":{},"Body":[1]}'), value('\0\ufffd{')];
  await producer.send({ messages: [...written, deleted as ReturnType<typeof value>] });
  await producer.send({ messages: [value('squeezed', [['__proto__', 'x']])], compression: 'gzip' });
  await producer.send({ messages: [value('last', [['Odd name', '\u0001']])], compression: 'lz4' });
  await expect.poll(() => events.length, { timeout: 30_000 }).toBe(6);
  const texts = events.map(({ message }) => textOf(message));
  expect(texts).toEqual([...written.map(({ value }) => String(value)), '', 'squeezed', 'last']);
  expect(events[5]?.message.headers).toEqual({ 'Odd name': '\u0001' });
  await producer.close();
});

test('a member that lost its server comes back as the member that it was', { timeout: 60_000 }, async () => {
  await using broker = kafkaBroker({ servers, sessionTimeoutMs: 40_000 });
  const events: BrokerEvent[] = [];
  await broker.subscribe('lost', (event) => void events.push(event), { queue: 'returning' });
  const admin = new Admin(client);
  const members = async () => [
    ...((await admin.describeGroups({ groups: ['returning'] })).get('returning')?.members.keys() ?? []),
  ];
  const before = await members();
  expect(before).toHaveLength(1);
  server.proxy.drop();
  // Long before anybody would miss it.
  const message = { headers: {}, body: new TextEncoder().encode('back') };
  await expect
    .poll(() =>
      broker.publish('lost', message).then(
        () => true,
        () => false,
      ),
    )
    .toBe(true);
  await expect.poll(() => events.map((event) => textOf(event.message)), { timeout: 30_000 }).toContain('back');
  expect(await members()).toEqual(before);
  await admin.close();
});
