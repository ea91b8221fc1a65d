import { natsBroker } from '@ts-micro/broker-nats';
import { connectNats } from '@ts-micro/nats';
import { natsRegistry } from '@ts-micro/registry-nats';
import { createClient, createService } from '@ts-micro/service';
import { startNatsServer } from '@ts-micro/testkit/nats';
import { natsTransport } from '@ts-micro/transport-nats';
import { expect, test } from 'vitest';

const hostile = [
  'a\r\nPUB secret 1\r\nx',
  'a b',
  'a\tb',
  'a\u0000b',
  'a.>',
  '>',
  '*.a',
  'a..b',
  '.a',
  'a.',
  '',
  'x'.repeat(5000),
];
const reserved = ['$SYS.REQ.SERVER.PING', '$JS.API.STREAM.DELETE.orders'];
const body = new Uint8Array();

test('hostile names are refused as `invalid` before anything reaches the wire', async () => {
  await using server = await startNatsServer();
  await using connection = await connectNats({ servers: server.address });
  const transport = natsTransport({ connection });
  const broker = natsBroker({ connection });
  const registry = natsRegistry({ connection });
  await using client = createClient({ transport, broker, registry });
  await broker.connect();
  await connection.flush();
  const sent = async () => (await server.monitor('varz')).in_msgs;
  const before = await sent();
  const wentThrough: string[] = [];
  const attempt = async (what: string, name: string, act: () => unknown) => {
    try {
      await act();
      wentThrough.push(`${what} ${JSON.stringify(name.slice(0, 30))}`);
    } catch (error) {
      if ((error as { code?: string }).code === 'invalid') return;
      wentThrough.push(`${what} ${JSON.stringify(name.slice(0, 30))}: ${error}`);
    }
  };
  for (const name of [...hostile, ...reserved]) {
    await attempt('dial', name, () => transport.dial(name));
    if (name !== '') await attempt('listen', name, () => transport.listen(name));
    await attempt('publish', name, () => broker.publish(name, { headers: {}, body }));
    await attempt('publish event', name, () => client.publish(name, {}));
    await attempt('address', name, () => client.call('a', 'A.B', {}, { address: name, timeoutMs: 500 }));
    if (!/[>*]/.test(name)) await attempt('subscribe', name, () => broker.subscribe(name, () => {}));
    await attempt('queue', name, () => broker.subscribe('a', () => {}, { queue: name }));
  }
  await attempt('publish', '_INBOX.abc', () => broker.publish('_INBOX.abc', { headers: {}, body }));
  for (const name of ['', ' ']) {
    await attempt('service', name, () => createService({ name, transport }));
    await attempt('endpoint', name, () => createService({ name: 'a', transport }).handle(name, () => {}));
  }
  for (const name of ['', 'a b', 'a:b', 'a\r\nb', 'ü']) {
    const headers = { [name]: 'x' };
    await attempt('header', name, () => broker.publish('a', { headers, body }));
    await attempt('metadata', name, () => client.publish('a', {}, { metadata: headers }));
  }
  for (const value of ['a\r\nb', 'a\nb', 'a\u0000b']) {
    await attempt('header value', value, () => broker.publish('a', { headers: { a: value }, body }));
    await attempt('metadata value', value, () => client.call('a', 'A.B', {}, { address: 'b', metadata: { a: value } }));
  }
  await connection.flush();
  expect(wentThrough).toEqual([]);
  expect(await sent()).toBe(before);
  expect(connection.state.reconnects).toBe(0);
});
