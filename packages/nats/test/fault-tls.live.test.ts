import { once } from 'node:events';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import { inspect } from 'node:util';
import { MicroError } from '@ts-micro/core';
import { connectNats, type NatsTlsOptions } from '@ts-micro/nats';
import { startNatsServer } from '@ts-micro/testkit/nats';
import { afterAll, describe, expect, test } from 'vitest';
import { makeCertificates } from './certificates.ts';
import { thrownBy } from './thrown-by.ts';

const within = { timeout: 15_000 };

describe('TLS with a private authority', () => {
  const certificates = makeCertificates();
  const { file, pem } = certificates;
  afterAll(() => certificates[Symbol.dispose]());
  const tlsConfig = (more: string, name = 'server') =>
    `tls { cert_file: "${file(`${name}.crt`)}", key_file: "${file(`${name}.key`)}", ca_file: "${file('ca.crt')}", ${more} }`;

  async function exchange(servers: string, tls: NatsTlsOptions): Promise<void> {
    await using connection = await connectNats({ servers, tls });
    const received: string[] = [];
    await connection.subscribe('a', { onMessage: ({ data }) => received.push(String(data)) }).confirm();
    connection.publish('a', Buffer.from('hello'));
    await connection.flush();
    expect(received).toEqual(['hello']);
  }

  test('is made with the authority and a client certificate, as files or as texts', async () => {
    await using server = await startNatsServer({ config: tlsConfig('verify: true') });
    await exchange(server.address, {
      caFile: file('ca.crt'),
      certFile: file('client.crt'),
      keyFile: file('client.key'),
    });
    await exchange(server.address, { ca: pem('ca.crt'), cert: pem('client.crt'), key: pem('client.key') });
  });

  test('is kept over a reconnect', async () => {
    await using server = await startNatsServer({ config: tlsConfig('verify: true') });
    const tls = { caFile: file('ca.crt'), certFile: file('client.crt'), keyFile: file('client.key') };
    await using connection = await connectNats({ servers: server.address, tls });
    await server.restart();
    await expect.poll(() => connection.state.reconnects).toBe(1);
    await connection.flush();
  });

  test('a server of an unknown authority is refused in bounded time, naming it', async () => {
    await using server = await startNatsServer({ config: tlsConfig('verify: false') });
    for (const tls of [{ caFile: file('other-ca.crt') }, true]) {
      const error = await thrownBy(() => connectNats({ servers: server.address, tls, connectTimeoutMs: 3000 }));
      expect(error).toMatchObject({ code: 'unavailable', message: expect.stringContaining(server.address) });
      expect(String(error)).toMatch(/certificate/);
    }
  });

  test('is checked against the host as it was given, an IP address too', async () => {
    await using server = await startNatsServer({ config: tlsConfig('verify: false', 'named') });
    const tls = { caFile: file('ca.crt') };
    await exchange(`localhost:${server.port}`, tls);
    const error = await thrownBy(() => connectNats({ servers: server.address, tls, connectTimeoutMs: 3000 }));
    expect(error).toMatchObject({ code: 'unavailable', message: expect.stringContaining('127.0.0.1') });
  });

  test.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'a client without a certificate is refused at once where the server wants one, by %s',
    async (version) => {
      await using server = await startNatsServer({ config: tlsConfig('verify: true') });
      const tls = { caFile: file('ca.crt'), minVersion: version, maxVersion: version };
      const error = await thrownBy(() => connectNats({ servers: server.address, tls, connectTimeoutMs: 8000 }));
      expect(error).toMatchObject({ message: expect.stringContaining(server.address) });
      expect(String(error)).toMatch(/TLS.*certificate/);
      // With TLS 1.3 the server's reset may overtake its alert, and then it is not certain why.
      const code = MicroError.from(error, 'internal', 'connectNats').code;
      expect(version === 'TLSv1.3' ? ['unauthorized', 'unavailable'] : ['unauthorized']).toContain(code);
    },
  );

  test('reset right after the handshake is told to be about a client certificate, at once', async () => {
    const options = { isServer: true, key: pem('server.key'), cert: pem('server.crt') };
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.write('INFO {"server_id":"x","version":"2.9.10","tls_required":true,"max_payload":1000}\r\n');
      const secure = new TLSSocket(socket, options).on('error', () => {});
      secure.once('secure', () => socket.resetAndDestroy());
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
      const tls = { caFile: file('ca.crt') };
      const error = await thrownBy(() => connectNats({ servers: address, tls, connectTimeoutMs: 8000 }));
      expect(error).toMatchObject({ code: 'unavailable', message: expect.stringContaining(address) });
      expect(String(error)).toMatch(/TLS.*client certificate/);
    } finally {
      server.close();
    }
  });

  test('a client certificate of another authority is refused, saying so', async () => {
    await using server = await startNatsServer({ config: tlsConfig('verify: true') });
    const tls = { caFile: file('ca.crt'), certFile: file('other-ca.crt'), keyFile: file('other-ca.key') };
    const error = await thrownBy(() => connectNats({ servers: server.address, tls, connectTimeoutMs: 8000 }));
    expect(error).toMatchObject({ message: expect.stringContaining(server.address) });
    expect(String(error)).toMatch(/TLS.*this client's certificate/);
  });

  const wrong: readonly (readonly [string, NatsTlsOptions, string])[] = [
    ['a file that is not there', { caFile: '/nowhere/ca.crt' }, 'tls.caFile "/nowhere/ca.crt" cannot be read'],
    ['a folder', { caFile: tmpdir() }, 'tls.caFile'],
    ['authorities that are no PEM', { ca: 'hunter2' }, 'tls.ca has no PEM certificate'],
    ['a file that has no PEM', { caFile: file('server.ext') }, 'tls.caFile'],
    ['a key for an authority', { caFile: file('server.key') }, 'has no PEM certificate'],
    ['a certificate without its key', { certFile: file('client.crt') }, 'a cert and no key'],
    ['a key without its certificate', { key: pem('client.key') }, 'a key and no cert'],
    ['the key of another certificate', { cert: pem('client.crt'), key: pem('server.key') }, 'option tls'],
    ['what is no certificate', { cert: 'hunter2', key: 'hunter2' }, 'option tls'],
    ['a version that there is not', { minVersion: 'TLSv9' }, 'TLSv9'],
    ['a file by a number', { caFile: 5 as unknown as string }, 'tls.caFile is of type number'],
    ['a name by a number', { servername: 5 as unknown as string }, 'tls.servername is of type number'],
    ['a text for true', { handshakeFirst: 'yes' as unknown as boolean }, 'tls.handshakeFirst is of type string'],
    ['a list', [] as unknown as NatsTlsOptions, 'tls is of type array'],
  ];

  test.each(wrong)('with %s is invalid and not waited for, and shows no secret', async (_what, tls, words) => {
    const options = { servers: '127.0.0.1:1', tls, waitForFirstConnect: true, signal: AbortSignal.timeout(10_000) };
    const error = await thrownBy(() => connectNats(options));
    expect(error).toMatchObject({ code: 'invalid', message: expect.stringContaining(words) });
    expect(inspect(error, { depth: 9, showHidden: true })).not.toMatch(/hunter2|BEGIN/);
  });

  test('a check of the identity that throws fails the connect with its words, and does no more', async () => {
    await using server = await startNatsServer({ config: tlsConfig('verify: false') });
    const checkServerIdentity = () => {
      throw new Error('not my server');
    };
    const tls = { caFile: file('ca.crt'), checkServerIdentity };
    expect(await thrownBy(() => connectNats({ servers: server.address, tls }))).toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('not my server'),
    });
  });

  test('files that are replaced while it is connected count from the next connect on', async () => {
    await using server = await startNatsServer({ config: tlsConfig('verify: false') });
    const folder = await mkdtemp(join(tmpdir(), 'ts-micro-ca-'));
    try {
      const caFile = join(folder, 'ca.crt');
      await copyFile(file('ca.crt'), caFile);
      await using connection = await connectNats({ servers: server.address, tls: { caFile } });
      await rm(caFile);
      await server.restart();
      await expect.poll(() => connection.outage?.message, within).toContain('tls.caFile');
      await copyFile(file('other-ca.crt'), caFile);
      await expect.poll(() => connection.outage?.message, within).toContain('certificate');
      await copyFile(file('ca.crt'), caFile);
      await expect.poll(() => connection.state, within).toMatchObject({ status: 'connected', reconnects: 1 });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  test('that the server does not speak says so', async () => {
    await using server = await startNatsServer();
    const tls = { caFile: file('ca.crt'), handshakeFirst: true };
    expect(await thrownBy(() => connectNats({ servers: server.address, tls }))).toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('TLS: the server answered with something else'),
    });
  });

  test('asked for of a server without it is refused instead of going on in the clear', async () => {
    await using server = await startNatsServer();
    const tls = { caFile: file('ca.crt') };
    const error = await thrownBy(() => connectNats({ servers: server.address, tls, connectTimeoutMs: 3000 }));
    expect(error).toMatchObject({ code: 'unsupported' });
  });
});
