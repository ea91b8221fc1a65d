import dns from 'node:dns';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { connectNats, type NatsOptions } from '@ts-micro/nats';
import { freePorts, startNatsServer } from '@ts-micro/testkit/nats';
import { nkeys } from 'nats';
import { describe, expect, test } from 'vitest';
import { thrownBy } from './thrown-by.ts';

describe('connectNats', () => {
  test('connects and tells where', async () => {
    await using server = await startNatsServer();
    await using connection = await connectNats({ servers: server.url, name: 'a test' });
    expect(connection.state).toEqual({
      status: 'connected',
      server: server.address,
      servers: [server.address],
      reconnects: 0,
      lost: [],
    });
    expect(connection.address).toBe(server.address);
    expect(connection.maxPayload).toBe(1024 * 1024);
    const { connections } = await server.monitor('connz');
    expect(connections).toMatchObject([{ name: 'a test' }]);
  });

  test('passes over servers that are not there', async () => {
    await using server = await startNatsServer();
    const [gone] = await freePorts(1);
    for (const servers of [`127.0.0.1:${gone},${server.address}`, [server.url, `127.0.0.1:${gone}`]]) {
      await using connection = await connectNats({ servers });
      expect(connection.address).toBe(server.address);
    }
  });

  test('passes over a server that does not speak, within its share of the time', async () => {
    await using silent = await startSilentServer();
    await using server = await startNatsServer();
    for (let round = 0; round < 4; round++) {
      await using connection = await connectNats({
        servers: [silent.address, server.address],
        connectTimeoutMs: 1000,
      });
      expect(connection.address).toBe(server.address);
    }
  });

  test('fails over to another configured server', async () => {
    await using one = await startNatsServer();
    await using other = await startNatsServer();
    await using connection = await connectNats({ servers: [one.url, other.url] });
    const [first, second] = connection.address === one.address ? [one, other] : [other, one];
    await first.kill();
    await expect
      .poll(() => connection.state)
      .toMatchObject({
        status: 'connected',
        server: second.address,
        reconnects: 1,
      });
  });

  test('rejects with `unavailable` when no server is there', async () => {
    const ports = await freePorts(2);
    const servers = ports.map((port) => `127.0.0.1:${port}`);
    const error = await thrownBy(() => connectNats({ servers }));
    expect(error).toMatchObject({ code: 'unavailable', retrySafe: true });
    for (const server of servers) expect(String(error)).toContain(server);
  });

  test('rejects with `unavailable` within `connectTimeoutMs` when no server speaks', async () => {
    await using silent = await startSilentServer();
    const error = await thrownBy(() => connectNats({ servers: silent.address, connectTimeoutMs: 300 }));
    expect(error).toMatchObject({ code: 'unavailable' });
    expect(String(error)).toContain(silent.address);
    expect(String(error)).toMatch(/no answer within (299|300) ms/);
  });

  test("goes where a lookup in place of Node's says, with undefined for no error", async () => {
    await using server = await startNatsServer();
    const { lookup } = dns;
    const found = [{ address: '127.0.0.1', family: 4 }];
    const here = (_host: string, _options: object, done: (error: undefined, all: typeof found) => void) =>
      setImmediate(() => done(undefined, found));
    dns.lookup = here as unknown as typeof lookup;
    try {
      await using connection = await connectNats({ servers: `somewhere.invalid:${server.port}` });
      await connection.flush();
    } finally {
      dns.lookup = lookup;
    }
  });

  test("rejects with `unavailable` where a lookup in place of Node's finds no address", async () => {
    const { lookup } = dns;
    const nothing = (_host: string, _options: object, done: (error: null, found: []) => void) => done(null, []);
    dns.lookup = nothing as unknown as typeof lookup;
    try {
      const error = await thrownBy(() => connectNats({ servers: 'nowhere.test' }));
      expect(error).toMatchObject({ code: 'unavailable', message: expect.stringContaining('ENOTFOUND nowhere.test') });
    } finally {
      dns.lookup = lookup;
    }
  });

  test('rejects as its signal aborts, and leaves no connection behind', async () => {
    await using server = await startNatsServer();
    const reason = new Error('enough');
    const error = await thrownBy(() => {
      const controller = new AbortController();
      const connecting = connectNats({ servers: server.url, signal: controller.signal });
      controller.abort(reason);
      return connecting;
    });
    expect(error).toMatchObject({ code: 'canceled', cause: reason });
    await expect.poll(async () => (await server.counts()).connections).toBe(0);
    const aborted = await thrownBy(() => connectNats({ servers: server.url, signal: AbortSignal.abort() }));
    expect(aborted).toMatchObject({ code: 'canceled' });
  });

  test('waits for the first server with `waitForFirstConnect`', async () => {
    const [port] = await freePorts(1);
    const connecting = connectNats({ servers: `127.0.0.1:${port}`, waitForFirstConnect: true, connectTimeoutMs: 200 });
    const early = await Promise.race([connecting, new Promise((resolve) => setTimeout(resolve, 600, 'waiting'))]);
    expect(early).toBe('waiting');
    await using server = await startNatsServer({ port });
    await using connection = await connecting;
    expect(connection.address).toBe(server.address);
  });

  test('waits with `waitForFirstConnect` until the signal aborts', async () => {
    const servers = `127.0.0.1:${await freePorts(1)}`;
    const signal = AbortSignal.timeout(500);
    const error = await thrownBy(() => connectNats({ servers, waitForFirstConnect: true, signal }));
    expect(error).toMatchObject({ code: 'timeout' });
  });

  for (const [option, value] of [
    ['connectTimeoutMs', 0],
    ['pingIntervalMs', Number.NaN],
    ['inboxPrefix', 'a b'],
    ['inboxPrefix', 'a.*'],
    ['servers', 'ws://a'],
    ['token', 7],
    ['tls', 'yes'],
    ['waitForFirstConnect', 'no'],
  ] as const) {
    test(`refuses ${option} ${JSON.stringify(value)}`, async () => {
      const error = await thrownBy(() => connectNats({ [option]: value } as NatsOptions));
      expect(error).toMatchObject({ code: 'invalid' });
      expect(String(error)).toContain(option === 'servers' ? 'ws://a' : option);
    });
  }
});

