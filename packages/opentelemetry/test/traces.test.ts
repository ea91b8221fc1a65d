import { context, propagation, ROOT_CONTEXT, SpanStatusCode, trace } from '@opentelemetry/api';
import { MicroError } from '@ts-micro/core';
import { type Candidate, createService } from '@ts-micro/service';
import { describe, expect, it } from 'vitest';
import { ancestry, keepContext, World } from './world.ts';

/** Of a registry that is asked each time. */
const supports = { ttl: false, watch: false };

describe('a call', () => {
  it('is a client span with the server span as its child, by the semantic conventions', async () => {
    await using world = new World();
    const greeter = await world.serve('greeter', (service) => service.handle('Greeter.Hello', () => ({ msg: 'hi' })));
    await world.client().call('greeter', 'Greeter.Hello');
    const spans = await world.ended(2);
    const client = spans.get('CLIENT greeter/Greeter.Hello');
    const server = spans.get('SERVER greeter/Greeter.Hello');
    expect(client?.attributes).toEqual({
      'rpc.system.name': 'ts-micro',
      'rpc.method': 'greeter/Greeter.Hello',
      'server.address': 'greeter',
      'ts_micro.node.id': greeter.node?.id,
    });
    expect(server?.attributes).toEqual({ 'rpc.system.name': 'ts-micro', 'rpc.method': 'greeter/Greeter.Hello' });
    expect(client?.status.code).toBe(SpanStatusCode.UNSET);
    expect(server?.parentSpanContext?.spanId).toBe(client?.spanContext().spanId);
    expect(server?.spanContext().traceId).toBe(client?.spanContext().traceId);
    expect(client?.parentSpanContext).toBeUndefined();
  });

  it('fails with the number that the handler answered, which is an error of the service from 500 on', async () => {
    await using world = new World();
    await world.serve('greeter', (service) => {
      service.handle('Greeter.Missing', () => {
        throw new MicroError('not_found', 'no such greeting');
      });
      service.handle('Greeter.Broken', () => {
        throw new RangeError('broken');
      });
    });
    const client = world.client();
    await expect(client.call('greeter', 'Greeter.Missing')).rejects.toThrow('no such greeting');
    await expect(client.call('greeter', 'Greeter.Broken')).rejects.toThrow('broken');
    const spans = await world.ended(4);
    const failed = { 'error.type': '404', 'rpc.status_code': '404' };
    expect(spans.get('CLIENT greeter/Greeter.Missing')?.attributes).toMatchObject(failed);
    expect(spans.get('CLIENT greeter/Greeter.Missing')?.status.code).toBe(SpanStatusCode.ERROR);
    expect(spans.get('SERVER greeter/Greeter.Missing')?.attributes).toMatchObject(failed);
    expect(spans.get('SERVER greeter/Greeter.Missing')?.status.code).toBe(SpanStatusCode.UNSET);
    const broken = spans.get('SERVER greeter/Greeter.Broken');
    expect(broken?.status).toEqual({ code: SpanStatusCode.ERROR, message: 'broken' });
    expect(broken?.events).toMatchObject([{ name: 'exception', attributes: { 'exception.type': 'RangeError' } }]);
  });

  it('fails with the code of the client where no handler answered', async () => {
    await using world = new World();
    await expect(world.client().call('nobody', 'No.Body')).rejects.toThrow();
    const spans = await world.ended(1);
    expect(spans.get('CLIENT nobody/No.Body')?.attributes).toMatchObject({ 'error.type': 'not_found' });
    expect(spans.get('CLIENT nobody/No.Body')?.attributes).not.toHaveProperty('rpc.status_code');
  });

  it('has each attempt that another one followed as an event at its time', async () => {
    await using world = new World();
    const dead = await world.serve('greeter', (service) => service.handle('Greeter.Hello', () => 'dead'));
    const alive = await world.serve('greeter', (service) => service.handle('Greeter.Hello', () => 'alive'));
    const deadId = dead.node?.id;
    const { record } = alive;
    const nodes = [...dead.record.nodes, ...record.nodes];
    const client = world.client({
      selector: (candidates) => (candidates.find(({ node }) => node.id === deadId) ?? candidates[0]) as Candidate,
      // One that has not heard of the stop.
      registry: { ...world.plugins.registry, name: 'stale', supports, getService: async () => [{ ...record, nodes }] },
    });
    expect(await client.call('greeter', 'Greeter.Hello')).toBe('dead');
    await dead.stop();
    expect(await client.call('greeter', 'Greeter.Hello')).toBe('alive');
    await expect.poll(() => world.spans.getFinishedSpans().length).toBe(4);
    const retried = world.spans.getFinishedSpans().find(({ events }) => events.length > 0);
    expect(retried?.attributes).toMatchObject({ 'ts_micro.attempts': 2, 'ts_micro.node.id': alive.node?.id });
    expect(retried?.events).toMatchObject([
      {
        name: 'ts_micro.retry',
        attributes: { 'ts_micro.attempt': 1, 'error.type': 'unavailable', 'ts_micro.node.id': deadId },
      },
    ]);
    expect(await world.sum('ts_micro.client.retries')).toBe(1);
  });
});

