import { type BrokerEvent, getPlugin, type MicroError } from '@ts-micro/core';
import { connectAsync } from 'mqtt';
import { afterAll, expect, test } from 'vitest';
import '../src/register.ts';
import { mqttBroker } from '../src/mqtt-broker.ts';
import { startMosquitto } from './start-mosquitto.ts';

const largestPacket = 100_000;
const server = await startMosquitto(`max_packet_size ${largestPacket}`);
afterAll(() => server?.[Symbol.asyncDispose]());
const url = `mqtt://${server?.address ?? '127.0.0.1'}`;
const withServer = test.skipIf(server === undefined);

const message = { headers: {}, body: new Uint8Array() };
const textOf = ({ message: { body } }: BrokerEvent) => new TextDecoder().decode(body);
const isDone = (promise: Promise<void>) =>
  promise.then(
    () => true,
    () => false,
  );
const bytesOf = (text: string) => new TextEncoder().encode(text);

withServer('what another client publishes is an event where its topic can be one, and else malformed', async () => {
  await using broker = mqttBroker({ url });
  const client = await connectAsync(url, { protocolVersion: 5 });
  const events: BrokerEvent[] = [];
  const errors: MicroError[] = [];
  await broker.subscribe('plant.>', (event) => void events.push(event), {
    onError: (error) => void errors.push(error),
  });
  for (const topic of ['plant/a.b', 'plant//a', 'plant/a b', 'plant/%zz', 'plant/%2a'])
    await client.publishAsync(topic, 'odd');
  const userProperties = { unit: ['K', '°C'], share: '100%', odd: '%FF', escaped: 'a%09b' };
  await client.publishAsync('plant/boiler/1', '21.5', { qos: 1, properties: { userProperties } });
  await expect.poll(() => events.map(({ topic }) => topic)).toEqual(['plant.boiler.1']);
  expect(events[0]?.message).toEqual({
    headers: { unit: '°C', share: '100%', odd: '%FF', escaped: 'a\tb' },
    body: bytesOf('21.5'),
  });
  expect(errors.map(({ code }) => code)).toEqual(Array(5).fill('malformed'));
  await client.endAsync();
});

withServer('another client reads topic, headers and body as they are', async () => {
  await using broker = mqttBroker({ url });
  const client = await connectAsync(url, { protocolVersion: 5 });
  const seen: unknown[] = [];
  client.on('message', (topic, body, { retain, properties }) => {
    seen.push({ topic, body: body.toString(), retain, headers: { ...properties?.userProperties } });
  });
  await client.subscribeAsync('orders/#', { qos: 1 });
  await broker.publish('orders.eu', { headers: { 'Content-Type': 'text/plain' }, body: bytesOf('one') });
  const expected = { topic: 'orders/eu', body: 'one', retain: false, headers: { 'Content-Type': 'text/plain' } };
  await expect.poll(() => seen).toEqual([expected]);
  await client.endAsync();
});

withServer('nothing that was retained comes to a subscriber, on its first connection or on a later one', async () => {
  await using broker = mqttBroker({ url });
  const client = await connectAsync(`mqtt://127.0.0.1:${server?.port}`, { protocolVersion: 5 });
  await client.publishAsync('state', 'old', { qos: 1, retain: true });
  await client.endAsync();
  const texts: string[] = [];
  await broker.subscribe('state', (event) => void texts.push(textOf(event)));
  await broker.publish('state', { headers: {}, body: bytesOf('new') });
  await expect.poll(() => texts).toEqual(['new']);
  server?.proxy.drop();
  await expect.poll(() => broker.isConnected).toBe(false);
  await expect.poll(() => isDone(broker.connect())).toBe(true);
  await broker.publish('state', { headers: {}, body: bytesOf('again') });
  await expect.poll(() => texts).toEqual(['new', 'again']);
});

withServer('subscriptions that overlap get each message once each', async () => {
  await using broker = mqttBroker({ url });
  const events: string[] = [];
  const options = [{}, {}, { queue: 'workers' }, { queue: 'workers' }];
  const patterns = ['metal.iron', 'metal.*', 'metal.>', 'metal.iron'];
  for (const [index, pattern] of patterns.entries())
    await broker.subscribe(pattern, () => void events.push(pattern), options[index]);
  await broker.publish('metal.iron', message);
  await broker.publish('metal.iron', message);
  await expect.poll(() => events.length).toBe(8);
  expect(events.sort()).toEqual([...patterns, ...patterns].sort());
});

