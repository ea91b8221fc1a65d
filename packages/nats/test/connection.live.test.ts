import { createConnection } from 'node:net';
import { connectNats, type NatsConnection, type NatsMessage, type NatsState } from '@ts-micro/nats';
import { startChaosProxy, startNatsCluster, startNatsServer } from '@ts-micro/testkit/nats';
import { describe, expect, test } from 'vitest';
import { recordingLogger } from './recording-logger.ts';
import { thrownBy } from './thrown-by.ts';

const bytes = (text: string) => Buffer.from(text);

describe('messages', () => {
  test('arrive with subject, reply, headers and data', async () => {
    await using server = await startNatsServer();
    await using connection = await connectNats({ servers: server.url });
    const received: NatsMessage[] = [];
    const subscription = connection.subscribe('a.*', { onMessage: (message) => received.push(message) });
    await subscription.confirm();
    connection.publish('a.b', bytes('hello'), { reply: 'r', headers: { 'Micro-ID': '7', empty: '', u: 'ü' } });
    connection.publish('a.c', bytes(''));
    await connection.flush();
    expect(
      received.map((message) => [message.subject, message.reply, String(message.data), message.headers()]),
    ).toEqual([
      ['a.b', 'r', 'hello', { 'Micro-ID': '7', empty: '', u: 'ü' }],
      ['a.c', undefined, '', {}],
    ]);
    expect(received.map((message) => message.status)).toEqual([0, 0]);
  });

  test('that are kept stay as they came, whatever is read after them, here and on another connection', async () => {
    await using server = await startNatsServer();
    await using one = await connectNats({ servers: server.url });
    await using other = await connectNats({ servers: server.url });
    const sizes = [0, 1, 100, 1000, 10_000, 20_000, 100_000, 700_000];
    const bodyOf = (index: number) => Buffer.alloc(sizes[(index * 7) % sizes.length] as number, `<${index}>`);
    const kept: NatsMessage[] = [];
    for (const connection of [one, other])
      await connection.subscribe('a', { onMessage: (message) => kept.push(message) }).confirm();
    const count = 400;
    for (let index = 0; index < count; index++) {
      one.publish('a', bodyOf(index), { headers: { index: String(index) } });
      if (index % 20 === 0) await one.flush();
    }
    for (const connection of [one, other]) await connection.flush();
    expect(kept).toHaveLength(2 * count);
    const changed = kept.filter((message) => !bodyOf(Number(message.headers().index)).equals(message.data));
    expect(changed).toEqual([]);
  });

  test('of a queue go to one member', async () => {
    await using server = await startNatsServer();
    await using connection = await connectNats({ servers: server.url });
    const counts = [0, 0];
    for (const index of [0, 1]) {
      const onMessage = () => {
        counts[index] = (counts[index] ?? 0) + 1;
      };
      await connection.subscribe('work', { queue: 'workers', onMessage }).confirm();
    }
    for (let index = 0; index < 100; index++) connection.publish('work', bytes('x'));
    await connection.flush();
    expect((counts[0] ?? 0) + (counts[1] ?? 0)).toBe(100);
  });

  test('to nobody come back as a message with status 503', async () => {
    await using server = await startNatsServer();
    await using connection = await connectNats({ servers: server.url });
    const inbox = connection.newInbox();
    const received: NatsMessage[] = [];
    connection.subscribe(inbox, { onMessage: (message) => received.push(message) });
    connection.publish('nobody', bytes('hello'), { reply: inbox });
    await connection.flush();
    expect(received.map(({ status, data }) => ({ status, size: data.length }))).toEqual([{ status: 503, size: 0 }]);
  });

  test('larger than the server takes are refused, and the connection stays usable', async () => {
    await using server = await startNatsServer({ config: 'max_payload: 1000' });
    await using connection = await connectNats({ servers: server.url });
    expect(connection.maxPayload).toBe(1000);
    connection.publish('a', new Uint8Array(1000));
    expect(thrownBy(() => connection.publish('a', new Uint8Array(1001)))).toMatchObject({ code: 'too_large' });
    const withHeaders = () => connection.publish('a', new Uint8Array(990), { headers: { a: 'b' } });
    expect(thrownBy(withHeaders)).toMatchObject({ code: 'too_large' });
    await connection.flush();
    expect(connection.state.reconnects).toBe(0);
  });

  test('go on after a callback that throws, which is logged', async () => {
    await using server = await startNatsServer();
    const { logger, lines } = recordingLogger();
    await using connection = await connectNats({ servers: server.url, logger });
    const received: string[] = [];
    connection.subscribe('a', {
      onMessage(message) {
        received.push(String(message.data));
        throw new Error('boom');
      },
    });
    for (const text of ['one', 'two']) connection.publish('a', bytes(text));
    await connection.flush();
    expect(received).toEqual(['one', 'two']);
    expect(lines).toMatchObject([{ level: 'error' }, { level: 'error', fields: { subject: 'a' } }]);
  });

  test('do not arrive after `unsubscribe`', async () => {
    await using server = await startNatsServer();
    await using connection = await connectNats({ servers: server.url });
    const received: string[] = [];
    const subscription = connection.subscribe('a', {
      onMessage(message) {
        received.push(String(message.data));
        subscription.unsubscribe();
        subscription.unsubscribe();
      },
    });
    for (const text of ['one', 'two']) connection.publish('a', bytes(text));
    await connection.flush();
    expect(received).toEqual(['one']);
    expect(await thrownBy(() => subscription.confirm())).toMatchObject({ code: 'closed' });
  });
});

