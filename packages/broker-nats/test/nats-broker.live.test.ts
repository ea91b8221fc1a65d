import { randomUUID } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { BrokerEvent, Logger, Message, MicroError } from '@ts-micro/core';
import { connectNats } from '@ts-micro/nats';
import { startNatsServer } from '@ts-micro/testkit/nats';
import { expect, test, vi } from 'vitest';
import { natsBroker } from '../src/index.ts';

const text = (body: string): Message => ({ headers: {}, body: new TextEncoder().encode(body) });
const textOf = ({ message }: BrokerEvent) => new TextDecoder().decode(message.body);
const within = { timeout: 10_000 };

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Lets handlers wait until the test says so. */
function gate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

test('a Go event is received, and what is published is one', async () => {
  await using server = await startNatsServer();
  await using go = await connectNats({ servers: server.url });
  await using broker = natsBroker({ servers: server.url });
  const topic = randomUUID();
  const heard: string[] = [];
  await go.subscribe(topic, { onMessage: ({ data }) => heard.push(new TextDecoder().decode(data)) }).confirm();
  const events: BrokerEvent[] = [];
  await broker.subscribe(topic, (event) => void events.push(event));
  const envelope = '{"Header":{"Micro-Topic":"greeter.events"},"Body":"aGVsbG8="}';
  go.publish(topic, new TextEncoder().encode(envelope));
  await expect.poll(() => events.length, within).toBe(1);
  expect(events.map(textOf)).toEqual(['hello']);
  expect(events[0]).toMatchObject({ topic, message: { headers: { 'Micro-Topic': 'greeter.events' } } });
  await broker.publish(topic, events[0]?.message as Message);
  await expect.poll(() => heard, within).toEqual([envelope, envelope]);
});

test('a plain message of a NATS client is received, and the native dialect is one', async () => {
  await using server = await startNatsServer();
  await using client = await connectNats({ servers: server.url });
  await using broker = natsBroker({ servers: server.url, dialect: 'native' });
  const topic = randomUUID();
  const heard: unknown[] = [];
  const onMessage = (message: Parameters<Parameters<typeof client.subscribe>[1]['onMessage']>[0]) =>
    heard.push([message.headers(), new TextDecoder().decode(message.data)]);
  await client.subscribe(topic, { onMessage }).confirm();
  const events: BrokerEvent[] = [];
  await broker.subscribe(topic, (event) => void events.push(event));
  client.publish(topic, new TextEncoder().encode('hello'), { headers: { a: 'b' } });
  await expect.poll(() => events.length, within).toBe(1);
  expect(events[0]?.message.headers).toEqual({ a: 'b' });
  expect(events.map(textOf)).toEqual(['hello']);
  await broker.publish(topic, events[0]?.message as Message);
  await expect
    .poll(() => heard, within)
    .toEqual([
      [{ a: 'b' }, 'hello'],
      [{ a: 'b' }, 'hello'],
    ]);
});

test('closing a subscriber works off what had arrived, and handlers can publish meanwhile', async () => {
  await using server = await startNatsServer();
  await using broker = natsBroker({ servers: server.url });
  const [work, results] = [randomUUID(), randomUUID()];
  const held = gate();
  const done: string[] = [];
  await broker.subscribe(results, (event) => void done.push(textOf(event)));
  await broker.subscribe(work, async (event) => {
    await held.opened;
    await broker.publish(results, text(textOf(event)));
  });
  await using client = await connectNats({ servers: server.url });
  const heard: string[] = [];
  await client.subscribe(results, { onMessage: ({ subject }) => heard.push(subject) }).confirm();
  for (let count = 0; count < 50; count++) await broker.publish(work, text(String(count)));
  const closing = broker.close();
  held.open();
  await closing;
  expect(await broker.closed).toBeUndefined();
  await expect.poll(() => heard.length, within).toBe(50);
  await expect(broker.publish(results, text('late'))).rejects.toMatchObject({ code: 'closed' });
});

