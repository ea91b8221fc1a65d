import { randomUUID } from 'node:crypto';
import type { BrokerEvent, Logger, MicroError } from '@ts-micro/core';
import { silentLogger } from '@ts-micro/core';
import { memoryBroker, memoryNetwork } from '@ts-micro/memory';
import { expect, test, vi } from 'vitest';
import { text, textOf, turns } from './pair.ts';

const never = new Promise<never>(() => {});

/** A handler that notes the topics or texts it is given. */
function notes(): { seen: string[]; note: (event: BrokerEvent) => void } {
  const seen: string[] = [];
  return { seen, note: ({ message }) => void seen.push(textOf(message) ?? '') };
}

test('it says what it is, what it supports and what it was made with', async () => {
  await using broker = memoryBroker({ closeTimeoutMs: 500 });
  expect(broker).toMatchObject({ name: 'memory', address: '' });
  const durability = { durableQueues: false, redelivery: false };
  expect(broker.supports).toEqual({ queues: true, wildcards: true, maxBodyBytes: 64 * 1024 * 1024, ...durability });
  expect(broker.options).toEqual({
    addresses: [],
    maxBodyBytes: 64 * 1024 * 1024,
    maxQueuedMessages: 65_536,
    maxQueuedBytes: 67_108_864,
    closeTimeoutMs: 500,
    durable: false,
  });
  await using durable = memoryBroker({ durable: true });
  expect(durable.supports).toMatchObject({ durableQueues: true, redelivery: true });
});

test('a member that closes while a message waits for the event loop to turn passes it on', async () => {
  await using broker = memoryBroker({ network: memoryNetwork(), durable: true });
  const { seen, note } = notes();
  let leave = () => {};
  const handler = (event: BrokerEvent) => {
    note(event);
    // Longer than a turn may last, so that the next message waits.
    for (const end = performance.now() + 60; performance.now() < end; );
    leave();
  };
  const leaving = await broker.subscribe('a.b', handler, { queue: 'workers' });
  const left = new Promise<void>((resolve) => {
    // The loop turns after the second message at the earliest: it is then that others get their turn.
    leave = () => setImmediate(() => resolve(leaving.close()));
  });
  const all = ['1', '2', '3', '4', '5', '6', '7', '8'];
  await Promise.all([left, ...all.map((each) => broker.publish('a.b', text(each)))]);
  expect(seen.length).toBeLessThan(all.length);
  await broker.subscribe('a.b', note, { queue: 'workers' });
  await vi.waitFor(() => expect(seen).toEqual(all));
});

test('a durable queue that is full refuses what is published, and loses none of what it has', async () => {
  await using broker = memoryBroker({ network: memoryNetwork(), durable: true, maxQueuedMessages: 3 });
  const member = await broker.subscribe('a.b', () => {}, { queue: 'workers' });
  await member.close();
  const publish = (text: string) => broker.publish('a.b', { headers: {}, body: new TextEncoder().encode(text) });
  for (const text of ['1', '2', '3']) await publish(text);
  await expect(publish('4')).rejects.toMatchObject({ code: 'unavailable', retrySafe: true });
  const bodies: string[] = [];
  const done = deferred();
  await broker.subscribe(
    'a.b',
    ({ message }) => {
      if (bodies.push(new TextDecoder().decode(message.body)) === 3) done.resolve();
    },
    { queue: 'workers' },
  );
  await done.promise;
  expect(bodies).toEqual(['1', '2', '3']);
});

test('a durable queue with as many bytes as it may have refuses what is published, until some were handled', async () => {
  await using broker = memoryBroker({ network: memoryNetwork(), durable: true, maxQueuedBytes: 1000 });
  const member = await broker.subscribe('a.b', () => {}, { queue: 'workers' });
  await member.close();
  const publish = () => broker.publish('a.b', { headers: {}, body: new Uint8Array(2000) });
  await publish();
  await expect(publish()).rejects.toMatchObject({ code: 'unavailable', message: expect.stringContaining('bytes') });
  let handled = 0;
  await broker.subscribe('a.b', () => void handled++, { queue: 'workers' });
  await vi.waitFor(() => expect(handled).toBe(1));
  await publish();
  await vi.waitFor(() => expect(handled).toBe(2));
});

test.each(['maxBodyBytes', 'maxQueuedMessages', 'maxQueuedBytes', 'closeTimeoutMs'])(
  'an option %s of -1 is invalid',
  (name) => {
    expect(() => memoryBroker({ [name]: -1 })).toThrow(
      expect.objectContaining({ code: 'invalid', message: expect.stringContaining(`${name} is -1`) }),
    );
  },
);