test('`newInbox` gives fresh subjects under the prefix', async () => {
  await using server = await startNatsServer();
  await using connection = await connectNats({ servers: server.url, inboxPrefix: '_INBOX.ann' });
  const inboxes = new Set(Array.from({ length: 1000 }, () => connection.newInbox()));
  expect(inboxes.size).toBe(1000);
  for (const inbox of inboxes) expect(inbox).toMatch(/^_INBOX\.ann\.[0-9A-Za-z]{22}$/);
  expect(connection.newInbox('other')).toMatch(/^other\.[0-9A-Za-z]{22}$/);
});

describe('an outage', () => {
  test('is seen, refuses publishes, and ends within a second of the return of the server', async () => {
    await using server = await startNatsServer();
    const { logger, lines } = recordingLogger();
    await using connection = await connectNats({ servers: server.url, logger });
    const states: NatsState['status'][] = [];
    connection.onStateChange((state) => states.push(state.status));
    const received: string[] = [];
    const onMessage = (message: NatsMessage) => received.push(String(message.data));
    await connection.subscribe('a', { queue: 'q', onMessage }).confirm();
    await connection.subscribe('a', { queue: 'q', onMessage }).confirm();
    await server.kill();
    await expect.poll(() => connection.state.status).toBe('reconnecting');
    const refused = thrownBy(() => connection.publish('a', bytes('lost')));
    expect(refused).toMatchObject({ code: 'unavailable', retrySafe: true });
    expect(String(refused)).toContain(server.address);
    expect(await thrownBy(() => connection.flush())).toMatchObject({ code: 'unavailable' });
    const meanwhile = connection.subscribe('b', { onMessage });
    expect(await thrownBy(() => meanwhile.confirm())).toMatchObject({ code: 'unavailable' });
    await server.restart();
    await connection.ready();
    for (const subject of ['a', 'b']) connection.publish(subject, bytes(subject));
    await connection.flush();
    expect(received).toEqual(['a', 'b']);
    expect(connection.state).toMatchObject({ status: 'connected', reconnects: 1, server: server.address });
    expect(states).toEqual(['reconnecting', 'connected']);
    const told = lines.map((line) => line.message);
    expect(told.filter((message) => message !== 'nats server not reached')).toEqual([
      'nats disconnected',
      'nats reconnected',
    ]);
  });

  test('rejects a flush that it breaks', async () => {
    await using server = await startNatsServer();
    await using proxy = await startChaosProxy({ target: server.address });
    await using connection = await connectNats({ servers: proxy.address });
    proxy.stall();
    const broken = thrownBy(() => connection.flush());
    const aborted = thrownBy(() => connection.flush({ signal: AbortSignal.timeout(50) }));
    expect(await aborted).toMatchObject({ code: 'timeout' });
    proxy.cut();
    expect(await broken).toMatchObject({ code: 'unavailable' });
  });

  test('with which a server answers what it does not take is told in its words to who waits', async () => {
    await using server = await startNatsServer({ config: 'max_control_line: 256' });
    await using connection = await connectNats({ servers: server.url });
    const subscription = connection.subscribe(`a.${'b'.repeat(400)}`, { onMessage() {} });
    const error = await thrownBy(() => subscription.confirm());
    expect(error).toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/the connection was lost.*maximum control line exceeded/),
    });
    subscription.unsubscribe();
  });

  test('longer than a wait for its end rejects that with `unavailable`, or as the signal aborts', async () => {
    await using server = await startNatsServer();
    await using connection = await connectNats({ servers: server.url, connectTimeoutMs: 300 });
    await server.kill();
    await expect.poll(() => connection.state.status).toBe('reconnecting');
    expect(await thrownBy(() => connection.ready())).toMatchObject({ code: 'unavailable' });
    const aborted = await thrownBy(() => connection.ready({ signal: AbortSignal.timeout(50) }));
    expect(aborted).toMatchObject({ code: 'timeout' });
  });

  test('without a word is found by pings', async () => {
    await using server = await startNatsServer();
    await using connection = await connectNats({ servers: server.url, pingIntervalMs: 100, connectTimeoutMs: 500 });
    server.suspend();
    await expect.poll(() => connection.state.status, { timeout: 3000 }).toBe('reconnecting');
    server.resume();
    await connection.ready({ signal: AbortSignal.timeout(10_000) });
    await connection.flush();
  });

  test('without a word is found also while much is being written', async () => {
    await using server = await startNatsServer();
    await using proxy = await startChaosProxy({ target: server.address });
    await using connection = await connectNats({ servers: proxy.address, pingIntervalMs: 200 });
    server.suspend();
    const chunk = new Uint8Array(512 * 1024);
    for (let count = 0; count < 64; count++) connection.publish('a', chunk);
    await expect.poll(() => connection.state.status).toBe('reconnecting');
    server.resume();
    await connection.ready({ signal: AbortSignal.timeout(10_000) });
  });

  test('is told to listeners until they are removed, and one that throws or rejects does no harm', async () => {
    await using server = await startNatsServer();
    await using connection = await connectNats({ servers: server.url });
    const heard = { one: 0, two: 0 };
    connection.onStateChange(() => {
      throw new Error('boom');
    });
    connection.onStateChange(async () => {
      throw new Error('boom');
    });
    const listener = () => heard.one++;
    const remove = connection.onStateChange(listener);
    connection.onStateChange(() => heard.two++);
    await server.restart();
    await connection.ready({ signal: AbortSignal.timeout(10_000) });
    await expect.poll(() => heard).toEqual({ one: 2, two: 2 });
    remove();
    await server.restart();
    await expect.poll(() => heard).toEqual({ one: 2, two: 4 });
  });
});

