import { serviceRecord } from '@ts-micro/core';
import { memoryNetwork, memoryRegistry } from '@ts-micro/memory';
import { afterEach, expect, test, vi } from 'vitest';

const hourMs = 3_600_000;
const greeter = (...ids: string[]) =>
  serviceRecord({ name: 'greeter', version: '1', nodes: ids.map((id) => ({ id, address: `memory:${id}` })) });

afterEach(() => void vi.useRealTimers());

test.each([
  ['ahead', hourMs],
  ['back', -hourMs],
])('a wall clock that is set an hour %s neither ends a lease early nor makes it longer', async (_, byMs) => {
  await using registry = memoryRegistry({ network: memoryNetwork() });
  await using watcher = await registry.watch({ service: 'greeter' });
  await watcher.receive();
  await registry.register(greeter('long'), { ttlMs: 60_000 });
  await registry.register(greeter('short'), { ttlMs: 500 });
  const nowMs = Date.now();
  vi.useFakeTimers({ toFake: ['Date'] });
  vi.setSystemTime(nowMs + byMs);
  const types: string[] = [];
  for (let count = 0; count < 3; count++) {
    const event = await watcher.receive({ signal: AbortSignal.timeout(10_000) });
    types.push(event?.type ?? '');
  }
  expect(types).toEqual(['create', 'update', 'update']);
  expect(await registry.getService('greeter')).toEqual([greeter('long')]);
});
