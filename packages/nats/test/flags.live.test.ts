import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MicroError } from '@ts-micro/core';
import { connectNats, type NatsPluginOptions, natsPluginFactory, shareConnection } from '@ts-micro/nats';
import { startNatsServer } from '@ts-micro/testkit/nats';
import { nkeys } from 'nats';
import { expect, onTestFinished, test } from 'vitest';
import { makeCertificates } from './certificates.ts';
import { makeJwtAccounts } from './jwt-accounts.ts';

const factory = natsPluginFactory((options) => options);

function file(text: string | Uint8Array): string {
  const folder = mkdtempSync(join(tmpdir(), 'ts-micro-nats-flags-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'file'), text);
  return join(folder, 'file');
}

async function connects(options: NatsPluginOptions): Promise<void> {
  await using connection = await connectNats(options);
  await connection.flush();
}

function errorOf(settings: Readonly<Record<string, string>>): MicroError {
  try {
    factory({ settings });
  } catch (error) {
    if (MicroError.is(error)) return error;
  }
  throw new Error('nothing was thrown');
}

test('every setting is the option of its name, and a setting that was not given is none', () => {
  expect(factory({ addresses: ['a'] })).toEqual({ servers: ['a'] });
  expect(
    factory({
      settings: {
        nats_name: 'n',
        nats_user: 'u',
        nats_password: 'p',
        nats_token: 't',
        nats_tls: 'TRUE',
        nats_inbox_prefix: '_INBOX_app',
        nats_connect_timeout: '1m',
        nats_wait_for_first_connect: '1',
        nats_ping_interval: '500ms',
      },
    }),
  ).toEqual({
    name: 'n',
    user: 'u',
    password: 'p',
    token: 't',
    tls: true,
    inboxPrefix: '_INBOX_app',
    connectTimeoutMs: 60_000,
    waitForFirstConnect: true,
    pingIntervalMs: 500,
  });
});

test('a .creds file is given by its name or as its text', async () => {
  const accounts = makeJwtAccounts();
  const credentials = accounts.credentials();
  await using server = await startNatsServer({ config: accounts.config });
  for (const value of [file(credentials), credentials]) {
    await connects(factory({ addresses: [server.address], settings: { nats_creds: value } }));
  }
});

test('a .creds file that is named is read at every connect, and what is no regular file once', () => {
  const credentials = makeJwtAccounts().credentials();
  const name = file(credentials);
  expect(factory({ settings: { nats_creds: name } })).toEqual({ servers: undefined, credentialsFile: name });
  expect(factory({ settings: { nats_creds: credentials } })).toEqual({ servers: undefined, credentials });
  const pipe = join(name, '..', 'pipe');
  execFileSync('mkfifo', [pipe]);
  const writer = spawn('sh', ['-c', 'cat "$0" > "$1"', name, pipe]);
  onTestFinished(() => void writer.kill());
  expect(factory({ settings: { nats_creds: pipe } })).toEqual({ servers: undefined, credentials });
});

test('the seed of an nkey is given by the name of its file or as itself', async () => {
  const nkey = nkeys.createUser();
  const seed = new TextDecoder().decode(nkey.getSeed());
  await using server = await startNatsServer({ config: `authorization { users: [{ nkey: ${nkey.getPublicKey()} }] }` });
  for (const value of [file(`${seed}\n`), file(`# app\n  ${seed}\r\n`), seed]) {
    await connects(factory({ addresses: [server.address], settings: { nats_nkey: value } }));
  }
});

test('a file of credentials is taken as shells and editors save it, or refused by the name of its encoding', async () => {
  const accounts = makeJwtAccounts();
  const nkey = nkeys.createUser();
  await using jwtServer = await startNatsServer({ config: accounts.config });
  await using nkeyServer = await startNatsServer({
    config: `authorization { users: [{ nkey: ${nkey.getPublicKey()} }] }`,
  });
  const little = (text: string) => Buffer.from(text, 'utf16le');
  for (const [name, text, servers] of [
    ['nats_creds', accounts.credentials().replaceAll('\n', '\r\n'), jwtServer.address],
    ['nats_nkey', `${new TextDecoder().decode(nkey.getSeed())}\r\n`, nkeyServer.address],
  ] as const) {
    const marked = little(`\uFEFF${text}`);
    for (const taken of [Buffer.from(`\uFEFF${text}`), marked, Buffer.from(marked).swap16()])
      await connects(factory({ addresses: [servers], settings: { [name]: file(taken) } }));
    for (const [refused, words] of [
      [little(text), 'it is UTF-16 LE without a byte order mark: save it as UTF-8'],
      [little(text).swap16(), 'it is UTF-16 BE without a byte order mark: save it as UTF-8'],
      [marked.subarray(0, -1), 'it is UTF-16 that was cut: save it as UTF-8'],
      [Buffer.concat([little('\uFEFF'), Buffer.alloc(2)]), 'it is UTF-32: save it as UTF-8'],
    ] as const) {
      const message = `nats: setting ${name} names a file that cannot be read: ${words}`;
      expect(errorOf({ [name]: file(refused) })).toMatchObject({ code: 'invalid', message });
    }
    const credentialsFile = file(little(text));
    await expect(connectNats({ servers, credentialsFile })).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringContaining('cannot be read: it is UTF-16 LE without a byte order mark'),
    });
    const misread = little(text).toString('utf8');
    for (const option of [{ credentials: misread }, { nkeySeed: misread }])
      await expect(connectNats({ servers, ...option })).rejects.toMatchObject({
        code: 'invalid',
        message: expect.stringContaining('is UTF-16 that was read as another encoding'),
      });
  }
});

