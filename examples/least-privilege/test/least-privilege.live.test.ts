import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { natsBroker } from '@ts-micro/broker-nats';
import { type Logger, type Message, serviceRecord } from '@ts-micro/core';
import { connectNats, encodeEnvelope, type NatsConnection } from '@ts-micro/nats';
import { natsRegistry } from '@ts-micro/registry-nats';
import { createClient, createService } from '@ts-micro/service';
import { type NatsServer, startNatsServer } from '@ts-micro/testkit/nats';
import { natsTransport } from '@ts-micro/transport-nats';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const roles = ['greeter', 'caller', 'reader', 'publisher', 'subscriber'] as const;
type Role = (typeof roles)[number];

const file = readFileSync(new URL('../nats-server.conf', import.meta.url), 'utf8');
// What the environment gives in production.
const passwords = roles.map((role) => `${role.toUpperCase()}_PASSWORD: "secret of ${role}"`).join('\n');

let server: NatsServer;
beforeAll(async () => {
  server = await startNatsServer({ config: `${passwords}\n${file}` });
});
afterAll(() => server.stop());

/** A program of a role, with all plugins; what the server refuses it ends in `lines`. */
async function program(role: Role) {
  const lines: string[] = [];
  const log = (message: string, fields?: unknown) => void lines.push(`${message} ${JSON.stringify(fields)}`);
  const logger: Logger = { debug() {}, info() {}, warn: log, error: log };
  const password = `secret of ${role}`;
  const inboxPrefix = `_INBOX.${role}`;
  const connection = await connectNats({ servers: server.address, user: role, password, inboxPrefix, logger });
  const transport = natsTransport({ connection, addressPrefix: 'svc.greeter', logger });
  const broker = natsBroker({ connection, logger });
  const registry = natsRegistry({ connection, logger });
  return { lines, connection, transport, broker, registry, logger, [Symbol.asyncDispose]: () => connection.close() };
}

/** Without the broker, which is another role. */
const withoutBroker = ({ transport, registry, logger }: Awaited<ReturnType<typeof program>>) => ({
  transport,
  registry,
  logger,
});

const event = (text: string): Message => ({ headers: {}, body: new TextEncoder().encode(text) });

describe('each role does its work, and the server refuses it nothing:', () => {
  test('a service is found and called, by unary calls, large ones and long streams', async () => {
    await using serverSide = await program('greeter');
    await using callerSide = await program('caller');
    await using service = createService({ name: 'greeter', ...withoutBroker(serverSide) });
    service.handle('Greeter.Hello', ({ name }: { name: string }) => ({ msg: `Hello ${name}` }));
    service.handle('Greeter.Repeat', ({ times }: { times: number }) => ({ text: 'x'.repeat(times) }));
    service.handleStream('Greeter.Count', async (stream) => {
      const { to } = (await stream.receive()) as { to: number };
      for (let number = 0; number < to; number++) await stream.send({ number });
    });
    await service.start();
    await using client = createClient(withoutBroker(callerSide));
    expect(await client.call('greeter', 'Greeter.Hello', { name: 'John' })).toEqual({ msg: 'Hello John' });
    const { text } = (await client.call('greeter', 'Greeter.Repeat', { times: 3_000_000 })) as { text: string };
    expect(text).toHaveLength(3_000_000);
    const stream = await client.stream('greeter', 'Greeter.Count');
    await stream.send({ to: 5000 });
    let received = 0;
    for await (const _ of stream) received++;
    expect(received).toBe(5000);
    // Leaves in the middle: what still comes is answered with "nobody is here", which is an answer as well.
    const left = await client.stream('greeter', 'Greeter.Count');
    await left.send({ to: 5000 });
    await left.receive();
    await left.close();
    await service.stop();
    await client.close();
    expect([serverSide.lines, callerSide.lines]).toEqual([[], []]);
  });

  test('a reader finds services and follows them', async () => {
    await using serverSide = await program('greeter');
    await using reader = await program('reader');
    const name = `of-${randomUUID()}`;
    const record = serviceRecord({ name, version: '1', nodes: [{ id: 'a', address: 'svc.greeter.a' }] });
    await serverSide.registry.register(record, { ttlMs: 60_000 });
    expect(await reader.registry.getService(name)).toMatchObject([{ nodes: [{ id: 'a' }] }]);
    await using watcher = await reader.registry.watch({ service: name });
    const followed: string[] = [];
    for await (const event of watcher) {
      followed.push(event.type);
      if (event.type === 'delete') break;
      // First comes what is there already.
      await serverSide.registry.deregister(record);
    }
    expect(followed).toEqual(['resync', 'delete']);
    expect([serverSide.lines, reader.lines]).toEqual([[], []]);
  });

  test('a publisher is heard by subscribers, alone and in a queue', async () => {
    await using publisher = await program('publisher');
    await using subscriber = await program('subscriber');
    const heard: string[] = [];
    const hear =
      (who: string) =>
      ({ message }: { message: Message }) =>
        void heard.push(`${who} ${new TextDecoder().decode(message.body)}`);
    await using _alone = await subscriber.broker.subscribe('greeter.said', hear('alone'));
    await using _queue = await subscriber.broker.subscribe('greeter.said', hear('queue'), { queue: 'workers' });
    await publisher.broker.publish('greeter.said', event('hello'));
    await expect.poll(() => heard.toSorted()).toEqual(['alone hello', 'queue hello']);
    expect([publisher.lines, subscriber.lines]).toEqual([[], []]);
  });
});

