import { type RegistryEvent, serviceRecord, type Watcher } from '@ts-micro/core';
import { memoryNetwork, memoryRegistry } from '@ts-micro/memory';
import { expect, test, vi } from 'vitest';
import { turns } from './pair.ts';

const node = (id: string) => ({ id, address: `memory:${id}` });
const greeter = (id: string, metadata: Record<string, string> = {}) =>
  serviceRecord({ name: 'greeter', version: '1', metadata, nodes: [node(id)] });

/** A line for each event that waits: its type, and the nodes of each record. */
async function pending(watcher: Watcher): Promise<string[]> {
  const lines: string[] = [];
  // An event that waits is there at once; the deadline is for the one that is not.
  for (;;) {
    const event = await watcher.receive({ signal: AbortSignal.timeout(20) }).catch(() => undefined);
    if (!event) return lines;
    lines.push(describe(event));
  }
}

function describe(event: RegistryEvent): string {
  const services = event.type === 'resync' ? event.services : [event.service];
  const records = services.map(({ name, nodes }) => `${name}(${nodes.map(({ id }) => id).join(' ')})`);
  return [event.type, ...records].join(' ');
}

test('it says what it is and what it supports', async () => {
  await using registry = memoryRegistry();
  expect(registry.name).toBe('memory');
  expect(registry.supports).toEqual({ ttl: true, watch: true });
});

test('an option maxQueuedEvents of 0 is invalid', () => {
  expect(() => memoryRegistry({ maxQueuedEvents: 0 })).toThrow(expect.objectContaining({ code: 'invalid' }));
});

test('registries on different networks never meet', async () => {
  await using here = memoryRegistry({ network: memoryNetwork() });
  await using there = memoryRegistry({ network: memoryNetwork() });
  await here.register(greeter('1'));
  expect(await there.listServices()).toEqual([]);
});

test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('a ttlMs of %d is invalid', async (ttlMs) => {
  await using registry = memoryRegistry({ network: memoryNetwork() });
  await expect(registry.register(greeter('1'), { ttlMs })).rejects.toMatchObject({ code: 'invalid' });
});

test('an empty service name is invalid to look up and to watch', async () => {
  await using registry = memoryRegistry({ network: memoryNetwork() });
  await expect(registry.getService('')).rejects.toMatchObject({ code: 'invalid' });
  await expect(registry.watch({ service: '' })).rejects.toMatchObject({ code: 'invalid' });
});

test('a version has the metadata that changed last, and that of the nodes that stay', async () => {
  const network = memoryNetwork();
  await using registry = memoryRegistry({ network });
  const metadata = async () => (await registry.getService('greeter')).map((service) => service.metadata);
  await registry.register(greeter('1', { from: '1' }));
  await registry.register(greeter('2', { from: '2' }));
  expect(await metadata()).toEqual([{ from: '2' }]);
  await registry.register(greeter('1', { from: '1' }));
  expect(await metadata()).toEqual([{ from: '2' }]);
  await registry.register(greeter('1', { from: '1', changed: 'true' }));
  expect(await metadata()).toEqual([{ from: '1', changed: 'true' }]);
  await registry.deregister(greeter('1'));
  expect(await metadata()).toEqual([{ from: '2' }]);
});

test('heartbeats of nodes that disagree on their version are not announced', async () => {
  await using registry = memoryRegistry({ network: memoryNetwork() });
  await registry.register(greeter('1', { from: '1' }));
  await registry.register(greeter('2', { from: '2' }));
  const watcher = await registry.watch();
  for (const id of ['1', '2', '1']) await registry.register(greeter(id, { from: id }), { ttlMs: 60_000 });
  expect(await pending(watcher)).toEqual(['resync greeter(1 2)']);
});

test('metadata in another order is no change', async () => {
  await using registry = memoryRegistry({ network: memoryNetwork() });
  await registry.register(greeter('1', { a: '1', b: '2' }));
  const watcher = await registry.watch();
  await registry.register(greeter('1', { b: '2', a: '1' }));
  expect(await pending(watcher)).toEqual(['resync greeter(1)']);
});

test('a version registered without nodes goes with its last node', async () => {
  await using registry = memoryRegistry({ network: memoryNetwork() });
  const empty = serviceRecord({ name: 'greeter', version: '1' });
  await registry.register(empty);
  await registry.register(greeter('1'));
  expect(await registry.getService('greeter')).toHaveLength(1);
  await registry.deregister(greeter('2'));
  expect(await registry.getService('greeter')).toHaveLength(1);
  await registry.deregister(greeter('1'));
  expect(await registry.getService('greeter')).toEqual([]);
});

test('deregistering a version without nodes leaves the nodes that others registered', async () => {
  await using registry = memoryRegistry({ network: memoryNetwork() });
  const empty = serviceRecord({ name: 'greeter', version: '1' });
  await registry.register(greeter('1'));
  await registry.register(empty);
  await registry.deregister(empty);
  expect(await registry.getService('greeter')).toMatchObject([{ nodes: [{ id: '1' }] }]);
});