test('authorities, certificate and key of TLS are given by the names of their files or as PEM texts', async () => {
  using certificates = makeCertificates();
  const { file, pem } = certificates;
  const config = `tls { cert_file: "${file('server.crt')}", key_file: "${file('server.key')}", ca_file: "${file('ca.crt')}", verify: true }`;
  await using server = await startNatsServer({ config });
  for (const value of [file, pem]) {
    const settings = {
      nats_tls_ca: value('ca.crt'),
      nats_tls_cert: value('client.crt'),
      nats_tls_key: value('client.key'),
    };
    await connects(factory({ addresses: [server.address], settings }));
  }
});

test('plugins made with equal settings share one connection, TLS or not', async () => {
  using certificates = makeCertificates();
  const { file } = certificates;
  await using server = await startNatsServer({
    config: `tls { cert_file: "${file('server.crt')}", key_file: "${file('server.key')}" }\nauthorization { user: u, password: p }`,
  });
  const settings = { nats_user: 'u', nats_password: 'p', nats_tls_ca: file('ca.crt') };
  const shared = [1, 2, 3].map(() =>
    shareConnection(factory({ addresses: [server.address], settings: { ...settings } })),
  );
  const connections = await Promise.all(shared.map((each) => each.get()));
  expect(new Set(connections).size).toBe(1);
  const other = shareConnection(
    factory({ addresses: [server.address], settings: { ...settings, nats_name: 'other' } }),
  );
  expect(await other.get()).not.toBe(connections[0]);
  await Promise.all([...shared, other].map((each) => each.release()));
});

test('a setting that is wrong is `invalid` and named, without what it says where that may be a secret', () => {
  const secret = `SU${'A'.repeat(20)}`;
  for (const name of ['nats_creds', 'nats_nkey']) {
    const error = errorOf({ [name]: secret });
    expect(error.code).toBe('invalid');
    expect(error.message).toBe(`nats: setting ${name} is neither the text itself nor the name of a file (ENOENT)`);
  }
  expect(errorOf({ nats_nkey: tmpdir() }).message).toContain('(EISDIR)');
  expect(errorOf({ nats_creds: file('x'.repeat(1024 * 1024 + 1)) }).message).toContain('a file of 1048577 bytes');
  expect(errorOf({ nats_tls_key: 'line\nline' }).message).toBe(
    'nats: setting nats_tls_key is neither a PEM text nor the name of a file',
  );
  expect(errorOf({ nats_tls: 'yes' }).message).toBe('nats: setting nats_tls is "yes", not true or false');
  expect(errorOf({ nats_tls: 'false', nats_tls_ca: 'x' }).message).toContain('nats_tls is false');
  expect(errorOf({ nats_ping_interval: '5' }).message).toBe(
    'nats: setting nats_ping_interval is "5", not a duration such as 500ms or 5s',
  );
});
