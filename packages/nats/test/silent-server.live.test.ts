import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { connectNats } from '@ts-micro/nats';
import { startNatsServer } from '@ts-micro/testkit/nats';
import { describe, expect, test } from 'vitest';
import { thrownBy } from './thrown-by.ts';

const within = { timeout: 15_000 };

describe('a server that takes connections and says nothing', () => {
  test('keeps no socket of a connect that gave up', async () => {
    await using silent = await startSilentServer();
    const options = { servers: silent.address, connectTimeoutMs: 300 };
    expect(await thrownBy(() => connectNats(options))).toMatchObject({ code: 'unavailable' });
    expect(silent.taken).toBe(1);
    await expect.poll(() => silent.open, within).toBe(0);
  });

  test('keeps no socket of a connect that was aborted', async () => {
    await using silent = await startSilentServer();
    const abort = new AbortController();
    const options = { servers: silent.address, connectTimeoutMs: 120_000, signal: abort.signal };
    const connecting = thrownBy(() => connectNats(options));
    await expect.poll(() => silent.open, within).toBe(1);
    abort.abort();
    expect(await connecting).toMatchObject({ code: 'canceled' });
    await expect.poll(() => silent.open, within).toBe(0);
  });

  test('leaves nothing behind at each of many dials', async () => {
    await using server = await startNatsServer();
    await using _connection = await connectNats({ servers: server.url });
    const warnings: Error[] = [];
    const onWarning = (warning: Error) => void warnings.push(warning);
    process.on('warning', onWarning);
    await server.kill();
    let dials = 0;
    const refusing = createServer((socket) => {
      dials++;
      socket.destroy();
    }).listen(server.port, '127.0.0.1');
    try {
      await expect.poll(() => dials, { timeout: 20_000 }).toBeGreaterThan(12);
      expect(warnings).toEqual([]);
    } finally {
      process.off('warning', onWarning);
      refusing.close();
    }
  });

  test('keeps one socket at most of a connection that tries to come back', async () => {
    await using server = await startNatsServer();
    await using connection = await connectNats({ servers: server.url, connectTimeoutMs: 200 });
    await server.kill();
    await using silent = await startSilentServer(server.port);
    await expect.poll(() => silent.taken, within).toBeGreaterThanOrEqual(4);
    expect(silent.most).toBeLessThanOrEqual(2);
    await connection.close();
    await expect.poll(() => silent.open, within).toBe(0);
  });
});

interface SilentServer extends AsyncDisposable {
  readonly address: string;
  /** How many connections are open, were ever, and were at once. */
  readonly open: number;
  readonly taken: number;
  readonly most: number;
}

async function startSilentServer(port: number = 0): Promise<SilentServer> {
  const sockets = new Set<Socket>();
  let taken = 0;
  let most = 0;
  const server = createServer((socket) => {
    taken++;
    sockets.add(socket);
    most = Math.max(most, sockets.size);
    // What is never read is never seen to end.
    socket.resume();
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    get open() {
      return sockets.size;
    },
    get taken() {
      return taken;
    },
    get most() {
      return most;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
