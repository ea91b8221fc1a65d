import type { Message } from '@ts-micro/core';
import { connectNats } from '@ts-micro/nats';
import { type ChaosProxy, startChaosProxy, startNatsServer } from '@ts-micro/testkit/nats';
import { expect, test } from 'vitest';
import { type NatsBroker, type NatsBrokerOptions, natsBroker } from '../src/index.ts';

const message = (number: number): Message => ({ headers: {}, body: new TextEncoder().encode(String(number)) });

/** A subscriber on a good link, and a publisher behind a proxy; what arrives is counted at the subscriber. */
async function world(options: NatsBrokerOptions) {
  const server = await startNatsServer();
  const proxy = await startChaosProxy({ target: server.address });
  const subscriber = natsBroker({ servers: server.address });
  const publisher = natsBroker({ servers: proxy.address, ...options });
  const arrived: number[] = [];
  await subscriber.subscribe('numbers', (event) => {
    arrived.push(Number(new TextDecoder().decode(event.message.body)));
  });
  return {
    proxy,
    publisher,
    arrived,
    async [Symbol.asyncDispose]() {
      await Promise.all([publisher.close(), subscriber.close()]);
      await proxy[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

async function settled(publisher: NatsBroker): Promise<NatsBroker['stats']> {
  await expect.poll(() => publisher.stats.open).toBe(0);
  const { stats } = publisher;
  expect(stats.published).toBe(stats.refused + stats.confirmed + stats.uncertain);
  return stats;
}

/** Publishes without a pause until told to stop, over several outages. */
async function publishThrough(publisher: NatsBroker, proxy: ChaosProxy): Promise<number> {
  let isOver = false;
  let next = 0;
  const publishing = (async () => {
    const all: Promise<void>[] = [];
    while (!isOver) {
      for (let burst = 0; burst < 10; burst++) all.push(publisher.publish('numbers', message(next++)).catch(() => {}));
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await Promise.all(all);
  })();
  for (let outage = 0; outage < 3; outage++) {
    const enough = next + 300;
    await expect.poll(() => next).toBeGreaterThan(enough);
    proxy.cut();
    const more = next + 300;
    await expect.poll(() => next).toBeGreaterThan(more);
    proxy.heal();
    const before = publisher.stats.confirmed;
    await expect.poll(() => publisher.stats.confirmed).toBeGreaterThan(before);
  }
  isOver = true;
  await publishing;
  return next;
}

test.each(['refuse', 'buffer'] as const)('the stats balance over outages, with the policy %s', async (outage) => {
  const reported: number[] = [];
  const onUncertain = async (count: number) => {
    reported.push(count);
    throw new Error('which ends no process');
  };
  await using it = await world({ outage, onUncertain });
  await it.publisher.connect();
  const published = await publishThrough(it.publisher, it.proxy);
  const stats = await settled(it.publisher);
  expect(stats.published).toBe(published);
  if (outage === 'buffer') expect(stats.refused).toBe(0);
  else expect(stats.refused).toBeGreaterThan(0);
  expect(reported.reduce((sum, count) => sum + count, 0)).toBe(stats.uncertain);
  await expect.poll(() => it.arrived.length).toBeGreaterThanOrEqual(stats.confirmed);
  expect(it.arrived.length).toBeLessThanOrEqual(stats.confirmed + stats.uncertain);
  // In order, and nothing twice.
  expect(it.arrived).toEqual([...new Set(it.arrived)].sort((one, other) => one - other));
});

test('a buffered message is refused once it has waited too long, and never sent', async () => {
  await using it = await world({ outage: 'buffer', maxBufferedMs: 50 });
  await it.publisher.publish('numbers', message(1));
  await settled(it.publisher);
  it.proxy.cut();
  await expect
    .poll(() =>
      it.publisher.publish('numbers', message(2)).then(
        () => 'sent',
        (error) => error,
      ),
    )
    .toMatchObject({ code: 'unavailable', retrySafe: true, message: expect.stringContaining('50 ms') });
  it.proxy.heal();
  await expect
    .poll(() =>
      it.publisher.publish('numbers', message(3)).then(
        () => true,
        () => false,
      ),
    )
    .toBe(true);
  await settled(it.publisher);
  await expect.poll(() => it.arrived.at(-1)).toBe(3);
});

test('more than may wait is refused at once; a signal ends a wait', async () => {
  await using it = await world({ outage: 'buffer', maxBufferedBytes: 2000 });
  await it.publisher.publish('numbers', message(1));
  await settled(it.publisher);
  it.proxy.cut();
  await expect.poll(() => it.publisher.options.outage).toBe('buffer');
  // What is written before the loss is seen is uncertain.
  await expect
    .poll(() =>
      it.publisher.publish('numbers', message(0), { signal: AbortSignal.timeout(10) }).catch((error) => error),
    )
    .toMatchObject({ code: 'timeout' });
  const waiting = [2, 3, 4].map((number) => it.publisher.publish('numbers', message(number)));
  await expect(it.publisher.publish('numbers', message(5))).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('3 messages wait already'),
  });
  const before = it.publisher.stats;
  expect(before.open).toBe(3);
  it.proxy.heal();
  await Promise.all(waiting);
  const stats = await settled(it.publisher);
  expect(stats.confirmed).toBe(before.confirmed + 3);
  await expect.poll(() => it.arrived.slice(-3)).toEqual([2, 3, 4]);
});

test('closing refuses what waits, and confirms what was written', async () => {
  await using it = await world({ outage: 'buffer' });
  for (let number = 0; number < 100; number++) await it.publisher.publish('numbers', message(number));
  await it.publisher.disconnect();
  expect(it.publisher.stats).toEqual({ published: 100, refused: 0, confirmed: 100, uncertain: 0, open: 0 });
  await it.publisher.connect();
  await it.publisher.publish('numbers', message(100));
  await settled(it.publisher);
  it.proxy.cut();
  await expect
    .poll(() =>
      it.publisher.publish('numbers', message(0), { signal: AbortSignal.timeout(10) }).catch((error) => error),
    )
    .toMatchObject({ code: 'timeout' });
  const waiting = expect(it.publisher.publish('numbers', message(101))).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('the broker is closing'),
  });
  await it.publisher.close();
  await waiting;
  expect(it.publisher.stats.open).toBe(0);
});

test.each(['borrowed', 'shared'] as const)(
  'the first publish of all, in an outage, is refused at once on a %s connection',
  async (kind) => {
    await using server = await startNatsServer();
    const how = { servers: server.address, connectTimeoutMs: 60_000 };
    await using own = await connectNats(how);
    await using sharer = natsBroker(how);
    await sharer.connect();
    await using broker = natsBroker(kind === 'borrowed' ? { connection: own } : how);
    await server.kill();
    await expect.poll(() => [own.state.status, sharer.isConnected]).toEqual(['reconnecting', false]);
    await expect(broker.publish('numbers', message(1))).rejects.toMatchObject({ code: 'unavailable', retrySafe: true });
    expect(broker.stats).toMatchObject({ published: 1, refused: 1 });
    await server.restart();
  },
);