withServer('more than the server takes is too large, and costs no connection', async () => {
  await using broker = mqttBroker({ url });
  const texts: string[] = [];
  await broker.subscribe('large', (event) => void texts.push(textOf(event)));
  const tooLarge = [
    { headers: {}, body: new Uint8Array(largestPacket) },
    { headers: { long: 'x'.repeat(65_536) }, body: new Uint8Array() },
    { headers: { a: 'x'.repeat(50_000), b: 'x'.repeat(50_000) }, body: new Uint8Array() },
  ];
  for (const each of tooLarge) await expect(broker.publish('large', each)).rejects.toMatchObject({ code: 'too_large' });
  await broker.publish('large', { headers: { long: 'x'.repeat(65_535) }, body: bytesOf('fits') });
  await expect.poll(() => texts).toEqual(['fits']);
});

withServer('a subscriber that comes as another of its topic goes gets what is published then', async () => {
  await using broker = mqttBroker({ url });
  for (let round = 0; round < 20; round++) {
    const old = await broker.subscribe('handover', () => {}, { queue: 'workers' });
    const texts: string[] = [];
    const leaving = old.close();
    await using _ = await broker.subscribe('handover', (event) => void texts.push(textOf(event)), { queue: 'workers' });
    await leaving;
    await broker.publish('handover', { headers: {}, body: bytesOf(`${round}`) });
    await expect.poll(() => texts).toEqual([`${round}`]);
  }
});

withServer('a member that closed during an outage takes nothing from its queue after it', async () => {
  await using outage = await startMosquitto();
  if (outage === undefined) return;
  const own = { url: `mqtt://${outage.address}` };
  await using broker = mqttBroker(own);
  await using elsewhere = mqttBroker(own);
  const closed = await broker.subscribe('work', () => {}, { queue: 'workers' });
  await outage.kill();
  await expect.poll(() => broker.isConnected).toBe(false);
  await closed.close();
  await outage.restart();
  const texts: string[] = [];
  await expect.poll(() => isDone(elsewhere.connect())).toBe(true);
  await elsewhere.subscribe('work', (event) => void texts.push(textOf(event)), { queue: 'workers' });
  await expect.poll(() => isDone(broker.connect())).toBe(true);
  const sent = Array.from({ length: 10 }, (_, index) => `${index}`);
  for (const text of sent) await broker.publish('work', { headers: {}, body: bytesOf(text) });
  await expect.poll(() => texts).toEqual(sent);
});

test('a server that is not there is unavailable at once', async () => {
  await using broker = mqttBroker({ url: 'mqtt://127.0.0.1:1' });
  await expect(broker.connect()).rejects.toMatchObject({ code: 'unavailable' });
  await expect(broker.publish('a', message)).rejects.toMatchObject({ code: 'unavailable', retrySafe: true });
  expect(broker.isConnected).toBe(false);
});

test.each(['', 'nats://127.0.0.1', 'mqtt://['])('a url %j is invalid', (wrong) => {
  expect(() => mqttBroker({ url: wrong })).toThrow(expect.objectContaining({ code: 'invalid' }));
});

test('half of a surrogate pair is invalid, as MQTT could not carry it', async () => {
  await using broker = mqttBroker({ url });
  await expect(broker.publish('a\ud800', message)).rejects.toMatchObject({ code: 'invalid' });
  await expect(broker.subscribe('a\ud800', () => {})).rejects.toMatchObject({ code: 'invalid' });
  const publishing = broker.publish('a', { headers: { half: '\ud800' }, body: message.body });
  await expect(publishing).rejects.toMatchObject({ code: 'invalid' });
});

withServer('by name it takes the first address', async () => {
  await using broker = getPlugin('broker', 'mqtt')({ addresses: [url] });
  await broker.connect();
  expect(broker).toMatchObject({ name: 'mqtt', address: server?.address, isConnected: true });
});
