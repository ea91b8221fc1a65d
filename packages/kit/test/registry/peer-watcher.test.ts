import { MicroError, type RegistryEvent, type ServiceRecord, serviceRecord, silentLogger } from '@ts-micro/core';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { LeasedRecord } from '../../src/registry/peers/leased-record.ts';
import { PeerWatcher, type PeerWatcherOptions } from '../../src/registry/peers/peer-watcher.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

const greeter = (...ids: string[]): ServiceRecord =>
  serviceRecord({ name: 'greeter', version: '1', nodes: ids.map((id) => ({ id, address: `address of ${id}` })) });

const announced = (action: string, service: ServiceRecord, leaseMs?: number) => ({
  action,
  service,
  leasesMs: leaseMs === undefined ? undefined : [leaseMs],
});

const answered = (service: ServiceRecord, leaseMs?: number): LeasedRecord => ({
  service,
  leasesMs: leaseMs === undefined ? undefined : [leaseMs],
});

/** A watcher whose questions the test answers, in the order they are asked. */
function watching(options: Partial<PeerWatcherOptions> = {}, isConnected = () => true) {
  const asked: { answer(answers: readonly LeasedRecord[]): void; fail(error: Error): void }[] = [];
  const watcher: PeerWatcher = new PeerWatcher({
    what: 'bus registry: watcher',
    service: 'greeter',
    defaultLeaseMs: 90_000,
    maxLeaseMs: 600_000,
    maxNodes: 1000,
    maxBytes: 2 ** 20,
    isConnected: () => isConnected(),
    ...options,
    logger: silentLogger,
    query: () => new Promise((answer, fail) => asked.push({ answer, fail })),
    onClose: () => {},
  });
  return { watcher, asked };
}

async function started(answers: readonly LeasedRecord[], ...how: Parameters<typeof watching>) {
  const { watcher, asked } = watching(...how);
  const starting = watcher.start({});
  asked[0]?.answer(answers);
  await starting;
  expect((await watcher.receive())?.type).toBe('resync');
  return { watcher, asked };
}

/** What is there to receive now, as type and node ids. */
async function events(watcher: PeerWatcher): Promise<unknown[]> {
  const found: unknown[] = [];
  for (;;) {
    const stop = new AbortController();
    const receiving = watcher.receive({ signal: stop.signal }).catch(() => undefined);
    await vi.advanceTimersByTimeAsync(1);
    stop.abort();
    const event = await receiving;
    if (event === undefined) return found;
    found.push(short(event));
  }
}

function short(event: RegistryEvent): unknown {
  const services = event.type === 'resync' ? event.services : [event.service];
  return [event.type, ...services.flatMap((service) => service.nodes.map((node) => node.id))];
}

test('what is announced while it asks comes after the answers', async () => {
  const { watcher, asked } = watching();
  const starting = watcher.start({});
  watcher.take(announced('delete', greeter('a')));
  watcher.take(announced('create', greeter('c'), 1000));
  asked[0]?.answer([answered(greeter('a', 'b'), 1000)]);
  await starting;
  expect(await events(watcher)).toEqual([['resync', 'c', 'b']]);
  await watcher.close();
});

test('a stated lease that runs out is announced without asking', async () => {
  const { watcher, asked } = await started([answered(greeter('a'), 5000), answered(greeter('b'), 8000)]);
  await vi.advanceTimersByTimeAsync(5100);
  expect(await events(watcher)).toEqual([['update', 'b']]);
  await vi.advanceTimersByTimeAsync(3000);
  expect(await events(watcher)).toEqual([['delete', 'b']]);
  expect(asked).toHaveLength(1);
  await watcher.close();
});

test('a node that stated no lease is asked for before it is given up', async () => {
  const { watcher, asked } = await started([answered(greeter('a', 'b'))]);
  await vi.advanceTimersByTimeAsync(90_100);
  expect(asked).toHaveLength(2);
  expect(await events(watcher)).toEqual([]);
  asked[1]?.answer([answered(greeter('a'))]);
  expect(await events(watcher)).toEqual([['update', 'a']]);
  await watcher.close();
});

test('announcing again prolongs the lease and is no event', async () => {
  const { watcher } = await started([answered(greeter('a'), 5000)]);
  for (let second = 0; second < 20; second++) {
    await vi.advanceTimersByTimeAsync(1000);
    watcher.take(announced('create', greeter('a'), 5000));
  }
  expect(await events(watcher)).toEqual([]);
  await watcher.close();
});

test('after a gap, who does not answer stays for a while and is asked for again', async () => {
  const { watcher, asked } = await started([answered(greeter('a', 'b'), 90_000)]);
  watcher.missed();
  asked[1]?.answer([answered(greeter('a', 'c'), 90_000)]);
  expect(await events(watcher)).toEqual([['resync', 'a', 'b', 'c']]);
  await vi.advanceTimersByTimeAsync(5100);
  asked[2]?.answer([answered(greeter('a', 'c'), 90_000)]);
  expect(await events(watcher)).toEqual([['update', 'a', 'c']]);
  await watcher.close();
});

test('after a gap, who does not answer but is heard of later stays', async () => {
  const { watcher, asked } = await started([answered(greeter('a'), 90_000)]);
  watcher.missed();
  asked[1]?.answer([]);
  watcher.take(announced('create', greeter('a'), 90_000));
  await vi.advanceTimersByTimeAsync(30_000);
  expect(await events(watcher)).toEqual([['resync', 'a']]);
  expect(asked).toHaveLength(2);
  await watcher.close();
});

