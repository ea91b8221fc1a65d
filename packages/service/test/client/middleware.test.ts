import type { BrokerEvent } from '@ts-micro/core';
import { expect, it } from 'vitest';
import type { Middleware, MiddlewareCall } from '../../src/middleware.ts';
import { bodyOf, codeOf, goReply, openWorld, prefer, until } from './world.ts';

it('wraps calls, the first one outermost', async () => {
  await using world = openWorld();
  const node = await world.node({ answer: (message) => goReply(message, { from: 'server' }) });
  const order: string[] = [];
  const named =
    (name: string): Middleware =>
    async (call, next) => {
      order.push(`${name} before ${call.side} ${call.kind} ${call.service} ${call.name}`);
      const response = await next();
      order.push(`${name} after`);
      return { ...(response as object), [name]: true };
    };
  const client = world.client({ middleware: [named('outer')] });
  client.use(named('inner'));
  expect(await client.call('greeter', 'Greeter.Hello')).toEqual({ from: 'server', inner: true, outer: true });
  expect(order).toEqual([
    'outer before client unary greeter Greeter.Hello',
    'inner before client unary greeter Greeter.Hello',
    'inner after',
    'outer after',
  ]);
  expect(node.messages).toHaveLength(1);
});

it('changes what goes out: headers and payload', async () => {
  await using world = openWorld();
  const node = await world.node();
  const events: BrokerEvent[] = [];
  await world.broker.subscribe('topic', (event) => void events.push(event));
  const client = world.client({
    callMetadata: { Tenant: 'x', Drop: 'me' },
    middleware: [
      (call, next) => {
        call.headers.Trace = `${call.kind} ${call.headers.Tenant}`;
        delete call.headers.Drop;
        if (call.kind !== 'stream') call.payload = { changed: call.payload };
        return next();
      },
    ],
  });
  await client.call('greeter', 'Greeter.Hello', 1);
  await client.publish('topic', 2);
  await using stream = await client.stream('greeter', 'Greeter.Chat');
  await stream.send(3);
  await until(() => node.messages.length === 3 && events.length === 1);
  expect(node.messages[0]?.headers).toMatchObject({ Tenant: 'x', Trace: 'unary x' });
  expect(node.messages[0]?.headers).not.toHaveProperty('Drop');
  expect(bodyOf(node.messages[0])).toEqual({ changed: 1 });
  expect(events[0]?.message.headers).toMatchObject({ Trace: 'event x' });
  expect(bodyOf(events[0]?.message)).toEqual({ changed: 2 });
  expect(node.messages[1]?.headers).toMatchObject({ Trace: 'stream x' });
});

it('may answer by itself, or fail', async () => {
  await using world = openWorld();
  const node = await world.node();
  const client = world.client({
    middleware: [
      (call, next) => {
        if (call.name === 'Greeter.Cached') return 'from the cache';
        if (call.name === 'Greeter.Forbidden') throw new RangeError('forbidden');
        return next();
      },
    ],
  });
  expect(await client.call('greeter', 'Greeter.Cached')).toBe('from the cache');
  await expect(client.call('greeter', 'Greeter.Forbidden')).rejects.toThrow('forbidden');
  expect(node.messages).toEqual([]);
  await client.call('greeter', 'Greeter.Hello');
});

it('sees the error of a call', async () => {
  await using world = openWorld();
  const seen: unknown[] = [];
  const client = world.client({
    middleware: [
      async (_call, next) => {
        try {
          return await next();
        } catch (error) {
          seen.push((error as { code: string }).code);
          throw error;
        }
      },
    ],
  });
  expect(await codeOf(client.call('nobody', 'No.Body'))).toBe('not_found');
  expect(seen).toEqual(['not_found']);
});

it('is told of the node, of the plugin, and of each attempt that another one followed', async () => {
  await using world = openWorld();
  const dead = await world.node({ id: 'dead' });
  const alive = await world.node({ id: 'alive' });
  await dead.kill();
  const calls: MiddlewareCall[] = [];
  const client = world.client({
    selector: prefer('dead'),
    middleware: [
      (call, next) => {
        calls.push(call);
        return next();
      },
    ],
  });
  const began = Date.now();
  await client.call('greeter', 'Greeter.Hello');
  await client.publish('topic', 1);
  expect(calls[0]).toMatchObject({ carrier: 'memory', node: { id: alive.id } });
  expect(calls[0]?.failedAttempts).toHaveLength(1);
  const [failed] = calls[0]?.failedAttempts ?? [];
  expect(failed).toMatchObject({ node: { id: 'dead' }, error: { code: 'unavailable' } });
  expect(failed?.failedAt).toBeGreaterThanOrEqual(began);
  expect(calls[1]).toMatchObject({ kind: 'event', carrier: 'memory' });
  expect(calls[1]?.failedAttempts).toBeUndefined();
});

it('is not told of the last attempt as of one that another followed', async () => {
  await using world = openWorld();
  const dead = await world.node({ id: 'dead' });
  await dead.kill();
  let seen: MiddlewareCall | undefined;
  const client = world.client({
    middleware: [
      (call, next) => {
        seen = call;
        return next();
      },
    ],
  });
  expect(await codeOf(client.call('greeter', 'Greeter.Hello', {}, { retries: 0 }))).toBe('unavailable');
  expect(seen).toMatchObject({ node: { id: 'dead' } });
  expect(seen?.failedAttempts).toBeUndefined();
});

it('is a function', async () => {
  await using world = openWorld();
  const client = world.client();
  for (const middleware of [undefined, null, 'log', {}, []])
    expect(() => client.use(middleware as unknown as Middleware)).toThrow(
      expect.objectContaining({ code: 'invalid', message: expect.stringContaining('middleware[0]') }),
    );
});
