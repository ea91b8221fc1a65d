import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { connectNats } from '@ts-micro/nats';
import { startNatsServer } from '@ts-micro/testkit/nats';
import { describe, expect, test } from 'vitest';
import { recordingLogger } from './recording-logger.ts';
import { thrownBy } from './thrown-by.ts';

const within = { timeout: 15_000 };
// Whatever waits for this one has failed.
const connectTimeoutMs = 300_000;

const infoOf = (more: object = {}) =>
  `INFO ${JSON.stringify({ server_id: 'x', version: '2.10.0', proto: 1, headers: true, max_payload: 1000, ...more })}\r\n`;

/** A server that does this with each connection. */
async function startServer(take: (socket: Socket) => void, port = 0) {
  const sockets = new Set<Socket>();
  let dials = 0;
  const server = createServer((socket) => {
    dials++;
    sockets.add(socket.on('error', () => {}));
    socket.once('close', () => sockets.delete(socket));
    take(socket);
    socket.resume();
  }).listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    address,
    port: (server.address() as AddressInfo).port,
    get dials() {
      return dials;
    },
    get open() {
      return sockets.size;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function answerPings(socket: Socket): void {
  socket.on('data', (bytes) => {
    for (const _ of String(bytes).matchAll(/PING\r\n/g)) socket.write('PONG\r\n');
  });
}

describe('a server whose first words', () => {
  test.each([
    ['are of another protocol', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['never end', 'HTTP'.repeat(100_000)],
    ['are cut', 'INFO {"a":\r\n'],
    ['are no object', 'INFO 5\r\n'],
    ['are null', 'INFO null\r\n'],
    ['have no version', 'INFO {}\r\n'],
    ['tell of servers in another way', infoOf({ connect_urls: 'a:1' })],
    ['tell of what is no server', infoOf({ connect_urls: [5] })],
    ['have a limit that is no number', infoOf({ max_payload: 'much' })],
  ])('%s is no NATS server, and is left at once', async (_what, words) => {
    await using server = await startServer((socket) => void socket.write(words));
    const error = await thrownBy(() => connectNats({ servers: server.address, connectTimeoutMs }));
    expect(error).toMatchObject({
      code: 'unavailable',
      message: `nats: connecting to ${server.address}: what it says first is no INFO of a NATS server`,
    });
    await expect.poll(() => server.open, within).toBe(0);
  });

  test('are long, or come byte by byte, is understood', async () => {
    const long = infoOf({ server_name: 'x'.repeat(500_000), tags: ['é'] });
    await using large = await startServer((socket) => {
      socket.write(long);
      answerPings(socket);
    });
    await (await connectNats({ servers: large.address, connectTimeoutMs })).close();
    await using slow = await startServer((socket) => {
      const bytes = [...Buffer.from(infoOf())];
      const write = () => {
        const byte = bytes.shift();
        if (byte !== undefined) socket.write(Buffer.from([byte]), () => setImmediate(write));
      };
      write();
      answerPings(socket);
    });
    await (await connectNats({ servers: slow.address, connectTimeoutMs })).close();
  });

  test('never come is left as it ends the connection, and the reason may be TLS', async () => {
    await using server = await startServer((socket) => void socket.end());
    const error = await thrownBy(() => connectNats({ servers: server.address, connectTimeoutMs }));
    expect(error).toMatchObject({ code: 'unavailable', message: expect.stringMatching(/first word.*handshakeFirst/) });
  });
});

describe('a server that ends the connection before it takes the client', () => {
  test.each(['after its INFO', 'by a reset'])('%s fails a connect at once, and leaves nothing behind', async (how) => {
    await using server = await startServer((socket) => {
      socket.write(infoOf());
      socket.once('data', () => (how === 'by a reset' ? socket.resetAndDestroy() : socket.end()));
    });
    const error = await thrownBy(() => connectNats({ servers: server.address, connectTimeoutMs }));
    expect(error).toMatchObject({ code: 'unavailable', message: expect.stringContaining(server.address) });
    // A timer that waits for the server is found at the end of this file.
    await expect.poll(() => server.open, within).toBe(0);
  });

  test('is dialled anew at once when the connection was lost, with a line in the log, and left for one that does', async () => {
    const { logger, lines } = recordingLogger();
    const good = await startServer((socket) => {
      socket.write(infoOf());
      answerPings(socket);
    });
    const { address, port } = good;
    await using connection = await connectNats({ servers: address, connectTimeoutMs, logger });
    await good[Symbol.asyncDispose]();
    const bad = await startServer((socket) => {
      socket.write(infoOf());
      socket.once('data', () => socket.end());
    }, port);
    await expect.poll(() => bad.dials, within).toBeGreaterThan(3);
    expect(lines.map(({ fields }) => String(fields?.error))).toContainEqual(
      expect.stringContaining(`nats: connecting to ${address}: the server ended the connection`),
    );
    expect(connection.outage).toMatchObject({ code: 'unavailable' });
    expect(await thrownBy(() => connection.flush())).toMatchObject({
      message: expect.stringContaining('the server ended the connection'),
    });
    await bad[Symbol.asyncDispose]();
    await using _again = await startServer((socket) => {
      socket.write(infoOf());
      answerPings(socket);
    }, port);
    await expect.poll(() => connection.state, within).toMatchObject({ status: 'connected', reconnects: 1 });
    expect(connection.outage).toBeUndefined();
  });
});

test('a dial that the server lets time out says so, and does not end the next one', async () => {
  const { logger, lines } = recordingLogger();
  const good = await startServer((socket) => {
    socket.write(infoOf());
    answerPings(socket);
  });
  await using connection = await connectNats({ servers: good.address, connectTimeoutMs: 300, logger });
  await good[Symbol.asyncDispose]();
  const lives: number[] = [];
  await using _silent = await startServer((socket) => {
    const begunMs = performance.now();
    socket.write(infoOf());
    socket.once('close', () => lives.push(performance.now() - begunMs));
  }, good.port);
  await expect.poll(() => lives.length, within).toBeGreaterThan(3);
  for (const lifeMs of lives) expect(lifeMs).toBeGreaterThan(200);
  expect(connection.outage).toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('the server did not take the client in time'),
  });
  expect(lines.map(({ fields }) => String(fields?.error))).not.toContainEqual(expect.stringContaining('authorization'));
});

test('a server that says what is not the protocol of NATS in mid-life is left at once, and nothing of it is logged', async () => {
  const { logger, lines } = recordingLogger();
  await using server = await startServer((socket) => {
    socket.write(infoOf());
    answerPings(socket);
    socket.on('data', (bytes) => {
      if (String(bytes).startsWith('PUB ')) socket.write('MSG a b c d e secret\r\nxyz\r\n');
    });
  });
  await using connection = await connectNats({ servers: server.address, pingIntervalMs: 600_000, logger });
  connection.publish('a', new Uint8Array(1));
  await expect.poll(() => connection.state, within).toMatchObject({ status: 'connected', reconnects: 1 });
  expect(lines.map(({ message }) => message)).toContain('nats server is not understood, connecting anew');
  expect(JSON.stringify(lines.map(({ message, fields }) => [message, String(fields?.error)]))).not.toContain('secret');
});

describe('what a server tells of itself and of others', () => {
  const odd = [
    '',
    ':',
    '[::1',
    'a b:1',
    '127.0.0.1:99999',
    'x:abc',
    'tls://127.0.0.1:1',
    'u:p@127.0.0.1:1',
    'B.test:1',
  ];

  test.each(['first', 'in mid-life'])('%s is left with the addresses that can be dialled', async (when) => {
    await using server = await startServer((socket) => {
      socket.write(infoOf(when === 'first' ? { connect_urls: odd } : {}));
      answerPings(socket);
      socket.on('data', (bytes) => {
        if (String(bytes).startsWith('PUB ')) socket.write(infoOf({ connect_urls: odd }));
      });
    });
    await using connection = await connectNats({ servers: server.address, connectTimeoutMs });
    connection.publish('a', new Uint8Array(1));
    const servers = [server.address, 'b.test:1'];
    await expect.poll(() => connection.state, within).toMatchObject({ servers, reconnects: 0 });
  });

  test('names at most a thousand servers', async () => {
    const many = Array.from({ length: 5000 }, (_, index) => `10.0.0.1:${index + 1}`);
    await using server = await startServer((socket) => {
      socket.write(infoOf({ connect_urls: many }));
      answerPings(socket);
    });
    await using connection = await connectNats({ servers: server.address, connectTimeoutMs });
    expect(connection.state.servers).toHaveLength(1001);
  });

  test('can be that it takes messages of any size', async () => {
    await using server = await startNatsServer({ config: 'max_payload: -1' });
    await using connection = await connectNats({ servers: server.url });
    connection.publish('a', new Uint8Array(2_000_000));
    await connection.flush();
    expect(connection.state.reconnects).toBe(0);
  });

  test.each([
    ['is no object', 'INFO 5\r\n'],
    ['has a limit that is no number', infoOf({ max_payload: 'much' })],
    ['tells of servers in another way', infoOf({ connect_urls: {} })],
    ['has no end', `INFO ${'x'.repeat(2_000_000)}`],
    ['is the beginning of a message that no server can send', 'MSG a 1 99999999999\r\n'],
  ])('in mid-life and %s ends the link, and the next one is as before', async (_what, words) => {
    let isFirst = true;
    await using server = await startServer((socket) => {
      socket.write(infoOf());
      answerPings(socket);
      socket.on('data', (bytes) => {
        if (!String(bytes).startsWith('PUB ') || !isFirst) return;
        isFirst = false;
        socket.write(words);
      });
    });
    await using connection = await connectNats({ servers: server.address, pingIntervalMs: 600_000 });
    connection.publish('a', new Uint8Array(1));
    await expect.poll(() => connection.state, within).toMatchObject({ status: 'connected', reconnects: 1 });
    expect(connection.maxPayload).toBe(1000);
    connection.publish('a', new Uint8Array(1));
    await connection.flush();
  });
});

test.each(['invalid ', 'subscription ', 'Publish to "', '-ERR '])(
  'a complaint of a million characters, of "%s", blocks nothing for long and is shown in part',
  async (word) => {
    const { logger, lines } = recordingLogger();
    await using server = await startServer((socket) => {
      socket.write(infoOf());
      answerPings(socket);
      socket.on('data', (bytes) => {
        if (String(bytes).includes('PUB a ')) socket.write(`-ERR '\u001b${word.repeat(1_000_000 / word.length)}'\r\n`);
      });
    });
    await using connection = await connectNats({ servers: server.address, logger });
    connection.publish('a', new Uint8Array(1));
    const complaints = () => lines.filter(({ message }) => message === 'nats server reported an error');
    await expect.poll(() => complaints().length, within).toBe(1);
    const message = String(complaints()[0]?.fields?.error);
    expect(message).toContain(`\\u001b${word.slice(0, 5)}`);
    expect(message.length).toBeLessThan(20_000);
  },
);
