import { connect, headers } from '@nats-io/transport-node';
import type { BrokerEvent, MicroError } from '@ts-micro/core';
import { connectNats, deliveryInfoOf, JetStreamApi } from '@ts-micro/nats';
import { startChaosProxy, startNatsServer } from '@ts-micro/testkit/nats';
import { expect, test, vi } from 'vitest';
import { type JetStreamBrokerOptions, jetstreamBroker } from '../src/index.ts';

const waiting = { timeout: 20_000, interval: 20 };
const limits = { timeout: 60_000 };

const message = (text: string, headers: Record<string, string> = {}) => ({
  headers,
  body: new TextEncoder().encode(text),
});

const textOf = ({ message: { body } }: BrokerEvent) => new TextDecoder().decode(body);

/** A server with JetStream, and brokers on it with a connection each. */
async function world() {
  const server = await startNatsServer({ jetstream: true });
  let count = 0;
  return {
    server,
    broker: (options: JetStreamBrokerOptions = {}) =>
      jetstreamBroker({ servers: server.address, name: `broker ${++count}`, ...options }),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

test('a member whose connection dies in its handler passes the message on within `ackWaitMs`', limits, async () => {
  await using at = await world();
  const dying = await connect({ servers: at.server.address });
  await using lost = jetstreamBroker({ connection: dying, ackWaitMs: 500, closeTimeoutMs: 100 });
  await using publisher = at.broker();
  const started = vi.fn();
  await lost.subscribe(
    'jobs',
    (event) => {
      started(textOf(event));
      return new Promise(() => {});
    },
    { queue: 'workers' },
  );
  await publisher.publish('jobs', message('work'));
  await vi.waitFor(() => expect(started).toHaveBeenCalledWith('work'), waiting);
  await dying.close();
  await using other = at.broker({ ackWaitMs: 500 });
  const got: (string | number | undefined)[] = [];
  await other.subscribe('jobs', (event) => void got.push(textOf(event), event.delivery), { queue: 'workers' });
  await vi.waitFor(() => expect(got).toEqual(['work', 2]), waiting);
});

test('a handler that runs longer than `ackWaitMs` keeps its message', limits, async () => {
  await using at = await world();
  await using broker = at.broker({ ackWaitMs: 300 });
  await using other = at.broker({ ackWaitMs: 300 });
  const got: string[] = [];
  const handler = async (event: BrokerEvent) => {
    got.push(`${textOf(event)} ${event.delivery}`);
    if (textOf(event) === 'long') await new Promise((resolve) => setTimeout(resolve, 1500));
  };
  for (const each of [broker, other]) await each.subscribe('jobs', handler, { queue: 'workers', concurrency: 2 });
  await broker.publish('jobs', message('long'));
  await vi.waitFor(() => expect(got).toEqual(['long 1']), waiting);
  await broker.close();
  await other.publish('jobs', message('last'));
  await vi.waitFor(() => expect(got).toContain('last 1'), waiting);
  expect(got).toEqual(['long 1', 'last 1']);
});

test('a subscription begins where it is told to', limits, async () => {
  await using at = await world();
  await using broker = at.broker();
  for (const text of ['1', '2', '3']) await broker.publish('jobs', message(text));
  const got: Record<string, string[]> = { all: [], third: [], later: [], queue: [] };
  const into = (name: string) => (event: BrokerEvent) => void got[name]?.push(textOf(event));
  await broker.subscribe('jobs', into('all'), { from: 'all' });
  await broker.subscribe('jobs', into('third'), { from: { sequence: 3 } });
  await broker.subscribe('jobs', into('later'), { from: new Date(Date.now() + 3_600_000) });
  await broker.subscribe('jobs', into('queue'), { from: 'all', queue: 'workers' });
  await vi.waitFor(
    () => expect(got).toEqual({ all: ['1', '2', '3'], third: ['3'], later: [], queue: ['1', '2', '3'] }),
    waiting,
  );
  await expect(broker.subscribe('jobs', () => {}, { from: { sequence: 0 } })).rejects.toMatchObject({
    code: 'invalid',
  });
});

test('topics have streams of their own, with the limits that were asked for', limits, async () => {
  await using at = await world();
  const orders = { name: 'ORDERS', storage: 'memory', maxMessages: 2, discard: 'new' } as const;
  await using broker = at.broker({ streams: { 'orders.>': orders } });
  await broker.publish('orders.paid', message('1'));
  await broker.publish('orders.paid', message('2'));
  await expect(broker.publish('orders.paid', message('3'))).rejects.toMatchObject({ code: 'unavailable' });
  await broker.publish('other', message('4'));
  await expect(broker.subscribe('>', () => {})).rejects.toMatchObject({ code: 'invalid' });
  const got: string[] = [];
  await broker.subscribe('orders.*', (event) => void got.push(`${event.topic} ${textOf(event)}`), { from: 'all' });
  await vi.waitFor(() => expect(got).toEqual(['orders.paid 1', 'orders.paid 2']), waiting);
  await using connection = await connectNats({ servers: at.server.address });
  const api = new JetStreamApi({ connection, what: 'test', timeoutMs: 5000 });
  expect(await api.request('STREAM.INFO.ORDERS')).toMatchObject({
    config: { storage: 'memory', max_msgs: 2, discard: 'new', subjects: ['orders.>'] },
    state: { messages: 2 },
  });
  expect(await api.request('STREAM.INFO.MICRO_EVENTS')).toMatchObject({ state: { messages: 1 } });
  api.close();
});

test('a plain NATS client reads events and publishes them', limits, async () => {
  await using at = await world();
  await using broker = at.broker();
  const got: BrokerEvent[] = [];
  await broker.subscribe('orders.paid', (event) => void got.push(event), { queue: 'billing' });
  const client = await connect({ servers: at.server.address });
  const subscription = client.subscribe('micro.events.>', { max: 1 });
  await client.flush();
  await broker.publish('orders.paid', message('42', { currency: 'EUR' }), { id: 'payment-1' });
  for await (const received of subscription) {
    expect(received.subject).toBe('micro.events.orders.paid');
    expect(received.string()).toBe('42');
    expect(received.headers?.get('currency')).toBe('EUR');
  }
  client.publish('micro.events.orders.paid', 'from a plain client');
  await vi.waitFor(() => expect(got.map(textOf)).toEqual(['42', 'from a plain client']), waiting);
  expect(got[0]?.message.headers).toEqual({ currency: 'EUR' });
  await client.close();
});

test('a header that JetStream would obey is refused', limits, async () => {
  await using at = await world();
  await using broker = at.broker();
  const publishing = broker.publish('jobs', message('x', { 'Nats-Rollup': 'all' }));
  await expect(publishing).rejects.toMatchObject({ code: 'invalid' });
});

test('without `manage` it makes neither streams nor durable consumers', limits, async () => {
  await using at = await world();
  await using guest = at.broker({ manage: false, requestTimeoutMs: 1000 });
  await expect(guest.publish('jobs', message('x'))).rejects.toMatchObject({ code: 'unavailable', retrySafe: true });
  await expect(guest.subscribe('jobs', () => {}, { queue: 'workers' })).rejects.toMatchObject({ code: 'not_found' });
  await using owner = at.broker();
  const first = await owner.subscribe('jobs', () => {}, { queue: 'workers' });
  await first.close();
  const got: string[] = [];
  await guest.subscribe('jobs', (event) => void got.push(textOf(event)), { queue: 'workers' });
  await guest.publish('jobs', message('work'));
  await vi.waitFor(() => expect(got).toEqual(['work']), waiting);
});

test('a consumer and a stream that somebody deletes are made again', limits, async () => {
  await using at = await world();
  // Of a stream with files, nats-server 2.9 removes the folder while the next one of that name is in it already.
  await using broker = at.broker({ stream: { storage: 'memory' } });
  const plain: string[] = [];
  const queued: string[] = [];
  const errors: MicroError[] = [];
  const onError = (error: MicroError) => void errors.push(error);
  await broker.subscribe('jobs', (event) => void plain.push(textOf(event)), { onError });
  await broker.subscribe('jobs', (event) => void queued.push(textOf(event)), { queue: 'workers', onError });
  await broker.publish('jobs', message('before'));
  await vi.waitFor(() => expect([plain, queued]).toEqual([['before'], ['before']]), waiting);
  await using connection = await connectNats({ servers: at.server.address });
  const api = new JetStreamApi({ connection, what: 'test', timeoutMs: 5000 });
  await api.request('STREAM.DELETE.MICRO_EVENTS');
  await vi.waitFor(() => broker.publish('jobs', message('after')), waiting);
  await vi.waitFor(() => expect([plain.at(-1), queued.at(-1)]).toEqual(['after', 'after']), waiting);
  api.close();
});

test.each([
  ['after some had come', ['before']],
  ['before the first one came', []],
])('all of a stream that was made anew during an outage comes, %s', limits, async (_, before) => {
  await using at = await world();
  await using proxy = await startChaosProxy({ target: at.server.address });
  const stream = { storage: 'memory' } as const;
  await using broker = jetstreamBroker({ servers: proxy.address, stream });
  const plain: string[] = [];
  const queued: string[] = [];
  await broker.subscribe('jobs', (event) => void plain.push(textOf(event)));
  await broker.subscribe('jobs', (event) => void queued.push(textOf(event)), { queue: 'workers' });
  for (const text of before) await broker.publish('jobs', message(text));
  await vi.waitFor(() => expect([plain, queued]).toEqual([before, before]), waiting);
  proxy.cut();
  await using connection = await connectNats({ servers: at.server.address });
  const api = new JetStreamApi({ connection, what: 'test', timeoutMs: 5000 });
  await api.request('STREAM.DELETE.MICRO_EVENTS');
  api.close();
  await using other = at.broker({ stream });
  const anew = ['0', '1', '2'];
  for (const text of anew) await other.publish('jobs', message(text));
  proxy.heal();
  const all = [...before, ...anew];
  await vi.waitFor(() => expect([plain, queued]).toEqual([all, all]), waiting);
});

test('what was acknowledged to its publisher is handled through kills of the server', {
  timeout: 120_000,
}, async () => {
  await using at = await world();
  await using publisher = at.broker({ requestTimeoutMs: 2000 });
  await using consumer = at.broker({ ackWaitMs: 2000, prefetch: 64 });
  const handled: string[] = [];
  const options = { queue: 'workers', concurrency: 16, onError: () => {} };
  await consumer.subscribe('jobs', (event) => void handled.push(textOf(event)), options);
  const stored: string[] = [];
  let isOver = false;
  let next = 0;
  const publishing = Array.from({ length: 20 }, async () => {
    while (!isOver) {
      const text = String(next++);
      await publisher.publish('jobs', message(text)).then(
        () => stored.push(text),
        () => new Promise((resolve) => setTimeout(resolve, 50)),
      );
    }
  });
  for (let round = 1; round <= 3; round++) {
    await vi.waitFor(() => expect(stored.length).toBeGreaterThan(round * 300), waiting);
    await at.server.kill();
    await at.server.restart();
  }
  const before = stored.length;
  await vi.waitFor(() => expect(stored.length).toBeGreaterThan(before + 100), waiting);
  isOver = true;
  await Promise.all(publishing);
  const missing = () => {
    const seen = new Set(handled);
    return stored.filter((text) => !seen.has(text));
  };
  await vi.waitFor(() => expect(missing()).toEqual([]), { timeout: 40_000, interval: 100 });
  // This process outlived all of it, and knows what it has done.
  expect(handled.length).toBe(new Set(handled).size);
});

test('a message that comes again while its handler runs is not handled twice at once', limits, async () => {
  await using at = await world();
  await using broker = at.broker({ ackWaitMs: 300 });
  const client = await connect({ servers: at.server.address });
  const answers: string[] = [];
  client.subscribe('$JS.ACK.>', {
    callback: (_, received) => void answers.push(`${received.string()} ${deliveryInfoOf(received.subject)?.delivery}`),
  });
  const subjects = client.subscribe('$JS.ACK.>', { max: 1 });
  await client.flush();
  const started = vi.fn();
  let finish = () => {};
  const handler = (event: BrokerEvent) => {
    started(textOf(event), event.delivery);
    return new Promise<void>((resolve) => {
      finish = resolve;
    });
  };
  await broker.subscribe('jobs', handler, { queue: 'workers', concurrency: 2 });
  await broker.publish('jobs', message('work'));
  for await (const { subject } of subjects) client.publish(subject, '-NAK');
  await vi.waitFor(() => expect(answers).toContain('+WPI 2'), waiting);
  finish();
  await vi.waitFor(() => expect(answers).toContain('+ACK 2'), waiting);
  expect(started.mock.calls).toEqual([['work', 1]]);
  await client.close();
});

test(
  'what kills its members goes to the dead-letter topic, and what was in hand with it is not lost',
  limits,
  async () => {
    await using at = await world();
    await using watcher = at.broker();
    const dead: string[] = [];
    await watcher.subscribe('dead-letter.jobs', (event) => void dead.push(textOf(event)));
    const texts = ['1', '2', 'poison', '3', '4'];
    const handled = new Set<string>();
    let runs = 0;
    const options = { queue: 'workers', concurrency: 5, redelivery: { maxDeliveries: 3 }, onError: () => {} };
    for (let life = 1; !dead.includes('poison'); life++) {
      expect(life).toBeLessThan(20);
      const dying = await connect({ servers: at.server.address });
      await using member = jetstreamBroker({ connection: dying, ackWaitMs: 200, closeTimeoutMs: 50 });
      let isDead = false;
      const handler = async (event: BrokerEvent) => {
        if (textOf(event) === 'poison') {
          runs++;
          isDead = true;
        }
        await new Promise((resolve) => setTimeout(resolve, 20));
        // What is dead says nothing any more.
        if (isDead) await new Promise(() => {});
        handled.add(textOf(event));
      };
      await member.subscribe('jobs', handler, options);
      if (life === 1) for (const text of texts) await watcher.publish('jobs', message(text));
      await vi.waitFor(() => expect(isDead || dead.includes('poison')).toBe(true), waiting);
      if (!isDead) await member.close();
      await dying.close();
    }
    expect(runs).toBeLessThanOrEqual(3);
    await using last = at.broker({ ackWaitMs: 200 });
    await last.subscribe('jobs', (event) => void handled.add(textOf(event)), options);
    // On a machine that is too busy to say in time that it works, one comes more often than the others, and its last
    // handler may be running when the poison's begins.
    const settled = () => [...new Set([...handled, ...dead])].sort();
    await vi.waitFor(() => expect(settled()).toEqual([...texts].sort()), waiting);
  },
);

test(
  'a plain subscription holds as many bytes as it may, and the others come once some were handled',
  limits,
  async () => {
    await using at = await world();
    await using broker = at.broker({ maxPendingBytes: 50_000, from: 'all' });
    await using connection = await connectNats({ servers: at.server.address });
    const api = new JetStreamApi({ connection, what: 'test', timeoutMs: 5000 });
    const consumers = async () => {
      const { consumers: names } = (await api.request('CONSUMER.NAMES.MICRO_EVENTS')) as { consumers?: string[] };
      return names ?? [];
    };
    const sent = Array.from({ length: 40 }, (_, number) => `${number} ${'x'.repeat(10_000)}`);
    for (const text of sent) await broker.publish('large', message(text));
    let open: () => void = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const got: string[] = [];
    await broker.subscribe('large', async (event) => {
      await gate;
      got.push(textOf(event));
    });
    const [first] = await consumers();
    open();
    await vi.waitFor(() => expect(got).toHaveLength(sent.length), waiting);
    expect(got).toEqual(sent);
    // What it had no room for came by another consumer, which begins behind what it had taken.
    expect(first).toBeDefined();
    await vi.waitFor(async () => expect(await consumers()).not.toContain(first), waiting);
  },
);

test(
  'what others store that no broker could publish leaves the queue, however often handlers fail',
  limits,
  async () => {
    await using at = await world();
    await using broker = at.broker();
    const good: string[] = [];
    const letters: BrokerEvent[] = [];
    const onError = vi.fn();
    const handler = (event: BrokerEvent) => {
      if (textOf(event) !== 'good') throw new Error('no');
      good.push(textOf(event));
    };
    const redelivery = { maxDeliveries: 1 };
    await broker.subscribe('jobs', handler, { queue: 'workers', redelivery, onError });
    await broker.subscribe('dead-letter.jobs', (event) => void letters.push(event), { queue: 'undertakers' });
    const stranger = await connect({ servers: at.server.address, noAsyncTraces: true });
    const odd = headers();
    odd.set('a(b', 'c');
    stranger.publish('micro.events.jobs', 'odd', { headers: odd });
    stranger.publish('micro.events.jobs', new Uint8Array(1024 * 1024 - 10));
    await stranger.flush();
    await broker.publish('jobs', message('good'));
    await vi.waitFor(() => expect([letters.length, good]).toEqual([2, ['good']]), waiting);
    expect(letters.map((letter) => letter.message.headers['Dead-Letter-Without'])).toEqual([
      'headers',
      `headers and ${1024 * 1024 - 10} bytes`,
    ]);
    expect(letters.map(({ message: { body } }) => body.length)).toEqual([3, 0]);
    await stranger.close();
  },
);
