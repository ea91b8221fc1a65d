import { connectNats, shareConnection } from '@ts-micro/nats';
import { startNatsServer } from '@ts-micro/testkit/nats';
import { connect } from 'nats';
import { describe, expect, test } from 'vitest';
import { thrownBy } from './thrown-by.ts';

describe('a shared connection', () => {
  test('is made once for equal options, and closed by the last to release it', async () => {
    await using server = await startNatsServer();
    const one = shareConnection({ servers: server.url });
    const other = shareConnection({ servers: [server.address], logger: undefined });
    expect(one.current).toBeUndefined();
    expect(one.address).toBe(server.address);
    expect(one.addresses).toEqual([server.address]);
    const [connection, same, again] = await Promise.all([one.get(), other.get(), one.get()]);
    expect(same).toBe(connection);
    expect(again).toBe(connection);
    expect(one.current).toBe(connection);
    await expect.poll(async () => (await server.counts()).connections).toBe(1);
    await one.release();
    await one.release();
    expect(one.current).toBeUndefined();
    await connection.flush();
    await other.release();
    expect(connection.state.status).toBe('closed');
    await expect.poll(async () => (await server.counts()).connections).toBe(0);
  });

  test('is not shared where options differ', async () => {
    await using server = await startNatsServer();
    const leases = [
      shareConnection({ servers: server.url }),
      shareConnection({ servers: server.url, name: 'other' }),
      shareConnection({ servers: server.url, inboxPrefix: '_INBOX.other' }),
    ];
    const connections = await Promise.all(leases.map((lease) => lease.get()));
    expect(new Set(connections).size).toBe(3);
    await Promise.all(leases.map((lease) => lease.release()));
  });

  test('is made anew after a release', async () => {
    await using server = await startNatsServer();
    const lease = shareConnection({ servers: server.url });
    const first = await lease.get();
    await lease.release();
    const second = await lease.get();
    expect(second).not.toBe(first);
    await second.flush();
    await lease.release();
  });

  test('is made anew after it was closed', async () => {
    await using server = await startNatsServer();
    const lease = shareConnection({ servers: server.url });
    await (await lease.get()).close();
    await (await lease.get()).flush();
    await lease.release();
    await expect.poll(async () => (await server.counts()).connections).toBe(0);
  });

  test('that could not be made is tried again by the next', async () => {
    await using server = await startNatsServer();
    await server.stop();
    const lease = shareConnection({ servers: server.url });
    const failures = await Promise.all([thrownBy(() => lease.get()), thrownBy(() => lease.get())]);
    expect(failures).toMatchObject([{ code: 'unavailable' }, { code: 'unavailable' }]);
    await server.restart();
    await (await lease.get()).flush();
    await lease.release();
  });

  test('is still made for others when one of them gives up waiting', async () => {
    await using server = await startNatsServer();
    const lease = shareConnection({ servers: server.url });
    const other = shareConnection({ servers: server.url });
    const impatient = thrownBy(() => lease.get({ signal: AbortSignal.abort() }));
    const connection = await other.get();
    expect(await impatient).toMatchObject({ code: 'canceled' });
    expect(await lease.get()).toBe(connection);
    await Promise.all([lease.release(), other.release()]);
    expect(connection.state.status).toBe('closed');
  });

  test('released while it is being made ends that wait with `closed` and leaves nothing behind', async () => {
    await using server = await startNatsServer();
    const lease = shareConnection({ servers: server.url });
    const waiting = thrownBy(() => lease.get());
    await lease.release();
    expect(await waiting).toMatchObject({ code: 'closed' });
    await expect.poll(async () => (await server.counts()).connections).toBe(0);
  });

  test('released by one while it is being made goes on for another', async () => {
    await using server = await startNatsServer();
    const lease = shareConnection({ servers: server.url });
    const other = shareConnection({ servers: server.url });
    const [waiting, connecting] = [thrownBy(() => lease.get()), other.get()];
    await lease.release();
    await (await connecting).flush();
    expect(await waiting).toMatchObject({ code: 'closed' });
    await other.release();
  });
});

describe('a borrowed connection', () => {
  test('of ours is given as it is and never closed', async () => {
    await using server = await startNatsServer();
    await using connection = await connectNats({ servers: server.url });
    const lease = shareConnection({ connection });
    expect(lease.current).toBeUndefined();
    expect(await lease.get()).toBe(connection);
    expect(lease.current).toBe(connection);
    expect(lease.address).toBe(server.address);
    expect(lease.addresses).toEqual([server.address]);
    await lease.release();
    expect(lease.current).toBeUndefined();
    await connection.flush();
  });

  test('is given at once in an outage, so that who uses it is refused and does not wait', async () => {
    await using server = await startNatsServer();
    await using connection = await connectNats({ servers: server.url, connectTimeoutMs: 60_000 });
    await server.kill();
    await expect.poll(() => connection.state.status).toBe('reconnecting');
    expect(await shareConnection({ connection }).get()).toBe(connection);
    await server.restart();
  });

  test('of the client is wrapped once and never closed', async () => {
    await using server = await startNatsServer();
    const vendor = await connect({ servers: server.url });
    const [one, other] = [shareConnection({ connection: vendor }), shareConnection({ connection: vendor })];
    expect(await one.get()).toBe(await other.get());
    await Promise.all([one.release(), other.release()]);
    await vendor.flush();
    await vendor.close();
    expect(await thrownBy(() => one.get())).toMatchObject({ code: 'closed' });
  });

  test('excludes `servers`, and must be a connection', () => {
    const connection = {} as Awaited<ReturnType<typeof connectNats>>;
    expect(thrownBy(() => shareConnection({ connection }))).toMatchObject({ code: 'invalid' });
    expect(thrownBy(() => shareConnection({ connection, servers: 'a' }))).toMatchObject({ code: 'invalid' });
    expect(thrownBy(() => shareConnection({ connection: null as never }))).toMatchObject({ code: 'invalid' });
  });
});

test('options are checked at once', () => {
  expect(thrownBy(() => shareConnection({ servers: 'ws://a' }))).toMatchObject({ code: 'invalid' });
});
