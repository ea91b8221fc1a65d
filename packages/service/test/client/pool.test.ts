import { abortFanOut } from '@ts-micro/kit';
import { expect, it } from 'vitest';
import { UnaryCall } from '../../src/client/call/unary-call.ts';
import { type CallOptions, clientSettings } from '../../src/client/client-options.ts';
import { Attempts } from '../../src/client/retry/attempts.ts';
import { codeOf, goError, goReply, mute, never, openWorld, until, warm } from './world.ts';

it('uses one socket for calls one after the other, and one each for calls at once', async () => {
  await using world = openWorld();
  const node = await world.node();
  const client = world.client();
  for (let call = 0; call < 10; call++) await client.call('greeter', 'Greeter.Hello');
  expect(node.accepted).toBe(1);
  for (let round = 0; round < 3; round++)
    await Promise.all(Array.from({ length: 8 }, () => client.call('greeter', 'Greeter.Hello')));
  expect(node.accepted).toBe(8);
});

it('never has two requests outstanding on one socket', async () => {
  await using world = openWorld();
  const busy = new Set<unknown>();
  let clashes = 0;
  await world.node({
    answer: async (message, socket) => {
      if (busy.has(socket)) clashes++;
      busy.add(socket);
      await new Promise((resolve) => setImmediate(resolve));
      busy.delete(socket);
      return goReply(message, 1);
    },
  });
  const client = world.client();
  const caller = async () => {
    for (let call = 0; call < 50; call++) await client.call('greeter', 'Greeter.Hello');
  };
  await Promise.all(Array.from({ length: 16 }, caller));
  expect(clashes).toBe(0);
});

it('keeps the socket of a call that a handler failed', async () => {
  await using world = openWorld();
  const node = await world.node({ answer: (message) => goError(message, 'no') });
  const client = world.client();
  for (let call = 0; call < 5; call++) expect(await codeOf(client.call('greeter', 'Greeter.Hello'))).toBe('remote');
  expect(node.accepted).toBe(1);
});

it('discards the socket of a call that timed out', async () => {
  await using world = openWorld();
  const node = await world.node({ answer: mute });
  const client = world.client();
  await warm(client);
  expect(await codeOf(client.call('greeter', 'Greeter.Hello', {}, { timeoutMs: 30 }))).toBe('timeout');
  await warm(client);
  expect(node.accepted).toBe(2);
  await until(() => node.open === 1);
});

it('keeps no more idle sockets than asked for', async () => {
  await using world = openWorld();
  const node = await world.node();
  const client = world.client({ poolSize: 2 });
  await Promise.all(Array.from({ length: 10 }, () => client.call('greeter', 'Greeter.Hello')));
  await until(() => node.open === 2);
});

it('closes sockets idle for too long', async () => {
  await using world = openWorld();
  const node = await world.node();
  const client = world.client({ poolIdleMs: 100 });
  await client.call('greeter', 'Greeter.Hello');
  await until(() => node.open === 0);
  await client.call('greeter', 'Greeter.Hello');
  expect(node.accepted).toBe(2);
});

it('dials anew, without spending a retry, where the peer closed an idle socket', async () => {
  await using world = openWorld();
  const node = await world.node({
    answer: async (message, socket) => {
      await socket.send(goReply(message, 'bye'));
      await socket.close();
      return undefined;
    },
  });
  const client = world.client({ retries: 0 });
  for (let call = 0; call < 5; call++) {
    expect(await client.call('greeter', 'Greeter.Hello')).toBe('bye');
    await until(() => node.open === 0);
  }
  expect(node.accepted).toBe(5);
});

it('drops the sockets of a node that left', async () => {
  await using world = openWorld();
  const [stays, leaves] = [await world.node(), await world.node()];
  const client = world.client();
  await until(() => {
    void client.call('greeter', 'Greeter.Hello').catch(() => {});
    return stays.open > 0 && leaves.open > 0;
  });
  await leaves.leave();
  await until(() => leaves.open === 0);
  expect(stays.open).toBeGreaterThan(0);
});

it('waits for running calls when closed, and leaves nothing open', async () => {
  await using world = openWorld();
  let answer: () => void = () => {};
  const asked = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const node = await world.node({ answer: (message) => asked.then(() => goReply(message, 'late')) });
  const client = world.client();
  const call = client.call('greeter', 'Greeter.Hello');
  await until(() => node.messages.length === 1);
  const closing = client.close();
  expect(await codeOf(client.call('greeter', 'Greeter.Hello'))).toBe('closed');
  answer();
  expect(await call).toBe('late');
  await closing;
  await until(() => node.open === 0);
  expect(await client.closed).toBe(undefined);
});

it('ends calls that run beyond the bound of a close, and says so', async () => {
  await using world = openWorld();
  const node = await world.node({ answer: () => never });
  const client = world.client({ retries: 5 });
  const call = client.call('greeter', 'Greeter.Hello', {}, { idempotent: true });
  const outcome = codeOf(call);
  await until(() => node.messages.length === 1);
  await client.close({ signal: AbortSignal.timeout(50) });
  expect(await outcome).toBe('closed');
  expect(await client.closed).toMatchObject({ code: 'timeout', message: expect.stringContaining('1 running call') });
  await until(() => node.open === 0);
});

it('keeps nothing of calls that are over, however they ended', async () => {
  await using world = openWorld();
  const node = await world.node({ answer: mute });
  const settings = clientSettings({ transport: world.transport, registry: world.registry });
  const attempts = new Attempts(settings);
  const call = (endpoint: string, options?: CallOptions) => {
    const request = { payload: {}, metadata: undefined };
    return codeOf(attempts.run(new UnaryCall(attempts, 'greeter', endpoint, request, options)));
  };
  const caller = async () => {
    for (let round = 0; round < 300; round++) await call('Greeter.Warm', { signal: new AbortController().signal });
    expect(await call('Greeter.Hello', { timeoutMs: 20 })).toBe('timeout');
    expect(await call('Greeter.Hello', { signal: AbortSignal.timeout(20) })).toBe('timeout');
    expect(await call('Greeter.Hello', { contentType: 'x/y' })).toBe('unsupported');
  };
  await Promise.all(Array.from({ length: 32 }, caller));
  expect(node.accepted).toBeLessThanOrEqual(96);
  expect([attempts.running, attempts.clock.running, abortFanOut.size]).toEqual([0, 0, 0]);
  await attempts.close();
  await until(() => node.open === 0);
});
