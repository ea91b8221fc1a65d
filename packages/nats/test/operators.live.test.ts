import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { inspect } from 'node:util';
import { connectNats } from '@ts-micro/nats';
import { freePorts, startNatsServer } from '@ts-micro/testkit/nats';
import { afterAll, describe, expect, test } from 'vitest';
import { makeCertificates } from './certificates.ts';
import { makeJwtAccounts } from './jwt-accounts.ts';
import { recordingLogger } from './recording-logger.ts';
import { thrownBy } from './thrown-by.ts';

const within = { timeout: 15_000 };
const user = (name: string, password: string) => `authorization { user: ${name}, password: ${password} }`;

describe('servers of a list', () => {
  test('get their own credentials only', async () => {
    await using one = await startNatsServer({ config: user('anna', 'first') });
    await using other = await startNatsServer({ config: user('bert', 'second') });
    const servers = [`anna:first@${one.address}`, `bert:second@${other.address}`];
    await using connection = await connectNats({ servers });
    const [here, there] = connection.address === one.address ? [one, other] : [other, one];
    await here.kill();
    await expect.poll(() => connection.state, within).toMatchObject({ status: 'connected', server: there.address });
    await here.restart();
    await there.kill();
    await expect.poll(() => connection.state, within).toMatchObject({ status: 'connected', server: here.address });
    expect(one.logs() + other.logs()).not.toMatch(/authentication error/);
  });

  test('are each tried before the connect is given up, and `unauthorized` is what all of them said', async () => {
    await using old = await startNatsServer({ config: user('app', 'old') });
    await using fresh = await startNatsServer({ config: user('app', 'new') });
    for (let round = 0; round < 6; round++) {
      await using connection = await connectNats({
        servers: [old.url, fresh.url],
        user: 'app',
        password: 'new',
      });
      expect(connection.address).toBe(fresh.address);
    }
    const error = await thrownBy(() =>
      connectNats({ servers: [old.url, fresh.url], user: 'app', password: 'hunter2' }),
    );
    expect(error).toMatchObject({ code: 'unauthorized' });
    for (const server of [old, fresh]) expect(String(error)).toContain(server.address);
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('hunter2');
  });

  test('with several credentials for one address get each of them, also when they change later', async () => {
    await using server = await startNatsServer({ config: user('app', 'second') });
    const servers = ['first', 'second', 'third'].map((password) => `app:${password}@${server.address}`);
    for (let round = 0; round < 4; round++) await (await connectNats({ servers })).close();
    await using connection = await connectNats({ servers });
    expect(connection.state.servers).toEqual([server.address]);
    await server.restart({ config: user('app', 'third') });
    await expect.poll(() => connection.state, within).toMatchObject({ status: 'connected', reconnects: 1 });
    await server.restart({ config: user('app', 'first') });
    await expect.poll(() => connection.state, within).toMatchObject({ status: 'connected', reconnects: 2 });
    const error = await thrownBy(() => connectNats({ servers: servers.slice(1) }));
    expect(error).toMatchObject({ code: 'unauthorized' });
    expect(inspect(error, { depth: 9, showHidden: true })).not.toMatch(/second|third/);
  });

  test('that are full say so in their own words, and let in who waits once there is room', async () => {
    await using server = await startNatsServer({ config: 'max_connections: 1' });
    const first = await connectNats({ servers: server.url });
    const waiting = connectNats({ servers: server.url, waitForFirstConnect: true });
    expect(await thrownBy(() => connectNats({ servers: server.url }))).toMatchObject({ code: 'unavailable' });
    await first.close();
    await (await waiting).close();
  });
});

test('a server that has left before the client wrote is asked for its words once more', async () => {
  let dials = 0;
  const full = createServer((socket) => {
    socket.on('error', () => {});
    const info = 'INFO {"server_id":"x","version":"2.10.0","max_payload":1048576,"headers":true}\r\n';
    if (dials++ === 0) {
      socket.write(info);
      // What the client writes finds nobody, and its error overtakes the words.
      socket.once('data', () => socket.resetAndDestroy());
    } else socket.end(`${info}-ERR 'maximum connections exceeded'\r\n`);
  });
  full.listen(0, '127.0.0.1');
  await once(full, 'listening');
  try {
    const { port } = full.address() as AddressInfo;
    const error = await thrownBy(() => connectNats({ servers: `127.0.0.1:${port}` }));
    expect(error).toMatchObject({
      code: 'unavailable',
      message: `nats: connecting to 127.0.0.1:${port}: maximum connections exceeded`,
    });
    expect(dials).toBe(2);
  } finally {
    full.close();
    await once(full, 'close');
  }
});