test('a broker that lives on forgets a subscriber that was closed, and its handler', async () => {
  await using server = await startNatsServer();
  await using broker = natsBroker({ servers: server.url });
  const subscribed = async () => {
    const handler = () => {};
    const subscriber = await broker.subscribe(randomUUID(), handler);
    await subscriber.close();
    return new WeakRef(handler);
  };
  const handler = await subscribed();
  const isForgotten = () => {
    collectGarbage();
    return handler.deref() === undefined;
  };
  await expect.poll(isForgotten, within).toBe(true);
});

test('beyond maxPendingBytes messages are dropped and reported, and small ones of other topics still come', async () => {
  await using server = await startNatsServer();
  await using broker = natsBroker({ servers: server.url, maxPendingBytes: 1024 * 1024, dialect: 'native' });
  await using other = natsBroker({ servers: server.url, name: 'publisher', dialect: 'native' });
  const topic = randomUUID();
  const held = gate();
  const bodies: number[] = [];
  const reported: MicroError[] = [];
  const handler = async ({ message }: BrokerEvent) => {
    await held.opened;
    bodies.push(message.body.length);
  };
  for (let count = 0; count < 10; count++)
    await broker.subscribe(topic, handler, { onError: (error) => void reported.push(error) });
  const large = 512 * 1024;
  for (let count = 0; count < 8; count++) await other.publish(topic, { headers: {}, body: new Uint8Array(large) });
  const small = gate();
  await broker.subscribe(`${topic}.small`, () => small.open());
  await other.publish(`${topic}.small`, text('hello'));
  await small.opened;
  await expect.poll(() => reported.length, within).toBeGreaterThan(0);
  expect(reported[0]).toMatchObject({ code: 'unavailable', message: expect.stringContaining('bytes were waiting') });
  held.open();
  await broker.disconnect();
  // One with each handler, two that wait until their bound, and no more than 8 MiB and one each beside that together.
  expect(bodies.length).toBeGreaterThanOrEqual(20);
  expect(bodies.length).toBeLessThanOrEqual(10 + 16 + 10);
});

test('of many small messages that wait, none keeps more than 8 KiB of others', async () => {
  await using server = await startNatsServer();
  await using broker = natsBroker({ servers: server.url, dialect: 'native' });
  await using other = natsBroker({ servers: server.url, name: 'publisher', dialect: 'native' });
  const topic = randomUUID();
  const held = gate();
  const last = gate();
  const memory: number[] = [];
  await broker.subscribe(topic, async ({ message }) => {
    await held.opened;
    memory.push(message.body.buffer.byteLength);
  });
  await broker.subscribe(`${topic}.large`, ({ message }) => {
    if (message.body[0] === 1) last.open();
  });
  const body = new Uint8Array(100);
  for (let count = 0; count < 1200; count++) await other.publish(topic, { headers: {}, body });
  await other.publish(`${topic}.large`, { headers: {}, body: new Uint8Array(60_000).fill(1) });
  await last.opened;
  held.open();
  await broker.disconnect();
  expect(memory).toHaveLength(1200);
  expect(Math.max(...memory.slice(1026))).toBeLessThanOrEqual(8192);
});

test('beyond maxPendingMessages messages are dropped, logged and reported as unavailable', async () => {
  await using server = await startNatsServer();
  const warn = vi.fn<Logger['warn']>();
  const logger = { debug() {}, info() {}, warn, error() {} };
  await using broker = natsBroker({ servers: server.url, maxPendingMessages: 10, logger });
  await using other = natsBroker({ servers: server.url, name: 'publisher' });
  const topic = randomUUID();
  const held = gate();
  const handled: string[] = [];
  const reported: [MicroError, BrokerEvent | undefined][] = [];
  const handler = async (event: BrokerEvent) => {
    await held.opened;
    handled.push(textOf(event));
  };
  await broker.subscribe(topic, handler, { onError: (error, event) => reported.push([error, event]) });
  const last = gate();
  await other.subscribe(topic, (event) => {
    if (textOf(event) === '999') last.open();
  });
  for (let count = 0; count < 1000; count++) await other.publish(topic, text(String(count)));
  await last.opened;
  await expect.poll(() => reported.length, within).toBeGreaterThan(0);
  expect(reported[0]).toEqual([expect.objectContaining({ code: 'unavailable' }), undefined]);
  expect(warn).toHaveBeenCalledWith('messages dropped', {
    subscriber: expect.stringContaining(topic),
    dropped: expect.any(Number),
  });
  held.open();
  await expect.poll(() => handled.length, within).toBeGreaterThanOrEqual(10);
  // Once for the first and at most once a second after it, not once for each.
  expect(reported.length).toBeLessThan(20);
});