describe('permissions', () => {
  const config = `authorization { users: [{ user: ann, password: x, permissions: {
    publish: { deny: ["secret.>"] }, subscribe: { deny: ["secret.>"] } } }] }`;

  test('refuse a subscription by name, to `confirm` and to `onError`', async () => {
    await using server = await startNatsServer({ config });
    await using connection = await connectNats({ servers: server.url, user: 'ann', password: 'x' });
    const errors: Error[] = [];
    const options = { onMessage() {}, onError: (error: Error) => errors.push(error) };
    const refused = connection.subscribe('secret.a', options);
    const error = await thrownBy(() => refused.confirm());
    expect(error).toMatchObject({ code: 'unauthorized' });
    expect(String(error)).toContain('secret.a');
    expect(errors).toEqual([error]);
    await connection.subscribe('open.a', options).confirm();
    expect(await thrownBy(() => refused.confirm())).toBe(error);
    expect(errors).toHaveLength(1);
  });

  test('refuse a subscription, which is logged where nobody else hears of it', async () => {
    await using server = await startNatsServer({ config });
    const { logger, lines } = recordingLogger();
    await using connection = await connectNats({ servers: server.url, user: 'ann', password: 'x', logger });
    connection.subscribe('secret.a', { onMessage() {} });
    await connection.flush();
    expect(lines).toMatchObject([{ level: 'warn', fields: { error: { code: 'unauthorized' } } }]);
    expect(String(lines[0]?.fields?.error)).toContain('secret.a');
  });

  test('refuse a publish, which is logged once for each subject', async () => {
    await using server = await startNatsServer({ config });
    const { logger, lines } = recordingLogger();
    await using connection = await connectNats({ servers: server.url, user: 'ann', password: 'x', logger });
    for (let count = 0; count < 5; count++) connection.publish('secret.a', bytes('x'));
    connection.publish('secret.b', bytes('x'));
    await connection.flush();
    await expect
      .poll(() => lines)
      .toMatchObject([
        { level: 'warn', fields: { subject: 'secret.a', error: { code: 'unauthorized' } } },
        { level: 'warn', fields: { subject: 'secret.b' } },
      ]);
    expect(connection.state.reconnects).toBe(0);
  });
});