describe('servers that the cluster tells of', () => {
  /** A server that tells of these servers beside itself. */
  async function startGossip(told: readonly string[], port = 0) {
    const connections = new Set<{ destroy(): void }>();
    const server = createServer((socket) => {
      connections.add(socket.on('error', () => {}));
      const info = {
        server_id: 'x',
        version: '2.10.0',
        proto: 1,
        headers: true,
        max_payload: 1000,
        connect_urls: told,
      };
      socket.write(`INFO ${JSON.stringify(info)}\r\n`);
      socket.on('data', (bytes) => {
        for (const _ of String(bytes).matchAll(/PING\r\n/g)) socket.write('PONG\r\n');
      });
    }).listen(port, '127.0.0.1');
    await once(server, 'listening');
    return {
      port: (server.address() as AddressInfo).port,
      async [Symbol.asyncDispose]() {
        for (const connection of connections) connection.destroy();
        server.close();
        await once(server, 'close');
      },
    };
  }

  test.each([false, true])(
    'and that are silent do not keep from the configured one, ignored: %s',
    async (ignoreGossip) => {
      const silent = createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1');
      await once(silent, 'listening');
      const told = Array.from(
        { length: 3 },
        (_, index) => `127.0.0.${index + 1}:${(silent.address() as AddressInfo).port}`,
      );
      const { logger, lines } = recordingLogger();
      let gossip = await startGossip(told);
      try {
        const { port } = gossip;
        await using connection = await connectNats({ servers: `127.0.0.1:${port}`, ignoreGossip, logger });
        expect(connection.state.servers).toHaveLength(ignoreGossip ? 1 : 4);
        await gossip[Symbol.asyncDispose]();
        const failed = () => lines.filter(({ message }) => message === 'nats server not reached').length;
        await expect.poll(failed, within).toBeGreaterThan(0);
        gossip = await startGossip(told, port);
        await expect
          .poll(() => connection.state, within)
          .toMatchObject({ status: 'connected', server: `127.0.0.1:${port}` });
      } finally {
        silent.close();
        await gossip[Symbol.asyncDispose]();
      }
    },
  );
});

describe('TLS names', () => {
  const certificates = makeCertificates();
  const { file } = certificates;
  afterAll(() => certificates[Symbol.dispose]());
  const tls = { caFile: file('ca.crt') };
  const named = `tls { cert_file: "${file('named.crt')}", key_file: "${file('named.key')}" }`;

  test('are those that `servername` gives', async () => {
    await using server = await startNatsServer({ config: named });
    await using connection = await connectNats({ servers: server.address, tls: { ...tls, servername: 'localhost' } });
    await connection.flush();
    const wrong = { ...tls, servername: 'example.com' };
    expect(await thrownBy(() => connectNats({ servers: `localhost:${server.port}`, tls: wrong }))).toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('example.com'),
    });
  });

  test('that were configured count for servers that the cluster tells of by their addresses', async () => {
    const [route, otherRoute] = await freePorts(2);
    const cluster = (name: string, own?: number, other?: number) =>
      `server_name: ${name}\ncluster { name: c, listen: "127.0.0.1:${own}", routes: ["nats://127.0.0.1:${other}"] }\n${named}`;
    await using one = await startNatsServer({ config: cluster('one', route, otherRoute) });
    await using other = await startNatsServer({ config: cluster('other', otherRoute, route) });
    await using connection = await connectNats({ servers: `localhost:${one.port}`, tls });
    await expect.poll(() => connection.state.servers, within).toContain(other.address);
    await one.kill();
    await expect.poll(() => connection.state, within).toMatchObject({ status: 'connected', server: other.address });
  });

  test('and TLS belong to their server: one with and one without in a list', async () => {
    await using secure = await startNatsServer({ config: named });
    await using plain = await startNatsServer();
    const servers = [`tls://localhost:${secure.port}`, plain.url];
    await using connection = await connectNats({ servers, tls: { ...tls } }).catch(() => connectNats({ servers }));
    expect(connection.state.status).toBe('connected');
  });
});

