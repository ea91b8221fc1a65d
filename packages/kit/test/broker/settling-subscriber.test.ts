import { type BrokerEvent, type Message, MicroError } from '@ts-micro/core';
import { checkRedelivery, type Delivery, SettlingSubscriber, type SettlingSubscriberOptions } from '@ts-micro/kit';
import { expect, test, vi } from 'vitest';

const redelivery = checkRedelivery({ queue: 'workers', redelivery: { maxDeliveries: 2, pauseMs: 7 } }, 'test');

function member(options: Partial<SettlingSubscriberOptions<Delivery>>) {
  return new SettlingSubscriber<Delivery>({
    what: 'test',
    topic: 'a.b',
    queue: 'workers',
    handler: () => {},
    redelivery,
    publishDeadLetter: async () => {},
    stop: () => {},
    ...options,
  });
}

/** A delivery that notes how it was settled. */
function delivery(number = 1, event?: () => BrokerEvent) {
  const settled: string[] = [];
  const message = { headers: {}, body: new Uint8Array() };
  const each: Delivery = {
    event: event ?? (() => ({ topic: 'a.b', message, delivery: number })),
    done: () => settled.push('done'),
    again: (pauseMs) => settled.push(`again ${pauseMs}`),
  };
  return Object.assign(each, { settled });
}

test('a delivery whose bytes are no event is reported and done with', async () => {
  const onError = vi.fn();
  await using subscriber = member({ onError });
  const broken = delivery(1, () => {
    throw new Error('no event');
  });
  subscriber.push(broken);
  await vi.waitFor(() => expect(onError).toHaveBeenCalledOnce());
  expect(onError.mock.calls[0]?.[0]).toMatchObject({ code: 'malformed' });
  expect(broken.settled).toEqual(['done']);
  expect(subscriber.held.size).toBe(0);
});

test('of two deliveries under one key the newer one is settled', async () => {
  const handled = vi.fn();
  await using subscriber = member({ handler: handled });
  const [older, newer] = [Object.assign(delivery(), { key: 7 }), Object.assign(delivery(), { key: 7 })];
  subscriber.push(older);
  subscriber.push(newer);
  expect([...subscriber.held]).toEqual([[7, newer]]);
  await vi.waitFor(() => expect(handled).toHaveBeenCalledTimes(2));
  expect(subscriber.held.size).toBe(0);
  expect([older.settled, newer.settled]).toEqual([[], ['done']]);
});

test('a close ends the flow of deliveries before it gives any back', async () => {
  const order: string[] = [];
  const subscriber = member({ stop: () => void order.push('stop') });
  subscriber.push({ event: delivery().event, done: () => {}, again: () => order.push('again') });
  await subscriber.close();
  expect(order).toEqual(['stop', 'again']);
});

test('a flow that cannot be ended gives back what waits all the same', async () => {
  const waiting = delivery();
  const subscriber = member({
    stop: () => {
      throw new Error('no way');
    },
  });
  subscriber.push(waiting);
  await subscriber.close();
  expect(waiting.settled).toEqual(['again 0']);
});

test('a dead letter that cannot be published keeps its message in the queue', async () => {
  const onError = vi.fn();
  const handler = () => Promise.reject(new Error('bad\r\n luck'));
  const letters: unknown[] = [];
  const publishDeadLetter = async (topic: string, { headers }: Message) => {
    letters.push(topic, headers['Dead-Letter-Reason']);
    throw new MicroError('unavailable', 'the disk is full');
  };
  await using subscriber = member({ onError, handler, publishDeadLetter });
  const last = delivery(2);
  subscriber.push(last);
  await vi.waitFor(() => expect(onError).toHaveBeenCalledTimes(2));
  expect(last.settled).toEqual(['again 60000']);
  expect(letters).toEqual(['dead-letter.a.b', 'bad luck']);
});

test.each([
  ['headers', 'invalid', 1, 'headers'],
  ['a body', 'too_large', 2, 'headers and 4 bytes'],
] as const)('a dead letter whose message has %s that cannot be published is stored without', async (...row) => {
  const [, code, refusals, without] = row;
  const onError = vi.fn();
  const letters: Message[] = [];
  const publishDeadLetter = async (_topic: string, letter: Message) => {
    if (letters.push(letter) <= refusals) throw new MicroError(code, 'not this');
  };
  const handler = () => Promise.reject(new Error('no'));
  await using subscriber = member({ onError, handler, publishDeadLetter });
  const message = { headers: { 'a(b': 'c' }, body: Buffer.from('body') };
  const last = delivery(2, () => ({ topic: 'a.b', message, delivery: 2 }));
  subscriber.push(last);
  await vi.waitFor(() => expect(last.settled).toEqual(['done']));
  expect(letters).toHaveLength(refusals + 1);
  expect(letters.at(-1)?.headers).toEqual({
    'Dead-Letter-Topic': 'a.b',
    'Dead-Letter-Reason': 'no',
    'Dead-Letter-Deliveries': '2',
    'Dead-Letter-Without': without,
  });
  expect(letters.at(-1)?.body).toHaveLength(code === 'invalid' ? 4 : 0);
  expect(onError.mock.calls.map(([error]) => error.code)).toContain(code);
});

