import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectNats, type NatsState } from '@ts-micro/nats';
import { startNatsServer } from '@ts-micro/testkit/nats';
import { describe, expect, onTestFinished, test } from 'vitest';
import { makeJwtAccounts } from './jwt-accounts.ts';
import { recordingLogger } from './recording-logger.ts';
import { thrownBy } from './thrown-by.ts';

describe('JWT credentials', () => {
  test('are accepted, and those of another operator refused with `unauthorized` at once', async () => {
    const accounts = makeJwtAccounts();
    await using server = await startNatsServer({ config: accounts.config });
    await using connection = await connectNats({ servers: server.address, credentials: accounts.credentials() });
    await connection.flush();
    for (const credentials of [makeJwtAccounts().credentials(), undefined]) {
      const error = await thrownBy(() =>
        connectNats({ servers: server.address, credentials, waitForFirstConnect: true }),
      );
      expect(error).toMatchObject({ code: 'unauthorized', message: expect.stringContaining(server.address) });
    }
  });

  test('that forbid a subject say which', async () => {
    const accounts = makeJwtAccounts();
    await using server = await startNatsServer({ config: accounts.config });
    const { logger, lines } = recordingLogger();
    const permissions = { pub: { deny: ['secret.pub'] }, sub: { deny: ['secret.sub'] } };
    const credentials = accounts.credentials({ permissions });
    await using connection = await connectNats({ servers: server.address, credentials, logger });
    const refused = connection.subscribe('secret.sub', { onMessage() {} }).confirm();
    await expect(refused).rejects.toMatchObject({
      code: 'unauthorized',
      message: expect.stringContaining('secret.sub'),
    });
    connection.publish('secret.pub', Buffer.from('hello'));
    await connection.flush();
    await expect.poll(() => lines.map(({ fields }) => fields?.subject)).toContain('secret.pub');
    expect(JSON.stringify(lines)).not.toContain('hello');
  });

  test('that expire later end in `unauthorized` where it is asked for, and nothing hangs', async () => {
    const accounts = makeJwtAccounts();
    await using server = await startNatsServer({ config: accounts.config });
    const { logger, lines } = recordingLogger();
    const credentials = accounts.credentials({ lifetimeSeconds: 2 });
    await using connection = await connectNats({ servers: server.address, credentials, logger });
    const states: NatsState['status'][] = [];
    connection.onStateChange(({ status }) => states.push(status));
    await connection.flush();
    await expect.poll(() => connection.state.status).toBe('reconnecting');
    // Times in a JWT are whole seconds: in the second of the expiry the server may let the client in once more, before
    // it thinks better of it.
    // Both at once, as it is connected for a moment before the server thinks better of it.
    const refusals = async () => [
      await thrownBy(() => connection.ready()),
      await thrownBy(() => connection.publish('a', Buffer.from('a'))),
    ];
    await expect.poll(refusals).toMatchObject([{ code: 'unauthorized' }, { code: 'unavailable' }]);
    expect(states).not.toContain('closed');
    await expect
      .poll(() => lines.some(({ fields }) => (fields?.error as { code?: string })?.code === 'unauthorized'))
      .toBe(true);
  });

  test('in a file are read again at each connect, so that a new JWT follows the one that expires', async () => {
    const accounts = makeJwtAccounts();
    await using server = await startNatsServer({ config: accounts.config });
    const credentialsFile = temporaryFile(accounts.credentials({ lifetimeSeconds: 3 }));
    const { logger, lines } = recordingLogger();
    await using connection = await connectNats({ servers: server.address, credentialsFile, logger });
    await connection.flush();
    writeFileSync(credentialsFile, accounts.credentials());
    const states: NatsState['status'][] = [];
    connection.onStateChange(({ status }) => states.push(status));
    await expect.poll(() => states, { timeout: 15_000 }).toContain('connected');
    await connection.flush();
    expect(lines.filter(({ message }) => message.includes('refused'))).toEqual([]);
    // Half of a file, and then none: those that were read last still hold.
    for (const harm of [() => writeFileSync(credentialsFile, '-----BEGIN'), () => rmSync(credentialsFile)]) {
      harm();
      await server.restart();
      await connection.ready();
      await connection.flush();
    }
    const told = lines.filter(({ message }) => message.includes('credentials not read'));
    expect(told.map(({ fields }) => (fields?.error as Error | undefined)?.message).join()).toContain(
      JSON.stringify(credentialsFile),
    );
  });

  test('in a file that cannot be read are refused at once, and nothing of them is shown', async () => {
    const credentials = makeJwtAccounts().credentials();
    const refused = (credentialsFile: string) => thrownBy(() => connectNats({ credentialsFile }));
    expect(await refused('missing.creds')).toMatchObject({
      code: 'invalid',
      message: 'nats: option credentialsFile "missing.creds" cannot be read: ENOENT',
    });
    expect(await refused(tmpdir())).toMatchObject({ message: expect.stringContaining('not a regular file') });
    const empty = temporaryFile('');
    expect(await refused(empty)).toMatchObject({
      message: `nats: option credentialsFile ${JSON.stringify(empty)} is empty, not the content of a .creds file`,
    });
    const seed = /^SU[A-Z2-7]+$/m.exec(credentials)?.[0] ?? '';
    for (const mistake of [credentials, seed]) {
      const error = await refused(mistake);
      expect(error).toMatchObject({ code: 'invalid', message: expect.stringContaining('no name of a file') });
      expect(String((error as Error).message)).not.toContain(seed);
    }
    const both = await thrownBy(() => connectNats({ credentials, credentialsFile: empty }));
    expect(both).toMatchObject({ code: 'invalid', message: expect.stringContaining('exclude each other') });
  });
});

function temporaryFile(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'ts-micro-nats-creds-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'user.creds'), text);
  return join(folder, 'user.creds');
}
