import { randomUUID } from 'node:crypto';
import type { BrokerEvent, Message, MicroError } from '@ts-micro/core';
import { startNatsServer } from '@ts-micro/testkit/nats';
import { expect, test } from 'vitest';
import { natsBroker } from '../src/index.ts';

const text = (body: string): Message => ({ headers: {}, body: new TextEncoder().encode(body) });
const textOf = ({ message }: BrokerEvent) => new TextDecoder().decode(message.body);
const within = { timeout: 10_000 };
const user = (limits: string) => `authorization { users: [ { user: a, password: b ${limits} } ] }`;

test('plain subscribers of a topic are one subscription on the server, and each has bytes of its own', async () => {
  await using server = await startNatsServer({ config: 'max_subscriptions: 2' });
  await using broker = natsBroker({ servers: server.url, dialect: 'native' });
  const topic = randomUUID();
  const heard: string[][] = Array.from({ length: 100 }, () => []);
  const spoil = (texts: string[]) => (event: BrokerEvent) => {
    texts.push(textOf(event));
    event.message.body.fill(0);
  };
  const subscribers = await Promise.all(heard.map((texts) => broker.subscribe(topic, spoil(texts))));
  await broker.publish(topic, text('for all'));
  await expect.poll(() => heard.flat(), within).toHaveLength(100);
  expect(new Set(heard.flat())).toEqual(new Set(['for all']));
  // With the last of them goes the subscription: there is room for others.
  await Promise.all(subscribers.map((subscriber) => subscriber.close()));
  await Promise.all([broker.subscribe(randomUUID(), () => {}), broker.subscribe(randomUUID(), () => {})]);
  await expect(broker.subscribe(randomUUID(), () => {})).rejects.toMatchObject({ code: 'unavailable' });
});

test.each([{}, { kind: 'known' }])(
  'headers %j that one subscriber spoils are whole for the others',
  async (headers) => {
    await using server = await startNatsServer();
    await using broker = natsBroker({ servers: server.url, dialect: 'native' });
    const topic = randomUUID();
    const heard: unknown[] = [];
    const spoil = ({ message }: BrokerEvent) => {
      heard.push({ ...message.headers });
      // They may be frozen: then it is told.
      Reflect.set(message.headers, 'kind', 'spoilt');
    };
    for (let count = 0; count < 3; count++) await broker.subscribe(topic, spoil);
    await broker.publish(topic, { headers, body: new Uint8Array(1) });
    await expect.poll(() => heard, within).toEqual([headers, headers, headers]);
  },
);

test('who comes later gets nothing that was published before, and all that is published then', async () => {
  await using server = await startNatsServer();
  await using broker = natsBroker({ servers: server.url });
  const topic = randomUUID();
  const first: string[] = [];
  await broker.subscribe(topic, (event) => void first.push(textOf(event)));
  for (let round = 0; round < 20; round++) {
    const before = Array.from({ length: 200 }, (_, index) => `${round}.${index}`);
    const publishing = before.map((body) => broker.publish(topic, text(body)));
    const late: string[] = [];
    const subscribing = broker.subscribe(topic, (event) => void late.push(textOf(event)));
    const subscriber = await subscribing;
    await broker.publish(topic, text(`${round} after`));
    await expect.poll(() => late, within).toEqual([`${round} after`]);
    await Promise.all(publishing);
    await subscriber.close();
  }
  await expect.poll(() => first, within).toHaveLength(20 * 201);
});

test('one that is aborted, and the first that leaves, take nothing from the others', async () => {
  await using server = await startNatsServer();
  await using broker = natsBroker({ servers: server.url });
  const topic = randomUUID();
  const leaving = new AbortController();
  await broker.connect();
  const aborted: string[] = [];
  const stays: string[] = [];
  const goes: string[] = [];
  const going = broker.subscribe(topic, (event) => void aborted.push(textOf(event)), { signal: leaving.signal });
  const others = [goes, stays].map((texts) => broker.subscribe(topic, (event) => void texts.push(textOf(event))));
  leaving.abort();
  await expect(going).rejects.toMatchObject({ code: 'canceled' });
  const [first] = await Promise.all(others);
  await broker.publish(topic, text('one'));
  await expect.poll(() => [goes, stays], within).toEqual([['one'], ['one']]);
  const closing = first?.close();
  await broker.publish(topic, text('two'));
  await closing;
  await broker.publish(topic, text('three'));
  await expect.poll(() => stays, within).toEqual(['one', 'two', 'three']);
  expect(goes).not.toContain('three');
  expect(aborted).toEqual([]);
});

test('all of them hear that the subscription was lost and that it is there again; one that comes between is refused', async () => {
  const config = (subscribe: string) => user(`, permissions: { publish: ">", subscribe: "${subscribe}" }`);
  await using server = await startNatsServer({ config: config('>') });
  await using broker = natsBroker({ servers: server.url, user: 'a', password: 'b' });
  const told: string[][] = [[], []];
  const heard: string[][] = [[], []];
  for (const [index, words] of told.entries()) {
    await broker.subscribe('events', (event) => void heard[index]?.push(textOf(event)), {
      onError: (error: MicroError) => void words.push(error.code),
      onRestored: () => void words.push('restored'),
    });
  }
  await server.restart({ config: config('other') });
  await expect.poll(() => told, within).toEqual([['unauthorized'], ['unauthorized']]);
  await expect(broker.subscribe('events', () => {})).rejects.toMatchObject({ code: 'unauthorized' });
  await server.restart({ config: config('>') });
  await expect.poll(() => told.map((words) => words.at(-1)), within).toEqual(['restored', 'restored']);
  await broker.publish('events', text('hello'));
  await expect.poll(() => heard, within).toEqual([['hello'], ['hello']]);
});

test('an onLost or onRestored that throws or rejects keeps nothing from the others', async () => {
  const config = (subscribe: string) => user(`, permissions: { publish: ">", subscribe: "${subscribe}" }`);
  await using server = await startNatsServer({ config: config('>') });
  await using broker = natsBroker({ servers: server.url, user: 'a', password: 'b' });
  const told: string[] = [];
  const throwing = () => {
    throw new Error('thrown by a user');
  };
  const rejecting = () => Promise.reject(new Error('rejected by a user'));
  await broker.subscribe('events', () => {}, { onLost: throwing, onRestored: throwing });
  await broker.subscribe('events', () => {}, { onLost: rejecting, onRestored: rejecting });
  await broker.subscribe('events', () => {}, {
    onLost: () => void told.push('lost'),
    onRestored: () => void told.push('restored'),
  });
  await server.restart({ config: config('other') });
  await expect.poll(() => told, within).toEqual(['lost']);
  await server.restart({ config: config('>') });
  await expect.poll(() => told, within).toEqual(['lost', 'restored']);
});