test('a delivery beyond the last goes to the dead-letter topic, and no handler gets it', async () => {
  const onError = vi.fn();
  const handler = vi.fn();
  const letters: Message[] = [];
  const publishDeadLetter = async (_topic: string, letter: Message) => void letters.push(letter);
  await using subscriber = member({ onError, handler, publishDeadLetter });
  const beyond = delivery(3);
  subscriber.push(beyond);
  await vi.waitFor(() => expect(beyond.settled).toEqual(['done']));
  expect(handler).not.toHaveBeenCalled();
  expect(onError.mock.calls).toMatchObject([[{ code: 'internal' }, { topic: 'a.b', delivery: 3 }]]);
  expect(letters[0]?.headers).toMatchObject({
    'Dead-Letter-Deliveries': '2',
    'Dead-Letter-Reason': expect.stringContaining('delivered 2 times, and no member has settled it'),
  });
});

test('last handlers are noted, begin one after another, and none begins twice', async () => {
  const steps: string[] = [];
  const handler = async ({ message: { headers } }: BrokerEvent) => {
    steps.push(`begin ${headers.name}`);
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    steps.push(`end ${headers.name}`);
  };
  const noted = new Set(['killer']);
  const last = (name: string) => {
    const message = { headers: { name }, body: new Uint8Array() };
    const each = delivery(2, () => ({ topic: 'a.b', message, delivery: 2 }));
    return Object.assign(each, { id: name, last: async () => !noted.has(name) && noted.add(name) !== undefined });
  };
  const publishDeadLetter = vi.fn(async () => {});
  await using subscriber = member({ onError: () => {}, handler, publishDeadLetter, concurrency: 3 });
  const each = [last('killer'), last('one'), last('other')];
  for (const one of each) subscriber.push(one);
  await vi.waitFor(() => expect(each.map(({ settled }) => settled)).toEqual([['done'], ['done'], ['done']]));
  expect(publishDeadLetter).toHaveBeenCalledOnce();
  expect(steps).toEqual(['begin one', 'end one', 'begin other', 'end other']);
});

test('a last handler that runs long does not keep others from theirs', async () => {
  const running: string[] = [];
  const ending = deferred();
  const last = (name: string) => Object.assign(delivery(2), { id: name, last: async () => running.push(name) > 0 });
  await using subscriber = member({ handler: () => ending.promise, concurrency: 3 });
  for (const name of ['one', 'two', 'three']) subscriber.push(last(name));
  await vi.waitFor(() => expect(running).toEqual(['one', 'two', 'three']));
  ending.resolve();
});

test('a last delivery behind a failure in the same member is not noted', async () => {
  const notes = vi.fn(async () => true);
  await using subscriber = member({ handler: () => Promise.reject(new Error('no')), onError: () => {} });
  for (const number of [1, 2]) {
    const each = Object.assign(delivery(number), { id: 'it', last: notes });
    subscriber.push(each);
    await vi.waitFor(() => expect(each.settled).toEqual([number === 1 ? 'again 7' : 'done']));
  }
  expect(notes).not.toHaveBeenCalled();
});

test('where a last delivery cannot be noted, its number decides', async () => {
  const handler = vi.fn();
  await using subscriber = member({ handler, onError: () => {} });
  const notes = { last: () => Promise.reject(new MicroError('unauthorized', 'no')) };
  const [last, beyond] = [Object.assign(delivery(2), notes), Object.assign(delivery(3), notes)];
  for (const each of [last, beyond]) subscriber.push(each);
  await vi.waitFor(() => expect([last.settled, beyond.settled]).toEqual([['done'], ['done']]));
  expect(handler).toHaveBeenCalledOnce();
});

test('a handler that settles after its member gave up changes nothing any more', async () => {
  const finish = deferred();
  const subscriber = member({ handler: () => finish.promise, closeTimeoutMs: 20 });
  const running = delivery();
  const waiting = delivery();
  subscriber.push(running);
  subscriber.push(waiting);
  await Promise.resolve();
  await subscriber.close();
  expect(await subscriber.closed).toMatchObject({ code: 'timeout' });
  expect([running.settled, waiting.settled]).toEqual([['again 0'], ['again 0']]);
  finish.resolve();
  await new Promise((resolve) => setImmediate(resolve));
  expect(running.settled).toEqual(['again 0']);
  const late = delivery();
  subscriber.push(late);
  expect(late.settled).toEqual(['again 0']);
});

function deferred() {
  let resolve: () => void = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