describe('the server refuses', () => {
  const inboxes = roles.map((role) => `_INBOX.${role}.anything`);
  const registrySubjects = ['micro.nats.watch', 'micro.registry.nats.watch'];
  const others = ['svc.other.a', 'other.topic', '$SYS.REQ.SERVER.PING', '$JS.API.INFO'];

  const publishes: Record<Role, readonly string[]> = {
    greeter: ['svc.greeter.a', 'greeter.said', 'micro.nats.query', ...others],
    caller: ['greeter.said', '_INBOX.caller.anything', '_INBOX.reader.anything', ...registrySubjects, ...others],
    reader: ['svc.greeter.a', 'greeter.said', ...registrySubjects, ...inboxes, ...others],
    publisher: ['svc.greeter.a', 'micro.nats.query', ...registrySubjects, ...inboxes, ...others],
    subscriber: ['svc.greeter.a', 'greeter.said', 'micro.nats.query', ...registrySubjects, ...inboxes, ...others],
  };
  test.each(roles)('%s a publish on every subject of another role', async (role) => {
    await using forger = await program(role);
    for (const subject of publishes[role])
      expect(await refusal(forger.connection, subject), subject).toContain(subject);
  });

  const subscribes: Record<Role, readonly string[]> = {
    greeter: ['greeter.said', 'svc.>', 'micro.nats.watch'],
    caller: ['greeter.said', 'svc.greeter.a', 'micro.nats.query'],
    reader: ['greeter.said', 'svc.greeter.a', 'micro.nats.query'],
    publisher: ['greeter.said', 'svc.greeter.a', 'micro.nats.query', 'micro.nats.watch', '_INBOX.publisher.>'],
    subscriber: ['svc.greeter.a', 'micro.nats.query', 'micro.nats.watch', '_INBOX.subscriber.>'],
  };
  test.each(roles)('%s a subscription to what others are told', async (role) => {
    await using spy = await program(role);
    const foreign = roles.filter((other) => other !== role).map((other) => `_INBOX.${other}.>`);
    for (const subject of [...subscribes[role], ...foreign, '_INBOX.>', '>', '$SYS.>']) {
      const subscription = spy.connection.subscribe(subject, { onMessage() {}, onError() {} });
      await expect(subscription.confirm(), subject).rejects.toMatchObject({ code: 'unauthorized' });
    }
  });

  test('a service an answer on a topic, though its caller asks for it there', async () => {
    await using serverSide = await program('greeter');
    await using callerSide = await program('caller');
    await using subscriber = await program('subscriber');
    const heard: string[] = [];
    await subscriber.connection
      .subscribe('greeter.said', { onMessage: ({ subject }) => void heard.push(subject) })
      .confirm();
    await using service = createService({ name: 'greeter', ...withoutBroker(serverSide) });
    service.handle('Greeter.Hello', () => ({ text: 'forged' }));
    await service.start();
    const [record] = await callerSide.registry.getService('greeter');
    const headers = { 'Content-Type': 'application/json', 'Micro-Endpoint': 'Greeter.Hello', 'Micro-Id': '1' };
    const request = encodeEnvelope({ headers, body: new TextEncoder().encode('{}') });
    callerSide.connection.publish(record?.nodes[0]?.address ?? '', request, { reply: 'greeter.said' });
    await expect.poll(() => serverSide.lines.join()).toContain('greeter.said');
    expect(heard).toEqual([]);
  });

  test('a connection without a password, or with that of another role', async () => {
    const servers = server.address;
    await expect(connectNats({ servers })).rejects.toMatchObject({ code: 'unauthorized' });
    const wrong = { servers, user: 'greeter', password: 'secret of caller' };
    await expect(connectNats(wrong)).rejects.toMatchObject({ code: 'unauthorized' });
  });
});

/** Publishes, and resolves with the server's refusal, or with nothing where it took the message. */
async function refusal(connection: NatsConnection, subject: string): Promise<string> {
  let refused = '';
  const ignore = connection.onPublishDenied((denied, { message }) => {
    if (denied === subject) refused = message;
  });
  try {
    connection.publish(subject, new Uint8Array(1));
    // The server's words come before its answer to the flush.
    await connection.flush();
    return refused;
  } finally {
    ignore();
  }
}