describe('a trace', () => {
  it('goes on through what a handler calls, by the active context', async () => {
    using _context = keepContext();
    await using world = new World();
    const client = world.client();
    await world.serve('back', (service) => service.handle('Back.End', () => 'end'));
    await world.serve('front', (service) =>
      service.handle('Front.End', async () => {
        await Promise.resolve();
        return client.call('back', 'Back.End');
      }),
    );
    await world.client().call('front', 'Front.End');
    const spans = await world.ended(4);
    const last = spans.get('SERVER back/Back.End');
    expect(last && ancestry(last, spans.values())).toEqual([
      'SERVER back/Back.End',
      'CLIENT back/Back.End',
      'SERVER front/Front.End',
      'CLIENT front/Front.End',
    ]);
  });

  it('goes on by the context that a call is given, where nothing keeps the active one', async () => {
    await using world = new World();
    const client = world.client();
    await world.serve('back', (service) => service.handle('Back.End', () => 'end'));
    await world.serve('front', (service) =>
      service.handle('Front.End', (_request, incoming) => client.call('back', 'Back.End', {}, { context: incoming })),
    );
    await world.client().call('front', 'Front.End');
    const spans = await world.ended(4);
    const last = spans.get('SERVER back/Back.End');
    expect(last && ancestry(last, spans.values())).toHaveLength(4);
  });

  it('goes on from the metadata where a handler has no span of its own', async () => {
    await using world = new World();
    const client = world.client();
    await world.serve('back', (service) => service.handle('Back.End', () => 'end'));
    const plain = createService({ name: 'front', ...world.plugins, drainGraceMs: 0 });
    plain.handle('Front.End', (_request, incoming) => client.call('back', 'Back.End', {}, { context: incoming }));
    await plain.start();
    await world.client().call('front', 'Front.End');
    await plain.stop();
    const spans = await world.ended(3);
    const last = spans.get('SERVER back/Back.End');
    expect(last && ancestry(last, spans.values())).toEqual([
      'SERVER back/Back.End',
      'CLIENT back/Back.End',
      'CLIENT front/Front.End',
    ]);
  });

  it('goes on through an event, a producer span with a consumer span as its child', async () => {
    using _context = keepContext();
    await using world = new World();
    const client = world.client();
    await world.serve('mailer', (service) => service.subscribe('orders.*', () => {}, { queue: 'mailer' }));
    await world.serve('shop', (service) =>
      service.handle('Shop.Order', () => client.publish('orders.created', { id: 1 })),
    );
    await world.client().call('shop', 'Shop.Order');
    const spans = await world.ended(4);
    const process = spans.get('CONSUMER process orders.*');
    expect(process && ancestry(process, spans.values())).toEqual([
      'CONSUMER process orders.*',
      'PRODUCER publish orders.created',
      'SERVER shop/Shop.Order',
      'CLIENT shop/Shop.Order',
    ]);
    expect(process?.attributes).toEqual({
      'messaging.system.name': 'memory',
      'messaging.operation.name': 'process',
      'messaging.operation.type': 'process',
      'messaging.destination.name': 'orders.created',
      'messaging.destination.template': 'orders.*',
      'messaging.consumer.group.name': 'mailer',
    });
    expect(spans.get('PRODUCER publish orders.created')?.attributes).toEqual({
      'messaging.system.name': 'memory',
      'messaging.operation.name': 'publish',
      'messaging.operation.type': 'send',
      'messaging.destination.name': 'orders.created',
    });
  });

  it('carries baggage to every handler', async () => {
    using _context = keepContext();
    await using world = new World();
    const client = world.client();
    await world.serve('back', (service) =>
      service.handle('Back.End', () => propagation.getBaggage(context.active())?.getEntry('tenant')?.value),
    );
    await world.serve('front', (service) => service.handle('Front.End', () => client.call('back', 'Back.End')));
    const baggage = propagation.createBaggage({ tenant: { value: 'a b' } });
    const answer = await context.with(propagation.setBaggage(ROOT_CONTEXT, baggage), () =>
      client.call('front', 'Front.End'),
    );
    expect(answer).toBe('a b');
  });

  it('does not begin in the span in whose course a connection was opened', async () => {
    using _context = keepContext();
    await using world = new World();
    await world.serve('greeter', (service) => service.handle('Greeter.Hello', () => 'hi'));
    const plain = world.client({ middleware: [] });
    const outer = world.tracerProvider.getTracer('test').startSpan('outer');
    await context.with(trace.setSpan(ROOT_CONTEXT, outer), () => plain.call('greeter', 'Greeter.Hello'));
    const spans = await world.ended(1);
    expect(spans.get('SERVER greeter/Greeter.Hello')?.parentSpanContext).toBeUndefined();
  });

  it('replaces the headers of the trace that an incoming request had, in any case', async () => {
    await using world = new World();
    const seen: string[][] = [];
    await world.serve('greeter', (service) =>
      service.handle('Greeter.Hello', (_request, { metadata }) => {
        seen.push(Object.keys(metadata).filter((name) => name.toLowerCase() === 'traceparent'));
      }),
    );
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    await world.client().call('greeter', 'Greeter.Hello', {}, { metadata: { traceparent } });
    const spans = await world.ended(2);
    expect(seen).toEqual([['Traceparent']]);
    expect(spans.get('SERVER greeter/Greeter.Hello')?.spanContext().traceId).toBe('0af7651916cd43dd8448eb211c80319c');
    expect(spans.get('CLIENT greeter/Greeter.Hello')?.parentSpanContext?.spanId).toBe('b7ad6b7169203331');
  });
});

