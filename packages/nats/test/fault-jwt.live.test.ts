import { connectNats, type NatsState } from '@ts-micro/nats';
import { startNatsServer } from '@ts-micro/testkit/nats';
import { describe, expect, test } from 'vitest';
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
});