test('a refused subscription rejects with unauthorized, tells nobody else, and leaves the broker usable', async () => {
  const config =
    'authorization { users: [ { user: a, password: b, permissions: { publish: ">", subscribe: "open.>" } } ] }';
  await using server = await startNatsServer({ config });
  await using broker = natsBroker({ servers: server.url, user: 'a', password: 'b' });
  const reported: unknown[] = [];
  const onError = (error: MicroError) => void reported.push(error);
  await expect(broker.subscribe('secret.events', () => {}, { onError })).rejects.toMatchObject({
    code: 'unauthorized',
    message: expect.stringContaining('secret.events'),
  });
  expect(reported).toEqual([]);
  const events: BrokerEvent[] = [];
  await broker.subscribe('open.events', (event) => void events.push(event));
  await broker.publish('open.events', text('hello'));
  await expect.poll(() => events.map(textOf), within).toEqual(['hello']);
});

test('a subscription refused after a restart is reported, asked for again, and back once it may', async () => {
  const config = (subscribe: string) =>
    `authorization { users: [ { user: a, password: b, permissions: { publish: ">", subscribe: "${subscribe}" } } ] }`;
  await using server = await startNatsServer({ config: config('>') });
  await using broker = natsBroker({ servers: server.url, user: 'a', password: 'b' });
  const reported: MicroError[] = [];
  const heard: string[] = [];
  const onError = (error: MicroError) => void reported.push(error);
  await broker.subscribe('events', (event) => void heard.push(textOf(event)), { onError });
  await server.restart({ config: config('other') });
  await expect.poll(() => reported, within).toMatchObject([{ code: 'unauthorized' }]);
  expect(reported[0]?.message).toContain('events');
  expect(broker.isConnected).toBe(false);
  await server.restart({ config: config('>') });
  await expect.poll(() => broker.isConnected, within).toBe(true);
  await broker.publish('events', text('hello'));
  await expect.poll(() => heard, within).toEqual(['hello']);
  expect(reported).toHaveLength(1);
});

test('a subscriber whose connection is closed says so', async () => {
  await using server = await startNatsServer();
  const connection = await connectNats({ servers: server.url });
  await using broker = natsBroker({ connection });
  const reported: MicroError[] = [];
  const subscriber = await broker.subscribe('events', () => {}, { onError: (error) => void reported.push(error) });
  await connection.close();
  expect(await subscriber.closed).toMatchObject({ code: 'unavailable' });
  expect(reported).toEqual([await subscriber.closed]);
});

test('a subscription over a limit of the server rejects with its sentence, and only that one', async () => {
  await using server = await startNatsServer({ config: 'max_subscriptions: 5' });
  await using broker = natsBroker({ servers: server.url });
  const heard: string[] = [];
  const subscribe = (topic: string) => broker.subscribe(topic, ({ topic: on }) => void heard.push(on));
  const outcomes = await Promise.allSettled(['a', 'b', 'c', 'd', 'e', 'f', 'g'].map(subscribe));
  expect(outcomes.map(({ status }) => status)).toEqual([...Array(5).fill('fulfilled'), 'rejected', 'rejected']);
  expect(outcomes.at(-1)).toMatchObject({
    reason: { code: 'unavailable', message: expect.stringMatching(/"g".*maximum subscriptions exceeded/) },
  });
  for (const topic of ['g', 'a', 'e']) await broker.publish(topic, text('hello'));
  await expect.poll(() => heard, within).toEqual(['a', 'e']);
});