test('a failed question is asked again, and changes are told meanwhile', async () => {
  const { watcher, asked } = await started([answered(greeter('a'), 90_000)]);
  watcher.missed();
  watcher.take(announced('create', greeter('b'), 90_000));
  asked[1]?.fail(new MicroError('unavailable', 'the connection was lost'));
  expect(await events(watcher)).toEqual([['update', 'a', 'b']]);
  await vi.advanceTimersByTimeAsync(1100);
  asked[2]?.answer([answered(greeter('c'), 90_000)]);
  expect(await events(watcher)).toEqual([['resync', 'a', 'b', 'c']]);
  await watcher.close();
});

test('a gap while it asks is asked for once more', async () => {
  const { watcher, asked } = watching();
  const starting = watcher.start({});
  watcher.missed();
  asked[0]?.answer([answered(greeter('a'), 90_000)]);
  await starting;
  asked[1]?.answer([answered(greeter('b'), 90_000)]);
  expect(await events(watcher)).toEqual([
    ['resync', 'a'],
    ['resync', 'a', 'b'],
  ]);
  await watcher.close();
});

test('a delete without nodes is about the whole version', async () => {
  const { watcher } = await started([answered(greeter('a', 'b'), 90_000)]);
  watcher.take(announced('delete', greeter()));
  expect(await events(watcher)).toEqual([['delete', 'a', 'b']]);
  await watcher.close();
});

test.each(['update', 'put', 'override'])('%s is taken as what the peer has', async (action) => {
  const { watcher } = await started([answered(greeter('a'), 90_000)]);
  watcher.take(announced(action, greeter('b'), 90_000));
  expect(await events(watcher)).toEqual([['update', 'a', 'b']]);
  await watcher.close();
});

test('changes that nobody reads become one resync', async () => {
  const { watcher } = await started([answered(greeter('a'), 90_000)]);
  for (let count = 0; count < 12_000; count++) {
    watcher.take(announced(count % 2 === 0 ? 'create' : 'delete', greeter('b'), 90_000));
  }
  expect(await events(watcher)).toEqual([['resync', 'a']]);
  watcher.take(announced('create', greeter('c'), 90_000));
  expect(await events(watcher)).toEqual([['update', 'a', 'c']]);
  await watcher.close();
});

test('closing while it asks again leaves no timer and tells nothing more', async () => {
  const { watcher, asked } = await started([answered(greeter('a'), 90_000)]);
  watcher.missed();
  const pending = watcher.receive();
  await watcher.close();
  asked[1]?.fail(new MicroError('canceled', 'closed'));
  expect(await pending).toBeUndefined();
  await vi.advanceTimersByTimeAsync(0);
  expect(vi.getTimerCount()).toBe(0);
});

test('a cause that ends it is what a pending wait rejects with', async () => {
  const { watcher } = await started([]);
  const pending = watcher.receive();
  const cause = new MicroError('unauthorized', 'watching was refused');
  watcher.fail(cause);
  await expect(pending).rejects.toBe(cause);
  expect(await watcher.closed).toBe(cause);
  await expect(watcher.receive()).rejects.toMatchObject({ code: 'closed', cause });
});

test('a lease beyond the longest that is believed ends there, after asking', async () => {
  const { watcher, asked } = await started([answered(greeter('a', 'b'), 1e300)], { maxLeaseMs: 60_000 });
  await vi.advanceTimersByTimeAsync(60_100);
  expect(asked).toHaveLength(2);
  asked[1]?.answer([answered(greeter('a'), 1e300)]);
  expect(await events(watcher)).toEqual([['update', 'a']]);
  await watcher.close();
});

test('a full watcher takes no more nodes, and keeps and renews those it knows', async () => {
  const { watcher } = await started([answered(greeter('a', 'b'), 5000)], { maxNodes: 3 });
  const forged = Array.from({ length: 50 }, (_, index) => `forged-${index}`);
  watcher.take(announced('create', greeter(...forged), 90_000));
  expect(await events(watcher)).toEqual([['update', 'a', 'b', 'forged-0']]);
  await vi.advanceTimersByTimeAsync(3000);
  watcher.take(announced('create', greeter('a', 'b'), 5000));
  await vi.advanceTimersByTimeAsync(3000);
  expect(await events(watcher)).toEqual([]);
  await watcher.close();
});

test('nodes whose leases are guesses and end one after the other are asked for at most once a second', async () => {
  const { watcher, asked } = await started([]);
  for (let count = 0; count < 100; count++) {
    watcher.take(announced('create', greeter(`forged-${count}`)));
    await vi.advanceTimersByTimeAsync(50);
  }
  for (let count = 0; count < 950; count++) {
    await vi.advanceTimersByTimeAsync(100);
    asked.at(-1)?.answer([]);
  }
  expect(asked.length).toBeGreaterThan(1);
  expect(asked.length).toBeLessThan(10);
  expect((await events(watcher)).at(-1)).toEqual(expect.arrayContaining(['delete', 'forged-99']));
  await watcher.close();
});

test('during an outage nobody is given up', async () => {
  let isConnected = true;
  const { watcher, asked } = await started([answered(greeter('a'), 5000)], {}, () => isConnected);
  isConnected = false;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(await events(watcher)).toEqual([]);
  isConnected = true;
  watcher.missed();
  asked[1]?.answer([]);
  expect(await events(watcher)).toEqual([['resync', 'a']]);
  await vi.advanceTimersByTimeAsync(5100);
  asked[2]?.answer([]);
  expect(await events(watcher)).toEqual([['delete', 'a']]);
  await watcher.close();
});
