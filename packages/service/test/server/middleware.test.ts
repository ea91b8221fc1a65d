import { MicroError } from '@ts-micro/core';
import { describe, expect, it } from 'vitest';
import type { MiddlewareCall } from '../../src/middleware.ts';
import { golden } from '../rpc/golden.ts';
import { ask, errorOf, json, request, startGreeter, until } from './fixture.ts';

describe('middleware', () => {
  it('runs around requests, streams and events in one shape, the first outermost', async () => {
    const seen: string[] = [];
    const note = (name: string) => async (call: MiddlewareCall, next: () => Promise<unknown>) => {
      seen.push(`${name} ${call.side} ${call.kind} ${call.service} ${call.name}`);
      const result = await next();
      seen.push(`${name} done`);
      return result;
    };
    await using greeter = await startGreeter(
      (service) => {
        service.use(note('inner'));
        service.handle('Greeter.Hello', () => ({ ok: true }));
        service.handleStream('Greeter.Stream', async (stream) => stream.send({ ok: true }));
        service.subscribe('greeter.events', () => {});
      },
      { middleware: [note('outer')] },
    );
    const around = (what: string) => [`outer ${what}`, `inner ${what}`, 'inner done', 'outer done'];
    expect(json(await greeter.ask(request('Greeter.Hello', {})))).toEqual({ ok: true });
    expect(seen.splice(0)).toEqual(around('server unary greeter Greeter.Hello'));
    const socket = await greeter.dial();
    expect(json(await ask(socket, golden('S1')))).toEqual({ ok: true });
    await until('the stream is over', () => seen.length === 4);
    expect(seen.splice(0)).toEqual(around('server stream greeter Greeter.Stream'));
    await greeter.broker.publish('greeter.events', golden('V1'));
    await until('the event is handled', () => seen.length === 4);
    expect(seen).toEqual(around('server event greeter greeter.events'));
  });

  it('changes what the handler sees and what it answers', async () => {
    await using greeter = await startGreeter((service) => {
      service.use(async (call, next) => {
        call.headers['X-User'] = 'bob';
        call.payload = { name: 'John' };
        return { wrapped: await next() };
      });
      service.handle('Greeter.Hello', ({ name }: { name: string }, { metadata }) => ({ name, metadata }));
    });
    expect(json(await greeter.ask(request('Greeter.Hello', {}, { 'X-Tenant': 'a' })))).toEqual({
      wrapped: { name: 'John', metadata: { 'X-Tenant': 'a', 'X-User': 'bob' } },
    });
  });

  it('answers instead of the handler, or refuses', async () => {
    let handled = 0;
    await using greeter = await startGreeter((service) => {
      service.use((call, next) => {
        if (call.headers['X-Key'] === undefined) throw new MicroError('unauthorized', 'no key');
        return call.headers['X-Key'] === 'cached' ? { cached: true } : next();
      });
      service.handle('Greeter.Hello', () => {
        handled++;
      });
    });
    expect(errorOf(await greeter.ask(request('Greeter.Hello', {})))).toMatchObject({ code: 401, detail: 'no key' });
    expect(json(await greeter.ask(request('Greeter.Hello', {}, { 'X-Key': 'cached' })))).toEqual({ cached: true });
    expect(handled).toBe(0);
  });

  it('is told of the plugin that carries it, and of the subscription that an event came by', async () => {
    const seen: Partial<MiddlewareCall>[] = [];
    await using greeter = await startGreeter((service) => {
      service.use(({ kind, name, carrier, subscription }, next) => {
        seen.push({ kind, name, carrier, subscription });
        return next();
      });
      service.handle('Greeter.Hello', () => ({}));
      service.subscribe('greeter.*', () => {}, { queue: 'greeter' });
    });
    await greeter.ask(request('Greeter.Hello', {}));
    await greeter.broker.publish('greeter.events', golden('V1'));
    await until('the event is handled', () => seen.length === 2);
    expect(seen).toEqual([
      { kind: 'unary', name: 'Greeter.Hello', carrier: 'memory', subscription: undefined },
      {
        kind: 'event',
        name: 'greeter.events',
        carrier: 'memory',
        subscription: { topic: 'greeter.*', queue: 'greeter' },
      },
    ]);
  });

  it('runs a handler once, whatever calls next twice', async () => {
    const handled: string[] = [];
    const second: unknown[] = [];
    await using greeter = await startGreeter((service) => {
      service.use(async (_call, next) => {
        const first = await next();
        await next().catch((error: unknown) => second.push(error));
        return first;
      });
      service.handle('Greeter.Hello', () => {
        handled.push('unary');
        return { ok: true };
      });
      service.handleStream('Greeter.Stream', async (stream) => {
        handled.push('stream');
        await stream.send({ ok: true });
      });
      service.subscribe('greeter.events', () => void handled.push('event'));
    });
    expect(json(await greeter.ask(request('Greeter.Hello', {})))).toEqual({ ok: true });
    const socket = await greeter.dial();
    expect(json(await ask(socket, golden('S1')))).toEqual({ ok: true });
    await until('the stream is over', () => second.length === 2);
    await greeter.broker.publish('greeter.events', golden('V1'));
    await until('the event is over', () => second.length === 3);
    expect(handled).toEqual(['unary', 'stream', 'event']);
    for (const error of second)
      expect(error).toMatchObject({ code: 'internal', message: expect.stringContaining('called next twice') });
  });

  it('answers with an error where a second next is what it returns', async () => {
    let handled = 0;
    await using greeter = await startGreeter((service) => {
      service.use(async (_call, next) => {
        await next();
        return next();
      });
      service.handle('Greeter.Hello', () => {
        handled++;
      });
    });
    expect(errorOf(await greeter.ask(request('Greeter.Hello', {})))).toMatchObject({ code: 500 });
    expect(handled).toBe(1);
  });
});