describe('credentials as files really are', () => {
  const accounts = makeJwtAccounts();
  const text = accounts.credentials();
  const kinds: readonly (readonly [string, string])[] = [
    ['CRLF', text.replaceAll('\n', '\r\n')],
    ['CR', text.replaceAll('\n', '\r')],
    ['no last line end', text.trimEnd()],
    ['a byte order mark', `\uFEFF${text}`],
    ['indentation and trailing blanks', text.replaceAll(/^/gm, '  ').replaceAll('\n', '  \n')],
    ['blank lines', text.replaceAll('\n', '\n\n')],
    ['line ends as an environment writes them', text.replaceAll('\n', '\\n')],
    ['quotes', JSON.stringify(text)],
    ['single quotes', `'${text}'\n`],
  ];

  test('are taken, with whatever line ends', async () => {
    await using server = await startNatsServer({ config: accounts.config });
    for (const [, credentials] of kinds) await (await connectNats({ servers: server.url, credentials })).close();
  });

  test.each([
    ['', /empty/],
    ['nonsense', /BEGIN NATS USER JWT/],
    [text.slice(0, text.indexOf('-----BEGIN USER')), /BEGIN USER NKEY SEED/],
    // Of the line of the seed: a JWT may have these letters too.
    [text.replace(/^SU[A-Z2-7]{10}/m, 'SUAAAAAAAAAA'), /seed/],
    [
      text.replace(/^SU[A-Z2-7]{50,}/m, accounts.credentials().match(/^SU[A-Z2-7]{50,}/m)?.[0] ?? ''),
      /does not belong/,
    ],
    [text.replace(/\.[\w-]+\./, '.e30x.'), /cannot be read/],
  ])('that are wrong say what is, and nothing of themselves (%#)', async (credentials, words) => {
    const error = await thrownBy(() => connectNats({ credentials }));
    expect(error).toMatchObject({ code: 'invalid', message: expect.stringMatching(words) });
    const secrets = [...text.matchAll(/[\w-]{40,}/g)]
      .map(([secret]) => secret)
      .filter((secret) => !/^-+$/.test(secret));
    for (const secret of secrets) expect(inspect(error, { depth: 9 })).not.toContain(secret);
  });
});

describe('a subscription', () => {
  const config = (deny: string) =>
    `authorization { users: [ { user: a, password: b, permissions: { subscribe: { deny: ${deny} } } } ] }`;

  test.each([
    ['reload', undefined],
    ['reload', 'workers'],
    ['restart', undefined],
    ['restart', 'workers'],
  ] as const)('taken away by a %s comes back with the permission, queue %s', async (how, queue) => {
    await using server = await startNatsServer({ config: config('none') });
    await using connection = await connectNats({ servers: server.url, user: 'a', password: 'b' });
    const seen: string[] = [];
    const subscription = connection.subscribe('news', {
      queue,
      onMessage: ({ data }) => void seen.push(String(data)),
      onLost: ({ code }) => void seen.push(code),
      onRestored: () => void seen.push('restored'),
    });
    await subscription.confirm();
    await server[how]({ config: config('news') });
    await expect.poll(() => seen, within).toEqual(['unauthorized']);
    expect(connection.state.lost).toEqual(['news']);
    await server[how]({ config: config('none') });
    await expect.poll(() => seen, within).toEqual(['unauthorized', 'restored']);
    expect(connection.state.lost).toEqual([]);
    connection.publish('news', Buffer.from('hello'));
    await expect.poll(() => seen.at(-1), within).toBe('hello');
  });

  test('whose connection is closed is told why', async () => {
    await using server = await startNatsServer();
    const connection = await connectNats({ servers: server.url });
    const ended = new Promise((onError) => connection.subscribe('a', { onMessage: () => {}, onError }));
    await connection.close();
    expect(await ended).toMatchObject({ code: 'unavailable' });
  });
});

test("a refused publish is told to who follows them, with its subject and the server's sentence", async () => {
  const config = 'authorization { users: [ { user: a, password: b, permissions: { publish: { deny: "secret" } } } ] }';
  await using server = await startNatsServer({ config });
  await using connection = await connectNats({ servers: server.url, user: 'a', password: 'b' });
  const denied: unknown[] = [];
  const stop = connection.onPublishDenied((subject, error) => denied.push(subject, error));
  connection.publish('secret', Buffer.from('a'));
  connection.publish('open', Buffer.from('a'));
  await connection.flush();
  expect(denied).toEqual([
    'secret',
    expect.objectContaining({ code: 'unauthorized', message: expect.stringContaining('Permissions Violation') }),
  ]);
  stop();
  connection.publish('secret', Buffer.from('a'));
  await connection.flush();
  expect(denied).toHaveLength(2);
});
