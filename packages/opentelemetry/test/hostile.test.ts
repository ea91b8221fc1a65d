import { MicroError } from '@ts-micro/core';
import { expect, it } from 'vitest';
import { metric } from '../src/names.ts';
import { World } from './world.ts';

async function seriesOf(world: World): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (const name of Object.values(metric)) counts.set(name, (await world.values(name)).length);
  return counts;
}

it('names that somebody makes up become few series, and those that there are keep theirs', {
  timeout: 120_000,
}, async () => {
  await using world = new World();
  await world.serve('greeter', (service) => {
    service.handle('Greeter.Hello', () => ({ msg: 'hello' }));
    service.handle('Greeter.Late', () => ({ msg: 'hello' }));
    service.subscribe('orders.*.made', () => {});
  });
  const client = world.client();
  await client.call('greeter', 'Greeter.Hello', {});
  const rejected = async (promise: Promise<unknown>) => {
    await expect(promise).rejects.toMatchObject({ code: 'not_found' });
  };
  for (let n = 0; n < 1500; n++) {
    await rejected(client.call('greeter', `Greeter.Made${n}`, {}));
    if (n % 30 === 0) {
      await rejected(client.call(`made-${n}`, 'Greeter.Hello', {}));
      await client.publish(`orders.${n}.made`, {});
    }
  }
  const during = await seriesOf(world);
  expect(during.get(metric.clientActive)).toBeLessThan(110);
  expect(during.get(metric.clientDuration)).toBe(2);
  expect(during.get(metric.serverDuration)).toBe(1);
  expect(during.get(metric.processDuration)).toBe(1);
  for (let n = 0; n < 2; n++) await client.call('greeter', 'Greeter.Late', {});
  for (const name of [metric.clientActive, metric.clientDuration]) {
    const methods = (await world.values(name)).map(({ attributes }) => attributes['rpc.method']);
    expect(methods).toContain('greeter/Greeter.Late');
    expect(methods).toContain('_OTHER');
  }
});

it('trace context and baggage of a hostile peer harm no call and are not kept', async () => {
  await using world = new World();
  await world.serve('greeter', (service) => service.handle('Greeter.Hello', () => ({ msg: 'hello' })));
  const client = world.client();
  const hostile: readonly Record<string, string>[] = [
    { Traceparent: `00-${'0'.repeat(32)}-${'0'.repeat(16)}-01` },
    { Traceparent: 'x'.repeat(1_000_000) },
    { Traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', Tracestate: 'a=b,'.repeat(100_000) },
    { Baggage: Array.from({ length: 10_000 }, (_, n) => `k${n}=v`).join(',') },
    { Baggage: '__proto__=polluted,constructor=x,%E0%A4%A=1,=,;;;', Tracestate: '__proto__=x' },
    Object.fromEntries(Array.from({ length: 1000 }, (_, n) => [`x-${n}`, 'y'])),
  ];
  for (const metadata of hostile)
    expect(await client.call('greeter', 'Greeter.Hello', {}, { metadata })).toEqual({ msg: 'hello' });
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  expect((await world.values(metric.serverDuration)).length).toBe(1);
  for (const span of world.spans.getFinishedSpans()) {
    expect(JSON.stringify(span.attributes).length).toBeLessThan(1000);
    expect(span.spanContext().traceState?.serialize().length ?? 0).toBeLessThan(1000);
  }
});

it('the words of an error are short in a span, however long they are', async () => {
  await using world = new World();
  const long = 'x'.repeat(1_000_000);
  await world.serve('greeter', (service) => {
    service.handle('Greeter.Crash', () => {
      throw new Error(long);
    });
    service.handle('Greeter.Fail', () => {
      throw new MicroError('remote', long, { remote: { id: 'greeter', code: 500, detail: long, status: '' } });
    });
  });
  const client = world.client();
  for (const endpoint of ['Greeter.Crash', 'Greeter.Fail'])
    await expect(client.call('greeter', endpoint, {})).rejects.toMatchObject({ code: 'remote' });
  for (const { status, events } of world.spans.getFinishedSpans()) {
    expect(status.message).toHaveLength(2003);
    expect(JSON.stringify(events).length).toBeLessThan(20_000);
  }
});