test('closing leaves a node that another registry has registered since', async () => {
  const network = memoryNetwork();
  const first = memoryRegistry({ network });
  await using second = memoryRegistry({ network });
  await first.register(serviceRecord({ ...greeter('1'), nodes: [node('1'), node('2')] }));
  await second.register(greeter('1'));
  await first.close();
  expect(await second.getService('greeter')).toMatchObject([{ nodes: [{ id: '1' }] }]);
});

test('closing removes what is still being registered', async () => {
  const network = memoryNetwork();
  const registry = memoryRegistry({ network });
  await using other = memoryRegistry({ network });
  const registering = registry.register(greeter('1'));
  await registry.close();
  await registering;
  expect(await other.listServices()).toEqual([]);
});

test('leases run on the clock, one after the other, and are announced', async () => {
  vi.useFakeTimers();
  try {
    await using registry = memoryRegistry({ network: memoryNetwork() });
    await registry.register(greeter('1'), { ttlMs: 1000 });
    await registry.register(greeter('2'), { ttlMs: 3000 });
    await registry.register(greeter('3'));
    const watcher = await registry.watch();
    const next = async () => describe((await watcher.receive()) as RegistryEvent);
    expect(await next()).toBe('resync greeter(1 2 3)');
    vi.advanceTimersByTime(900);
    await registry.register(greeter('1'), { ttlMs: 1000 });
    vi.advanceTimersByTime(900);
    expect(await registry.getService('greeter')).toMatchObject([{ nodes: [{ id: '1' }, { id: '2' }, { id: '3' }] }]);
    vi.advanceTimersByTime(101);
    expect(await next()).toBe('update greeter(2 3)');
    vi.advanceTimersByTime(2000);
    expect(await next()).toBe('update greeter(3)');
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});

test('a lease that was ended early leaves no timer', async () => {
  vi.useFakeTimers();
  try {
    await using registry = memoryRegistry({ network: memoryNetwork() });
    await registry.register(greeter('1'), { ttlMs: 1000 });
    await registry.register(greeter('2'), { ttlMs: 2000 });
    expect(vi.getTimerCount()).toBe(1);
    await registry.deregister(greeter('1'));
    await registry.register(greeter('2'));
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});

test('a lease may be longer than a timer can be', async () => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error) => void warnings.push(warning);
  process.on('warning', onWarning);
  try {
    await using registry = memoryRegistry({ network: memoryNetwork() });
    await registry.register(greeter('1'), { ttlMs: 2 ** 40 });
    await turns();
    expect(await registry.getService('greeter')).toHaveLength(1);
    expect(warnings).toEqual([]);
  } finally {
    process.off('warning', onWarning);
  }
});

test('a lease keeps no process alive', async () => {
  const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
  await using registry = memoryRegistry({ network: memoryNetwork() });
  const before = timers();
  await registry.register(greeter('1'), { ttlMs: 60_000 });
  expect(timers()).toBeLessThanOrEqual(before);
});

test('events that nobody reads give way to one resync', async () => {
  await using registry = memoryRegistry({ network: memoryNetwork(), maxQueuedEvents: 3 });
  const watcher = await registry.watch();
  for (const id of ['1', '2', '3', '4']) await registry.register(greeter(id));
  expect(await pending(watcher)).toEqual(['resync greeter(1 2 3 4)']);
});

test('records handed to a watcher are its own', async () => {
  await using registry = memoryRegistry({ network: memoryNetwork() });
  const watchers = [await registry.watch(), await registry.watch()];
  for (const watcher of watchers) await watcher.receive();
  await registry.register(greeter('1'));
  for (const watcher of watchers) {
    const event = await watcher.receive();
    if (event?.type !== 'create') throw new Error(`got ${event?.type}`);
    expect(event.service.metadata).toEqual({});
    Reflect.set(event.service.metadata, 'changed', 'by its reader');
  }
  expect(await registry.getService('greeter')).toEqual([greeter('1')]);
});

test('a loop over a watcher ends when it closes', async () => {
  await using registry = memoryRegistry({ network: memoryNetwork() });
  const watcher = await registry.watch();
  const seen: string[] = [];
  for await (const event of watcher) {
    seen.push(describe(event));
    await watcher.close();
  }
  expect(seen).toEqual(['resync']);
});

test('asking again and again leaves timers their turn', async () => {
  await using registry = memoryRegistry({ network: memoryNetwork() });
  await registry.register(greeter('1'), { ttlMs: 20 });
  const deadlineMs = performance.now() + 10_000;
  while ((await registry.getService('greeter')).length > 0 && performance.now() < deadlineMs);
  expect(await registry.listServices()).toEqual([]);
});