test('a publish that the account may not make rejects with unauthorized, naming the topic', async () => {
  const config = (deny: string) =>
    `authorization { users: [ { user: a, password: b, permissions: { publish: { deny: "${deny}" } } } ] }`;
  await using server = await startNatsServer({ config: config('secret.>') });
  await using broker = natsBroker({ servers: server.url, user: 'a', password: 'b' });
  const refusal = { code: 'unauthorized', message: expect.stringContaining('secret.a') };
  await broker.publish('open.a', text('a'));
  const publishing = ['secret.a', 'open.b', 'secret.a'].map((topic) => broker.publish(topic, text('a')));
  const outcomes = await Promise.allSettled(publishing);
  expect(outcomes).toMatchObject([
    { status: 'rejected', reason: refusal },
    { status: 'fulfilled' },
    { status: 'rejected', reason: refusal },
  ]);
  await expect.poll(() => broker.stats, within).toMatchObject({ published: 4, refused: 2, confirmed: 2, open: 0 });
  await server.restart({ config: config('open.>') });
  await expect.poll(() => broker.isConnected, within).toBe(true);
  // What was allowed before is found to be refused with the first message that is.
  await expect
    .poll(() => broker.publish('open.a', text('a')).catch((error) => error), within)
    .toMatchObject({ code: 'unauthorized' });
});

test('a disconnected broker refuses with unavailable until it connects again', async () => {
  await using server = await startNatsServer();
  await using broker = natsBroker({ servers: server.url });
  await broker.connect();
  expect(await server.counts()).toMatchObject({ connections: 1 });
  await broker.disconnect();
  await expect.poll(async () => (await server.counts()).connections, within).toBe(0);
  await expect(broker.publish('events', text('a'))).rejects.toMatchObject({ code: 'unavailable', retrySafe: true });
  await expect(broker.subscribe('events', () => {})).rejects.toMatchObject({ code: 'unavailable' });
  await broker.connect();
  await broker.publish('events', text('a'));
  expect(broker.address).toBe(server.address);
});

test('a borrowed connection stays open and gets its subscriptions back', async () => {
  await using server = await startNatsServer();
  await using connection = await connectNats({ servers: server.url });
  await connection.flush();
  const before = await server.counts();
  const broker = natsBroker({ connection });
  await broker.subscribe('events', () => {}, { queue: 'workers' });
  expect((await server.counts()).subscriptions).toBe(before.subscriptions + 1);
  await broker.disconnect();
  await connection.flush();
  expect(await server.counts()).toEqual(before);
  await broker.close();
  expect(connection.state.status).toBe('connected');
});

test('brokers with equal servers share one connection', async () => {
  await using server = await startNatsServer();
  await using one = natsBroker({ servers: server.url, maxPendingMessages: 10 });
  await using other = natsBroker({ servers: server.url, dialect: 'native' });
  await Promise.all([one.connect(), other.connect()]);
  expect(await server.counts()).toMatchObject({ connections: 1 });
  await one.close();
  await other.publish('events', text('still there'));
});

test('a body whose buffer was transferred is refused, and the connection lives on', async () => {
  await using server = await startNatsServer();
  await using connection = await connectNats({ servers: server.url });
  await using broker = natsBroker({ connection, dialect: 'native' });
  const topic = randomUUID();
  const heard: string[] = [];
  await broker.subscribe(topic, (event) => void heard.push(textOf(event)));
  const { body } = text('gone');
  structuredClone(body.buffer, { transfer: [body.buffer as ArrayBuffer] });
  const changes: unknown[] = [];
  const stop = connection.onStateChange((state) => changes.push(state));
  await expect(broker.publish(topic, { headers: {}, body })).rejects.toMatchObject({ code: 'invalid' });
  await broker.publish(topic, text('still here'));
  await expect.poll(() => heard, within).toEqual(['still here']);
  expect(changes).toEqual([]);
  stop();
});
