import { connectNats } from '@ts-micro/nats';
import { startNatsServer } from '@ts-micro/testkit/nats';
import { describe, expect, test } from 'vitest';
import { barePeer, echo, message, openTransport, serve, soon, textOf } from './pair.ts';

const metadata = { 'ts-micro-frames': '1' };

describe('a plain NATS request to an address', () => {
  for (const [what, wire] of [
    ['JSON', '{"name":"John"}'],
    ['an empty object', '{}'],
    ['null', 'null'],
    ['a text', 'hello'],
    ['an empty body', ''],
    ['bytes', Buffer.from([0, 1, 2, 3])],
    ['half an envelope', '{"Header":{"a":1}'],
  ] as const) {
    test(`of ${what} is answered with an error that tools of NATS show`, async () => {
      await using server = await startNatsServer();
      await using peer = await barePeer(server.url);
      await using transport = openTransport({ servers: server.url });
      const { listener, sockets } = await serve(transport);
      peer.send(listener.address, wire);
      await expect.poll(() => peer.received.length).toBe(1);
      expect(peer.received[0]?.headers()).toMatchObject({
        'Nats-Service-Error': expect.stringContaining('no plain messages'),
        'Nats-Service-Error-Code': '415',
      });
      const { Header } = JSON.parse(Buffer.from(peer.received[0]?.data ?? []).toString());
      expect(JSON.parse(Header['Micro-Error'])).toMatchObject({
        code: 415,
        detail: expect.stringContaining('no plain'),
      });
      // Without a reply subject there is nobody to answer.
      peer.send(listener.address, wire, '');
      await peer.connection.flush();
      expect(sockets).toHaveLength(0);
    });
  }
});

test('nothing is answered to the interfaces of the server, whatever reply subject a peer gives', async () => {
  await using server = await startNatsServer();
  await using peer = await barePeer(server.url);
  await using transport = openTransport({ servers: server.url });
  const { listener, sockets } = await serve(transport);
  const heard: string[] = [];
  await peer.connection.subscribe('$JS.>', { onMessage: ({ subject }) => void heard.push(subject) }).confirm();
  const envelope = JSON.stringify({ Header: { 'Micro-Endpoint': 'A.B' }, Body: 'e30=' });
  for (const wire of [
    'hello',
    envelope,
    Buffer.from([0xf5, 1, 0, 0]),
    Buffer.from([0xf5, 1, 9, 0]),
    Buffer.from([0xf5]),
  ])
    peer.connection.publish(listener.address, Buffer.from(wire), { reply: '$JS.API.STREAM.PURGE.ORDERS' });
  // What came before is decided on once this one is answered.
  peer.send(listener.address, 'hello');
  await expect.poll(() => peer.received.length).toBe(1);
  expect(sockets).toHaveLength(0);
  expect(heard).toEqual([]);
});

test('an answer that is an empty message fails the socket at once', async () => {
  await using server = await startNatsServer();
  await using peer = await connectNats({ servers: server.url });
  await peer
    .subscribe('empty.node', { onMessage: ({ reply = '' }) => peer.publish(reply, new Uint8Array(0)) })
    .confirm();
  await using transport = openTransport({ servers: server.url });
  for (const options of [{ metadata }, {}]) {
    const socket = await transport.dial('empty.node', options);
    await socket.send(message('hello'));
    await expect(socket.receive(soon())).rejects.toMatchObject({
      code: 'malformed',
      message: expect.stringContaining('an empty message'),
    });
  }
});

test('a message beyond a limit that the server has lowered fails its socket as too large', async () => {
  await using server = await startNatsServer({ config: 'max_payload: 500000' });
  await using transport = openTransport({ servers: server.url });
  await using other = await connectNats({ servers: server.url });
  await other.subscribe('quiet.node', { onMessage() {} }).confirm();
  const socket = await transport.dial('quiet.node');
  await server.reload({ config: 'max_payload: 50000' });
  await socket.send(message('x'.repeat(100_000)));
  await expect(socket.receive(soon())).rejects.toMatchObject({
    code: 'too_large',
    message: expect.stringContaining('takes 50000 now'),
  });
});