test('refused publishes on ever new subjects, which peers may choose, are told in part', async () => {
  await using server = await startNatsServer({
    config: 'authorization { users: [ { user: a, password: x, permissions: { publish: ["ok"] } } ] }',
  });
  const { logger, lines } = recordingLogger();
  const connection = await connectNats({ servers: server.url, user: 'a', password: 'x', logger });
  for (let count = 0; count < 500; count++) connection.publish(`s.${count}.${'y'.repeat(1000)}`, bytes('x'));
  await connection.flush();
  await connection.close();
  const told = lines.map(({ fields }) => ({
    leftOut: Number(fields?.leftOut ?? 0),
    text: `${fields?.error} ${fields?.subject}`,
  }));
  expect(told.length).toBeLessThan(50);
  expect(told.reduce((sum, { leftOut }) => sum + leftOut + 1, 0)).toBe(500);
  for (const { text } of told) expect(text.length).toBeLessThan(600);
});

describe('closing', () => {
  test('refuses everything afterwards with `closed`', async () => {
    await using server = await startNatsServer();
    const connection = await connectNats({ servers: server.url });
    const states: NatsState['status'][] = [];
    connection.onStateChange((state) => states.push(state.status));
    await Promise.all([connection.close(), connection.close()]);
    expect(await connection.closed).toBeUndefined();
    expect(states).toEqual(['draining', 'closed']);
    expect(connection.state.status).toBe('closed');
    for (const act of everything(connection)) expect(await thrownBy(act)).toMatchObject({ code: 'closed' });
    await expect.poll(async () => (await server.counts()).connections).toBe(0);
  });

  test('lets out what was published and in what has arrived', async () => {
    await using server = await startNatsServer();
    await using listener = await connectNats({ servers: server.url });
    const connection = await connectNats({ servers: server.url });
    let own = 0;
    let others = 0;
    await listener.subscribe('a', { onMessage: () => others++ }).confirm();
    await connection.subscribe('a', { onMessage: () => own++ }).confirm();
    for (let count = 0; count < 1000; count++) connection.publish('a', bytes('x'));
    await connection.close();
    expect(own).toBe(1000);
    await expect.poll(() => others).toBe(1000);
  });

  test('ends in time though the server does not answer', async () => {
    await using server = await startNatsServer();
    await using proxy = await startChaosProxy({ target: server.address });
    const connection = await connectNats({ servers: proxy.address });
    proxy.stall();
    const signal = AbortSignal.timeout(200);
    await connection.close({ signal });
    const cause = await connection.closed;
    expect(cause).toMatchObject({ code: 'timeout' });
    // It was this signal and no bound of its own.
    expect(cause?.cause).toBe(signal.reason);
    proxy.heal();
    await expect.poll(async () => (await server.counts()).connections).toBe(0);
  });

  test('ends at once when the connection breaks meanwhile', async () => {
    await using server = await startNatsServer();
    await using proxy = await startChaosProxy({ target: server.address });
    const connection = await connectNats({ servers: proxy.address });
    proxy.stall();
    const closing = connection.close();
    proxy.cut();
    await closing;
    expect(await connection.closed).toMatchObject({ code: 'unavailable' });
  });

  test('during an outage ends waits and leaves nothing behind', async () => {
    await using server = await startNatsServer();
    await using proxy = await startChaosProxy({ target: server.address });
    const connection = await connectNats({ servers: proxy.address });
    proxy.halfOpen();
    proxy.drop();
    await expect.poll(() => connection.state.status).toBe('reconnecting');
    const waiting = thrownBy(() => connection.ready({ signal: AbortSignal.timeout(10_000) }));
    await expect.poll(() => proxy.links).toBe(1);
    await connection.close();
    expect(await waiting).toMatchObject({ code: 'closed' });
    proxy.heal();
    await expect.poll(async () => (await server.counts()).connections).toBe(0);
    await expect.poll(() => proxy.links).toBe(0);
  });
});

