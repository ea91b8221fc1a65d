import { MicroError } from '@ts-micro/core';
import { connectNats } from '@ts-micro/nats';
import { startChaosProxy, startNatsServer } from '@ts-micro/testkit/nats';
import { describe, expect, test } from 'vitest';
import { barePeer, echo, message, openTransport, serve, soon, textOf } from './pair.ts';

describe('where nobody listens', () => {
  test('a socket fails at once, safe to retry when one message was sent', async () => {
    await using server = await startNatsServer();
    await using transport = openTransport({ servers: server.url });
    const socket = await transport.dial('nobody');
    await socket.send(message('hello'));
    const start = performance.now();
    await expect(socket.receive(soon())).rejects.toMatchObject({ code: 'unavailable', retrySafe: true });
    expect(performance.now() - start).toBeLessThan(2000);
    expect(await socket.closed).toMatchObject({ code: 'unavailable' });
    await expect(socket.send(message('again'))).rejects.toMatchObject({ code: 'unavailable' });
    await expect(socket.receive()).rejects.toMatchObject({ code: 'unavailable' });
  });

  test('a socket is not safe to retry when more than one message was sent', async () => {
    await using server = await startNatsServer();
    await using transport = openTransport({ servers: server.url });
    const socket = await transport.dial('nobody');
    await Promise.all([socket.send(message('one')), socket.send(message('two'))]);
    await expect(socket.receive(soon())).rejects.toMatchObject({ code: 'unavailable', retrySafe: false });
  });

  test('only that socket fails', async () => {
    await using server = await startNatsServer();
    await using transport = openTransport({ servers: server.url });
    const listener = await transport.listen();
    await listener.accept(echo);
    const [good, bad] = [await transport.dial(listener.address), await transport.dial('nobody')];
    await Promise.all([good.send(message('hello')), bad.send(message('hello'))]);
    await expect(bad.receive(soon())).rejects.toMatchObject({ code: 'unavailable' });
    expect(textOf(await good.receive(soon()))).toBe('hello');
    await good.close();
  });

  test('after an answer, one more message is safe to retry, and what came before is still received', async () => {
    await using server = await startNatsServer();
    await using peer = await barePeer(server.url);
    await using transport = openTransport({ servers: server.url });
    const socket = await transport.dial('greeter.node');
    const subscription = peer.connection.subscribe('greeter.node', { onMessage() {} });
    await subscription.confirm();
    await socket.send(message('one'));
    await socket.send(message('two'));
    peer.sendMessage(socket.local, message('an answer'), '');
    await peer.connection.flush();
    expect(textOf(await socket.receive(soon()))).toBe('an answer');
    const witness = await transport.dial('greeter.node');
    for (const { local } of [socket, witness]) peer.sendMessage(local, message('another answer'), '');
    await witness.receive(soon());
    subscription.unsubscribe();
    await peer.connection.flush();
    await socket.send(message('three'));
    expect(await socket.closed).toMatchObject({ code: 'unavailable', retrySafe: true });
    expect(textOf(await socket.receive(soon()))).toBe('another answer');
    await expect(socket.receive()).rejects.toMatchObject({ code: 'unavailable' });
  });
});

test('a malformed reply fails exactly the socket it came to', async () => {
  await using server = await startNatsServer();
  await using peer = await barePeer(server.url);
  await using transport = openTransport({ servers: server.url });
  await peer.hear('greeter.node');
  const [hit, spared] = [await transport.dial('greeter.node'), await transport.dial('greeter.node')];
  await Promise.all([hit.send(message('hello')), spared.send(message('hello'))]);
  peer.send(hit.local, '{"Header":{"a":1}}', '');
  peer.sendMessage(spared.local, message('fine'), '');
  await expect(hit.receive(soon())).rejects.toMatchObject({ code: 'malformed' });
  expect(await hit.closed).toMatchObject({ code: 'malformed' });
  expect(textOf(await spared.receive(soon()))).toBe('fine');
});

test('a status that is not "no responders", and late replies, are ignored', async () => {
  await using server = await startNatsServer();
  await using peer = await barePeer(server.url);
  await using transport = openTransport({ servers: server.url });
  await peer.hear('greeter.node');
  const [socket, closed] = [await transport.dial('greeter.node'), await transport.dial('greeter.node')];
  await closed.close();
  peer.connection.publish(socket.local, new Uint8Array(0), { status: 408 });
  peer.sendMessage(closed.local, message('too late'), '');
  peer.sendMessage(socket.local, message('in time'), '');
  expect(textOf(await socket.receive(soon()))).toBe('in time');
});

test('an empty answer fails the socket at once', async () => {
  await using server = await startNatsServer();
  await using peer = await barePeer(server.url);
  await using transport = openTransport({ servers: server.url });
  await peer.hear('greeter.node');
  const socket = await transport.dial('greeter.node');
  await socket.send(message('hello'));
  peer.send(socket.local, '', '');
  await expect(socket.receive(soon())).rejects.toMatchObject({ code: 'malformed', retrySafe: false });
});

test('more messages than may wait fail the socket', async () => {
  await using server = await startNatsServer();
  await using peer = await barePeer(server.url);
  await using transport = openTransport({ servers: server.url, maxQueuedMessages: 10 });
  await peer.hear('greeter.node');
  const socket = await transport.dial('greeter.node');
  await socket.send(message('hello'));
  for (let count = 0; count < 11; count++) peer.sendMessage(socket.local, message(`${count}`), '');
  expect(await socket.closed).toMatchObject({ code: 'unavailable', retrySafe: false });
  for (let count = 0; count < 10; count++) expect(textOf(await socket.receive())).toBe(`${count}`);
  await expect(socket.receive()).rejects.toMatchObject({ code: 'unavailable' });
});