test('a JetStream stream that takes an address is named in the error of the one who dials it', async () => {
  await using server = await startNatsServer({ config: 'jetstream {}' });
  await using peer = await barePeer(server.url);
  const create = JSON.stringify({ name: 'ORDERS', subjects: ['orders.>'], storage: 'memory' });
  peer.send('$JS.API.STREAM.CREATE.ORDERS', create);
  await expect.poll(() => peer.received.length).toBe(1);
  await using transport = openTransport({ servers: server.url });
  for (const options of [{ metadata }, {}]) {
    const socket = await transport.dial('orders.node', options);
    await socket.send(message('hello'));
    await expect(socket.receive(soon())).rejects.toMatchObject({
      code: 'unavailable',
      retrySafe: false,
      message: expect.stringContaining('JetStream stream "ORDERS"'),
    });
  }
});

test('a publish that the server denies fails the sockets to that address at once, and no others', async () => {
  const permissions = '{ publish: { deny: ["secret.>"] }, subscribe: [">"] }';
  await using server = await startNatsServer({
    config: `authorization { users: [{ user: a, password: a, permissions: ${permissions} }] }`,
  });
  await using connection = await connectNats({ servers: server.url, user: 'a', password: 'a' });
  await using transport = openTransport({ connection });
  const listener = await transport.listen();
  await listener.accept(echo);
  const fine = await transport.dial(listener.address, { metadata });
  const denied = await transport.dial('secret.node', { metadata });
  await denied.send(message('hello'));
  await expect(denied.receive(soon())).rejects.toMatchObject({
    code: 'unauthorized',
    message: expect.stringContaining('secret.node'),
  });
  await fine.send(message('hello'));
  expect(textOf(await fine.receive(soon()))).toBe('hello');
});

describe('across accounts, through an import', () => {
  const config = `accounts {
    services { users: [{ user: s, password: s }], exports: [{ service: "greeter.node" }] }
    callers { users: [{ user: c, password: c }], imports: [{ service: { account: services, subject: "greeter.node" } }] }
  }`;

  test('a request and its answer work, in frames and in envelopes', async () => {
    await using server = await startNatsServer({ config });
    await using services = await connectNats({ servers: server.url, user: 's', password: 's' });
    await using callers = await connectNats({ servers: server.url, user: 'c', password: 'c' });
    await using serving = openTransport({ connection: services });
    await using calling = openTransport({ connection: callers });
    const listener = await serving.listen('greeter.node');
    await listener.accept(echo);
    for (const options of [{ metadata }, {}]) {
      const socket = await calling.dial('greeter.node', options);
      await socket.send(message('hello'));
      expect(textOf(await socket.receive(soon()))).toBe('hello');
    }
  });

  test('a second request on a socket fails as safe to retry on another one', async () => {
    await using server = await startNatsServer({ config });
    await using services = await connectNats({ servers: server.url, user: 's', password: 's' });
    await using callers = await connectNats({ servers: server.url, user: 'c', password: 'c' });
    await using serving = openTransport({ connection: services });
    await using calling = openTransport({ connection: callers });
    const listener = await serving.listen('greeter.node');
    await listener.accept(echo);
    const socket = await calling.dial('greeter.node', { metadata });
    await socket.send(message('one'));
    expect(textOf(await socket.receive(soon()))).toBe('one');
    await socket.send(message('two'));
    await expect(socket.receive(soon())).rejects.toMatchObject({
      code: 'unavailable',
      retrySafe: true,
      message: expect.stringContaining('account import'),
    });
  });

  test('what takes more messages fails with words of its own', async () => {
    await using server = await startNatsServer({ config });
    await using services = await connectNats({ servers: server.url, user: 's', password: 's' });
    await using callers = await connectNats({ servers: server.url, user: 'c', password: 'c' });
    await using serving = openTransport({ connection: services });
    await using calling = openTransport({ connection: callers });
    const { listener } = await serve(serving, 'greeter.node');
    expect(listener.address).toBe('greeter.node');
    const large = await calling.dial('greeter.node', { metadata });
    const sending = large.send({ headers: {}, body: new Uint8Array(3 * 1024 * 1024) }, soon());
    const words = { code: 'unsupported', message: expect.stringContaining('account import') };
    await expect(sending).rejects.toMatchObject(words);
    const stream = await calling.dial('greeter.node', { metadata });
    await stream.send(message('one'));
    await stream.send(message('two'));
    await expect(stream.receive(soon())).rejects.toMatchObject(words);
  });
});