test('a server in lame duck mode is left for another', async () => {
  await using cluster = await startNatsCluster({ config: 'lame_duck_duration: "30s"\nlame_duck_grace_period: "20s"' });
  await using connection = await connectNats({ servers: cluster.servers });
  const first = cluster.nodes.find((node) => node.address === connection.address);
  first?.signal('SIGUSR2');
  await expect.poll(() => connection.state).toMatchObject({ status: 'connected', reconnects: 1 });
  expect(connection.address).not.toBe(first?.address);
  await connection.flush();
});

test('the last server of a cluster in lame duck mode is kept until another is there', { timeout: 30_000 }, async () => {
  const config = 'lame_duck_duration: "60s"\nlame_duck_grace_period: "50s"';
  await using cluster = await startNatsCluster({ config });
  await using connection = await connectNats({ servers: cluster.servers });
  const last = cluster.nodes.find((node) => node.address === connection.address);
  const others = cluster.nodes.filter((node) => node !== last);
  await Promise.all(others.map((node) => node.kill()));
  const isTold = new Promise<void>((resolve) => {
    const raw = createConnection(Number(last?.address.split(':')[1]), '127.0.0.1');
    let heard = '';
    raw.on('data', (chunk) => {
      const wasAnswered = heard.includes('PONG');
      heard += String(chunk);
      // A client is told only after its first PING was answered.
      if (!wasAnswered && heard.includes('PONG')) last?.signal('SIGUSR2');
      if (!heard.includes('"ldm":true')) return;
      raw.destroy();
      resolve();
    });
    raw.write('CONNECT {"verbose":false,"protocol":1}\r\nPING\r\n');
  });
  await isTold;
  for (let count = 0; count < 10; count++) await connection.flush();
  expect(connection.state).toMatchObject({ status: 'connected', reconnects: 0 });
  await others[0]?.restart();
  await expect.poll(() => connection.state, { timeout: 15_000 }).toMatchObject({ status: 'connected', reconnects: 1 });
  expect(connection.address).toBe(others[0]?.address);
});

test('servers of a cluster are learnt', async () => {
  await using cluster = await startNatsCluster();
  await using connection = await connectNats({ servers: cluster.urls[0] });
  const addresses = cluster.nodes.map((node) => node.address).sort();
  await expect.poll(() => [...connection.state.servers].sort()).toEqual(addresses);
});

function everything(connection: NatsConnection): readonly (() => Promise<unknown>)[] {
  return [
    async () => connection.publish('a', bytes('x')),
    async () => connection.subscribe('a', { onMessage() {} }),
    () => connection.flush(),
    () => connection.ready(),
  ];
}