test('brokers without a network meet on that of the process', async () => {
  await using here = memoryBroker();
  await using there = memoryBroker();
  const { seen, note } = notes();
  const topic = randomUUID();
  await here.subscribe(topic, note);
  await there.publish(topic, text('hello'));
  await turns();
  expect(seen).toEqual(['hello']);
});

test.each(['', ' ', 'a b', 'a\nb', 'a\u0000', '.a', 'a.', 'a..b', '.'])('a topic %j is invalid', async (topic) => {
  await using broker = memoryBroker({ network: memoryNetwork() });
  await expect(broker.publish(topic, text('x'))).rejects.toMatchObject({ code: 'invalid' });
  await expect(broker.subscribe(topic, () => {})).rejects.toMatchObject({ code: 'invalid' });
});

test.each(['*', '>', 'a.*', 'a.>', '*.a', 'a*', 'a>'])('publishing on %j is invalid', async (topic) => {
  await using broker = memoryBroker({ network: memoryNetwork() });
  await expect(broker.publish(topic, text('x'))).rejects.toMatchObject({ code: 'invalid' });
});

test.each(['a*', '*a', 'a.b*', '>.a', 'a.>.b', 'a>', '**'])('subscribing to %j is invalid', async (topic) => {
  await using broker = memoryBroker({ network: memoryNetwork() });
  await expect(broker.subscribe(topic, () => {})).rejects.toMatchObject({ code: 'invalid' });
});

test.each([
  ['a.b', ['a.b']],
  ['*', ['a']],
  ['>', ['a', 'a.b', 'a.b.c', 'x.b.c', 'a.x.c']],
  ['a.*', ['a.b']],
  ['a.>', ['a.b', 'a.b.c', 'a.x.c']],
  ['*.b.*', ['a.b.c', 'x.b.c']],
  ['a.*.>', ['a.b.c', 'a.x.c']],
])('%s matches %j', async (pattern, expected) => {
  await using broker = memoryBroker({ network: memoryNetwork() });
  const topics: string[] = [];
  await broker.subscribe(pattern, ({ topic }) => void topics.push(topic));
  for (const topic of ['a', 'a.b', 'a.b.c', 'x.b.c', 'a.x.c']) await broker.publish(topic, text('x'));
  await turns();
  expect(topics).toEqual(expected);
});

test.each([
  [{ queue: '' }, 'queue'],
  [{ queue: 'a b' }, 'queue'],
  [{ concurrency: 0 }, 'concurrency'],
  [{ concurrency: 1.5 }, 'concurrency'],
])('subscribing with %j is invalid', async (options, name) => {
  await using broker = memoryBroker({ network: memoryNetwork() });
  await expect(broker.subscribe('a', () => {}, options)).rejects.toMatchObject({
    code: 'invalid',
    message: expect.stringContaining(name),
  });
});

test('members of a queue take turns, those with a wildcard too', async () => {
  await using broker = memoryBroker({ network: memoryNetwork() });
  const members = [notes(), notes(), notes()];
  for (const [index, { note }] of members.entries())
    await broker.subscribe(index === 1 ? 'orders.*' : 'orders.created', note, { queue: 'billing' });
  for (const body of ['1', '2', '3', '4', '5', '6']) await broker.publish('orders.created', text(body));
  await turns();
  expect(members.map(({ seen }) => seen)).toEqual([
    ['1', '4'],
    ['2', '5'],
    ['3', '6'],
  ]);
});

test('a handler never runs within the call of the publisher', async () => {
  await using broker = memoryBroker({ network: memoryNetwork() });
  const { seen, note } = notes();
  await broker.subscribe('a', note);
  const publishing = broker.publish('a', text('hello'));
  await Promise.resolve();
  expect(seen).toEqual([]);
  await publishing;
  await turns();
  expect(seen).toEqual(['hello']);
});

test('a Buffer that is published and reused at once arrives as it was', async () => {
  await using broker = memoryBroker({ network: memoryNetwork() });
  const { seen, note } = notes();
  await broker.subscribe('a', note);
  const body = Buffer.from('before');
  const publishing = broker.publish('a', { headers: {}, body });
  body.fill('x');
  await publishing;
  await turns();
  expect(seen).toEqual(['before']);
});