test('more bytes than may wait fail the socket, and nothing of what others send', async () => {
  await using server = await startNatsServer();
  await using peer = await barePeer(server.url);
  await using transport = openTransport({ servers: server.url, maxQueuedBytes: 100_000 });
  await peer.hear('greeter.node');
  const [socket, other] = [await transport.dial('greeter.node'), await transport.dial('greeter.node')];
  for (const each of [socket, other]) await each.send(message('hello'));
  const large = message('x'.repeat(60_000));
  for (let count = 0; count < 3; count++) peer.sendMessage(socket.local, large, '');
  peer.sendMessage(other.local, large, '');
  expect(await socket.closed).toMatchObject({ code: 'unavailable', retrySafe: false });
  for (let count = 0; count < 2; count++) expect(textOf(await socket.receive())).toBe(textOf(large));
  await expect(socket.receive()).rejects.toMatchObject({ code: 'unavailable' });
  expect(textOf(await other.receive(soon()))).toBe(textOf(large));
});

test('a body beyond `max_payload` is refused, and the socket stays usable', async () => {
  await using server = await startNatsServer({ config: 'max_payload: 10000' });
  await using transport = openTransport({ servers: server.url });
  const listener = await transport.listen();
  await listener.accept(echo);
  const socket = await transport.dial(listener.address);
  await expect(socket.send(message('x'.repeat(8000)))).rejects.toMatchObject({ code: 'too_large' });
  await socket.send(message('x'.repeat(7000)));
  expect(textOf(await socket.receive(soon()))).toBe('x'.repeat(7000));
  await socket.close();
});

test('a send that waits for a server that has fallen silent ends when its socket closes', async () => {
  await using server = await startNatsServer();
  await using proxy = await startChaosProxy({ target: server.address });
  await using transport = openTransport({ servers: proxy.address });
  const socket = await transport.dial('greeter.node');
  proxy.stall();
  const sends = Array.from({ length: 2500 }, () => socket.send(message('more than is written ahead')));
  const sending = Promise.all(sends).then(() => 'sent');
  const turn = new Promise((resolve) => setImmediate(resolve, 'waiting'));
  expect(await Promise.race([sending, turn])).toBe('waiting');
  await socket.close();
  // Without the close they wait ten seconds.
  const late = new Promise((resolve) => setTimeout(resolve, 5000, 'still waiting').unref());
  expect(await Promise.race([sending, late])).toBe('sent');
  proxy.heal();
});

describe('an outage', () => {
  test('refuses sends, leaves sockets open, and they work after it', async () => {
    await using server = await startNatsServer();
    await using transport = openTransport({ servers: server.url });
    const { listener, next } = await serve(transport);
    await using dialled = await transport.dial(listener.address);
    await dialled.send(message('before'));
    await using accepted = await next();
    expect(textOf(await accepted.receive(soon()))).toBe('before');
    const pending = dialled.receive(soon());
    await server.kill();
    for (const socket of [dialled, accepted]) {
      await expect
        .poll(() =>
          socket.send(message('lost')).then(
            () => undefined,
            (error) => error,
          ),
        )
        .toMatchObject({ code: 'unavailable', retrySafe: true });
    }
    await server.restart();
    await expect
      .poll(() =>
        accepted.send(message('after')).then(
          () => true,
          () => false,
        ),
      )
      .toBe(true);
    expect(textOf(await pending)).toBe('after');
    await dialled.send(message('and back'));
    expect(textOf(await accepted.receive(soon()))).toBe('and back');
  });

  test('for good fails what is pending', async () => {
    await using server = await startNatsServer();
    const connection = await connectNats({ servers: server.url });
    await using transport = openTransport({ connection });
    const { listener, next } = await serve(transport);
    const dialled = await transport.dial(listener.address);
    await dialled.send(message('hello'));
    await next();
    const pending = dialled.receive(soon());
    await Promise.all([expect(pending).rejects.toMatchObject({ code: 'unavailable' }), connection.close()]);
    expect(await dialled.closed).toMatchObject({ code: 'unavailable' });
    expect(await listener.closed).toMatchObject({ code: 'unavailable' });
    await expect(transport.dial('greeter.node')).rejects.toMatchObject({ code: 'closed' });
  });
});

test('a transport without a server rejects with `unavailable`, and works once there is one', async () => {
  await using server = await startNatsServer();
  await server.stop();
  await using transport = openTransport({ servers: server.url });
  await expect(transport.dial('greeter.node')).rejects.toMatchObject({ code: 'unavailable' });
  await expect(transport.listen()).rejects.toMatchObject({ code: 'unavailable' });
  await server.restart();
  const listener = await transport.listen();
  await listener.accept(echo);
});

test('an account that may not subscribe below the inbox prefix is told when it dials', async () => {
  const permissions = 'subscribe: { deny: ["_INBOX.>"] }';
  const config = `authorization { users: [{ user: ann, password: x, permissions: { ${permissions} } }] }`;
  await using server = await startNatsServer({ config });
  await using transport = openTransport({ servers: server.url, user: 'ann', password: 'x' });
  await expect(transport.dial('greeter.node')).rejects.toMatchObject({ code: 'unauthorized' });
  await using allowed = openTransport({ servers: server.url, user: 'ann', password: 'x', inboxPrefix: 'mine' });
  const socket = await allowed.dial('nobody');
  await socket.send(message('hello'));
  await expect(socket.receive(soon())).rejects.toSatisfy((error) => MicroError.is(error, 'unavailable'));
});