describe('credentials', () => {
  const nkey = nkeys.createUser();
  const seed = new TextDecoder().decode(nkey.getSeed());
  const kinds: readonly (readonly [string, string, NatsOptions, NatsOptions])[] = [
    ['user and password', 'user: ann, password: hunter2', { user: 'ann', password: 'hunter2' }, { user: 'ann' }],
    ['a token', 'token: hunter2', { token: 'hunter2' }, { token: 'hunter3' }],
    ['an nkey', `users: [{ nkey: ${nkey.getPublicKey()} }]`, { nkeySeed: seed }, {}],
  ];

  for (const [name, authorization, good, bad] of kinds) {
    test(`${name} is accepted`, async () => {
      await using server = await startNatsServer({ config: `authorization { ${authorization} }` });
      await using connection = await connectNats({ servers: server.url, ...good });
      await connection.flush();
    });

    test(`${name} is refused with \`unauthorized\` at once, naming the server`, async () => {
      await using server = await startNatsServer({ config: `authorization { ${authorization} }` });
      for (const options of [bad, { ...bad, waitForFirstConnect: true }]) {
        const error = await thrownBy(() => connectNats({ servers: server.url, ...options }));
        expect(error).toMatchObject({ code: 'unauthorized' });
        expect(String(error)).toContain(server.address);
        expect(String(error)).not.toContain('hunter');
      }
    });
  }

  test('in a server URL are taken', async () => {
    await using server = await startNatsServer({ config: 'authorization { user: ann, password: hunter2 }' });
    await using connection = await connectNats({ servers: `nats://ann:hunter2@${server.address}` });
    expect(connection.address).toBe(server.address);
  });

  test('refused by one server are told, though another is not there', async () => {
    await using server = await startNatsServer({ config: 'authorization { token: hunter2 }' });
    const servers = [`127.0.0.1:${await freePorts(1)}`, server.address];
    for (const order of [servers, servers.toReversed()]) {
      const error = await thrownBy(() => connectNats({ servers: order }));
      expect(error).toMatchObject({ code: 'unavailable', message: expect.stringMatching(/refused|ECONNREFUSED/i) });
      expect(String(error)).toMatch(/authorization/i);
    }
  });

  test('as tools and people leave an nkey are taken, but not two of them', async () => {
    await using server = await startNatsServer({
      config: `authorization { users: [{ nkey: ${nkey.getPublicKey()} }] }`,
    });
    for (const nkeySeed of [
      `${seed} # of the greeter`,
      `"${seed}"\n`,
      `${seed}\n${nkey.getPublicKey()}\n`,
      `-----BEGIN USER NKEY SEED-----\r\n${seed}\r\n------END USER NKEY SEED------\r\n`,
    ]) {
      await (await connectNats({ servers: server.url, nkeySeed })).close();
    }
    const other = new TextDecoder().decode(nkeys.createUser().getSeed());
    const error = await thrownBy(() => connectNats({ servers: server.url, nkeySeed: `${seed}\n${other}` }));
    expect(error).toMatchObject({ code: 'invalid' });
  });

  test('that do not parse are `invalid`', async () => {
    await using server = await startNatsServer();
    for (const options of [{ credentials: 'nonsense' }, { nkeySeed: 'SUNONSENSE' }]) {
      const error = await thrownBy(() => connectNats({ servers: server.url, ...options }));
      expect(error).toMatchObject({ code: 'invalid' });
      expect(String(error).toLowerCase()).not.toContain('nonsense');
    }
  });

  test('refused at a reconnect are reported, and tried again', async () => {
    await using server = await startNatsServer({ config: 'authorization { token: hunter2 }' });
    await using connection = await connectNats({ servers: server.url, token: 'hunter2' });
    await server.restart({ config: 'authorization { token: another }' });
    expect(await thrownBy(() => connection.ready())).toMatchObject({ code: 'unauthorized' });
    await server.restart({ config: 'authorization { token: hunter2 }' });
    await expect.poll(() => connection.state.status).toBe('connected');
  });
});

/** Takes connections and says nothing. */
async function startSilentServer(): Promise<AsyncDisposable & { readonly address: string }> {
  const sockets = new Set<{ destroy(): void }>();
  const server = createServer((socket) => sockets.add(socket.on('error', () => {})));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