describe('a stream', () => {
  it('is a span on both sides until it is over, with the counts of its messages', async () => {
    await using world = new World();
    await world.serve('greeter', (service) =>
      service.handleStream('Greeter.Echo', async (stream) => {
        for await (const value of stream) await stream.send(value);
      }),
    );
    await using stream = await world.client().stream('greeter', 'Greeter.Echo');
    for (let value = 1; value <= 3; value++) await stream.send(value);
    expect(await stream.receive()).toBe(1);
    expect(world.spans.getFinishedSpans()).toEqual([]);
    expect(await world.sum('ts_micro.client.active_calls')).toBe(1);
    await stream.end();
    const rest: unknown[] = [];
    for await (const value of stream) rest.push(value);
    expect(rest).toEqual([2, 3]);
    const spans = await world.ended(2);
    const counts = { 'ts_micro.stream.messages_sent': 3, 'ts_micro.stream.messages_received': 3 };
    expect(spans.get('CLIENT greeter/Greeter.Echo')?.attributes).toMatchObject(counts);
    expect(spans.get('SERVER greeter/Greeter.Echo')?.attributes).toMatchObject(counts);
    expect(await world.sum('ts_micro.client.active_calls')).toBe(0);
    expect(await world.sum('ts_micro.stream.messages')).toBe(12);
  });

  it('fails with what it ended with, and ends where its reader leaves the loop', async () => {
    await using world = new World();
    await world.serve('greeter', (service) => {
      service.handleStream('Greeter.Fail', () => {
        throw new MicroError('conflict', 'enough');
      });
      service.handleStream('Greeter.Count', async (stream) => {
        for (let value = 0; ; value++) await stream.send(value);
      });
    });
    const client = world.client();
    await using failing = await client.stream('greeter', 'Greeter.Fail');
    await expect(failing.receive()).rejects.toThrow('enough');
    const endless = await client.stream('greeter', 'Greeter.Count');
    for await (const value of endless) if (value === 2) break;
    const spans = await world.ended(4);
    expect(spans.get('CLIENT greeter/Greeter.Fail')?.attributes).toMatchObject({ 'error.type': '409' });
    expect(spans.get('CLIENT greeter/Greeter.Count')?.attributes).not.toHaveProperty('error.type');
  });

  it('is left at once though a value is waited for', async () => {
    await using world = new World();
    await world.serve('greeter', (service) =>
      service.handleStream('Greeter.Once', async (stream, { signal }) => {
        await stream.send(1);
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
      }),
    );
    const client = world.client();
    const open = async () => (await client.stream('greeter', 'Greeter.Once'))[Symbol.asyncIterator]();
    const [left, thrown] = [await open(), await open()];
    expect([await left.next(), await thrown.next()].map(({ value }) => value)).toEqual([1, 1]);
    const waiting = [left.next(), thrown.next()];
    expect(await left.return?.()).toMatchObject({ done: true });
    await expect(thrown.throw?.(new Error('mine'))).rejects.toThrow('mine');
    expect((await Promise.all(waiting)).map(({ done }) => done)).toEqual([true, true]);
    const spans = await world.ended(4);
    const counts = { 'ts_micro.stream.messages_received': 1 };
    expect(spans.get('CLIENT greeter/Greeter.Once')?.attributes).toMatchObject(counts);
  });

  it('that cannot be opened is a failed span', async () => {
    await using world = new World();
    await expect(world.client().stream('nobody', 'No.Body')).rejects.toThrow();
    const spans = await world.ended(1);
    expect(spans.get('CLIENT nobody/No.Body')?.attributes).toMatchObject({ 'error.type': 'not_found' });
  });
});
