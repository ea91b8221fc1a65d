import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { type ChaosProxy, startChaosProxy, startNatsServer } from '../src/nats.ts';

test('bytes pass unchanged both ways', async () => {
  await using echo = await startEcho();
  await using proxy = await startChaosProxy({ target: echo.address });
  await using client = await dial(proxy);
  const bytes = randomBytes(3_000_000);
  client.socket.write(bytes);
  await expect.poll(() => client.received().length, { timeout: 10_000 }).toBe(bytes.length);
  expect(client.received().equals(bytes)).toBe(true);
  expect(proxy.links).toBe(1);
});

test('an end of one side reaches the other after the last byte', async () => {
  await using echo = await startEcho();
  await using proxy = await startChaosProxy({ target: echo.address });
  await using client = await dial(proxy);
  client.socket.end('last words');
  await client.closed;
  expect(client.received().toString()).toBe('last words');
  await expect.poll(() => proxy.links).toBe(0);
});

test('cut resets the links and refuses new ones until heal', async () => {
  await using echo = await startEcho();
  await using proxy = await startChaosProxy({ target: echo.address });
  await using client = await dial(proxy);
  await client.roundTrip();
  proxy.cut();
  await client.closed;
  expect(proxy.links).toBe(0);
  await using refused = await dial(proxy);
  await refused.closed;
  proxy.heal();
  await using healed = await dial(proxy);
  await healed.roundTrip();
});

test('drop resets the links and welcomes new ones', async () => {
  await using echo = await startEcho();
  await using proxy = await startChaosProxy({ target: echo.address });
  await using client = await dial(proxy);
  await client.roundTrip();
  proxy.drop();
  await client.closed;
  await using next = await dial(proxy);
  await next.roundTrip();
});

test('halfOpen swallows bytes and closes on both sides; heal resets what lost any', async () => {
  await using echo = await startEcho();
  await using proxy = await startChaosProxy({ target: echo.address });
  await using client = await dial(proxy);
  await using idle = await dial(proxy);
  await client.roundTrip();
  await idle.roundTrip();
  proxy.halfOpen();
  const before = client.received().length;
  client.socket.write('into the void');
  await sleep(100);
  expect(client.received()).toHaveLength(before);
  expect(client.socket.destroyed).toBe(false);
  proxy.heal();
  await client.closed;
  await idle.roundTrip();
});

test('halfOpen hides that a peer is gone', async () => {
  await using echo = await startEcho();
  await using proxy = await startChaosProxy({ target: echo.address });
  await using client = await dial(proxy);
  await client.roundTrip();
  proxy.halfOpen();
  echo.reset();
  await sleep(100);
  expect(client.socket.destroyed).toBe(false);
  proxy.heal();
  await client.closed;
});

test('stall holds bytes back until heal', async () => {
  await using echo = await startEcho();
  await using proxy = await startChaosProxy({ target: echo.address });
  await using client = await dial(proxy);
  await client.roundTrip();
  proxy.stall();
  const before = client.received().length;
  client.socket.write('later');
  await sleep(100);
  expect(client.received()).toHaveLength(before);
  proxy.heal();
  await expect.poll(() => client.received().subarray(before).toString()).toBe('later');
});

test('delay holds each byte for that long in each direction, and keeps the order', async () => {
  await using echo = await startEcho();
  await using proxy = await startChaosProxy({ target: echo.address });
  await using client = await dial(proxy);
  proxy.delay(100);
  const start = performance.now();
  for (let n = 0; n < 10; n++) client.socket.write(`${n}`);
  await expect.poll(() => client.received().toString(), { interval: 5, timeout: 10_000 }).toBe('0123456789');
  expect(performance.now() - start).toBeGreaterThan(195);
});

test('throttle limits each direction', async () => {
  await using echo = await startEcho();
  await using proxy = await startChaosProxy({ target: echo.address });
  await using client = await dial(proxy);
  proxy.throttle(100_000);
  const start = performance.now();
  client.socket.write(randomBytes(50_000));
  await expect.poll(() => client.received().length, { interval: 5, timeout: 15_000 }).toBe(50_000);
  expect(performance.now() - start).toBeGreaterThan(450);
});

test('a NATS server behind it is reached, and its end is passed on', async () => {
  await using server = await startNatsServer();
  await using proxy = await startChaosProxy({ target: server.address });
  await using client = await dial(proxy);
  await expect.poll(() => client.received().toString(), { timeout: 5000 }).toMatch(/^INFO /);
  await server.kill();
  await client.closed;
  await using refused = await dial(proxy);
  await refused.closed;
  await server.restart();
  await using again = await dial(proxy);
  await expect.poll(() => again.received().toString(), { timeout: 5000 }).toMatch(/^INFO /);
});

test('disposal closes every link', async () => {
  await using echo = await startEcho();
  const proxy = await startChaosProxy({ target: echo.address });
  await using client = await dial(proxy);
  await client.roundTrip();
  await proxy[Symbol.asyncDispose]();
  await client.closed;
  await proxy[Symbol.asyncDispose]();
});

test('a target that is not host:port is invalid', async () => {
  await expect(startChaosProxy({ target: 'nowhere' })).rejects.toMatchObject({ code: 'invalid' });
});

async function startEcho() {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const reset = (): void => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    reset,
    async [Symbol.asyncDispose]() {
      reset();
      server.close();
      await once(server, 'close');
    },
  };
}

async function dial(proxy: ChaosProxy) {
  const socket = connect(proxy.port, '127.0.0.1');
  const chunks: Buffer[] = [];
  const received = (): Buffer => Buffer.concat(chunks);
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => {});
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  return {
    socket,
    received,
    closed,
    /** Says something and waits until it comes back. */
    async roundTrip() {
      const before = received().length;
      const text = randomBytes(4).toString('hex');
      socket.write(text);
      await expect.poll(() => received().subarray(before).toString(), { interval: 5, timeout: 5000 }).toBe(text);
    },
    async [Symbol.asyncDispose]() {
      socket.destroy();
    },
  };
}