test('what finds too many messages waiting is dropped and reported', async () => {
  await using broker = memoryBroker({ network: memoryNetwork(), maxQueuedMessages: 2 });
  const reports: [string, string | undefined][] = [];
  const onError = (error: MicroError, event?: BrokerEvent) => {
    reports.push([error.code, textOf(event?.message)]);
  };
  let release: () => void = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const { seen, note } = notes();
  const slow = await broker.subscribe(
    'a',
    async (event) => {
      await held;
      note(event);
    },
    { onError },
  );
  for (const body of ['1', '2', '3', '4']) await broker.publish('a', text(body));
  expect(reports).toEqual([['unavailable', undefined]]);
  release();
  await slow.close();
  expect(seen).toEqual(['1', '2', '3']);
});

test('without onError a handler that throws is logged', async () => {
  const error = vi.fn<Logger['error']>();
  await using broker = memoryBroker({ network: memoryNetwork(), logger: { ...silentLogger, error } });
  await broker.subscribe('a', () => {
    throw new Error('on purpose');
  });
  await broker.publish('a', text('secret'));
  await turns();
  expect(error.mock.calls).toEqual([
    [
      'message was not handled',
      { subscriber: expect.any(String), topic: 'a', error: expect.objectContaining({ code: 'internal' }) },
    ],
  ]);
});

test('an onError that throws or rejects is logged and stops nothing', async () => {
  const error = vi.fn<Logger['error']>();
  await using broker = memoryBroker({ network: memoryNetwork(), logger: { ...silentLogger, error } });
  const { seen, note } = notes();
  const handler = (event: BrokerEvent) => {
    note(event);
    throw new Error('on purpose');
  };
  const onErrors = [
    () => {
      throw new Error('on purpose too');
    },
    async () => {
      throw new Error('on purpose too');
    },
  ];
  for (const onError of onErrors) await broker.subscribe('a', handler, { onError });
  await broker.publish('a', text('1'));
  await broker.publish('a', text('2'));
  await turns();
  expect(seen).toEqual(['1', '1', '2', '2']);
  // The second of each subscriber may wait for the end of a second, or of the subscriber.
  await broker.close();
  expect(error.mock.calls.map(([message]) => message)).toEqual(Array(4).fill('onError failed'));
});

test('closing a subscriber works off what it was given before', async () => {
  await using broker = memoryBroker({ network: memoryNetwork() });
  const { seen, note } = notes();
  const slow = await broker.subscribe('a', async (event) => {
    await turns();
    note(event);
  });
  await Promise.all(['1', '2', '3'].map((body) => broker.publish('a', text(body))));
  expect(seen).toEqual([]);
  const closing = slow.close();
  await broker.publish('a', text('late'));
  await closing;
  expect(seen).toEqual(['1', '2', '3']);
});

test('a handler that does not settle is abandoned after `closeTimeoutMs`, and gets nothing more', async () => {
  await using broker = memoryBroker({ network: memoryNetwork(), closeTimeoutMs: 20 });
  let release: () => void = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const handler = vi.fn(() => held);
  const stuck = await broker.subscribe('a', handler);
  await Promise.all([broker.publish('a', text('1')), broker.publish('a', text('2'))]);
  await stuck.close();
  expect(await stuck.closed).toMatchObject({ code: 'timeout' });
  release();
  await turns();
  expect(handler).toHaveBeenCalledOnce();
});

test('a close whose signal is aborted is a plain one where nothing is left to handle', async () => {
  await using broker = memoryBroker({ network: memoryNetwork() });
  const { seen, note } = notes();
  const subscriber = await broker.subscribe('a', note);
  await broker.publish('a', text('1'));
  await turns();
  await subscriber.close({ signal: AbortSignal.abort() });
  expect(seen).toEqual(['1']);
  expect(await subscriber.closed).toBeUndefined();
});

test('a broker that is disconnected refuses until it connects, and its subscribers are closed', async () => {
  await using broker = memoryBroker({ network: memoryNetwork() });
  const subscriber = await broker.subscribe('a', () => {});
  await broker.disconnect();
  expect(await subscriber.closed).toBeUndefined();
  await expect(broker.publish('a', text('x'))).rejects.toMatchObject({ code: 'unavailable', retrySafe: true });
  await expect(broker.subscribe('a', () => {})).rejects.toMatchObject({ code: 'unavailable' });
  await broker.connect();
  await broker.publish('a', text('x'));
});

test('disconnecting is bounded as closing is', async () => {
  await using broker = memoryBroker({ network: memoryNetwork() });
  const stuck = await broker.subscribe('a', () => never);
  await broker.publish('a', text('x'));
  await broker.disconnect({ signal: AbortSignal.timeout(20) });
  expect(await stuck.closed).toMatchObject({ code: 'timeout' });
});

function deferred() {
  let resolve: () => void = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
