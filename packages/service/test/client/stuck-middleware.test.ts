import { MicroError } from '@ts-micro/core';
import { expect, it } from 'vitest';
import type { Client } from '../../src/client/client.ts';
import type { Candidate } from '../../src/client/discovery/selector.ts';
import type { Middleware } from '../../src/middleware.ts';
import { codeOf, openWorld } from './world.ts';

const never: Middleware = () => new Promise(() => {});

/** All three that middleware is wrapped around. */
const actions: readonly (readonly [string, (client: Client, signal?: AbortSignal) => Promise<unknown>])[] = [
  ['a call', (client, signal) => client.call('greeter', 'Greeter.Hello', {}, { signal })],
  ['a stream', (client, signal) => client.stream('greeter', 'Greeter.Chat', { signal })],
  ['an event', (client, signal) => client.publish('topic', {}, { signal })],
];

it.each(actions)('%s ends by its deadline though its middleware never settles', async (_, act) => {
  await using world = openWorld();
  const client = world.client({ middleware: [never], timeoutMs: 30 });
  await expect(act(client)).rejects.toMatchObject({ code: 'timeout', message: expect.stringContaining('middleware') });
});

it.each(actions)('%s ends as its signal aborts though its middleware never settles', async (_, act) => {
  await using world = openWorld();
  const client = world.client({ middleware: [never] });
  const abort = new AbortController();
  const outcome = codeOf(act(client, abort.signal));
  abort.abort();
  expect(await outcome).toBe('canceled');
});

it.each(actions)('%s ends with its client though its middleware never settles', async (_, act) => {
  await using world = openWorld();
  const client = world.client({ middleware: [never], timeoutMs: 60_000 });
  const outcome = codeOf(act(client));
  await client.close({ signal: AbortSignal.abort() });
  expect(await outcome).toBe('closed');
});

it('closing a client waits for middleware that goes on after its call', async () => {
  await using world = openWorld();
  await world.node();
  let goOn: () => void = () => {};
  const gate = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const late: Middleware = async (_call, next) => {
    await next();
    await gate;
    return 'after it';
  };
  const client = world.client({ middleware: [late] });
  const outcome = client.call('greeter', 'Greeter.Hello');
  const closing = client.close();
  goOn();
  expect(await outcome).toBe('after it');
  await closing;
});

it('a middleware has the time of a call for each stretch between its calls of `next`', async () => {
  await using world = openWorld();
  await world.node({ answer: () => undefined });
  const attempts: unknown[] = [];
  const again: Middleware = async (_call, next) => {
    for (let time = 0; time < 3; time++) attempts.push(await codeOf(next()));
    return 'in the end';
  };
  const client = world.client({ middleware: [again], timeoutMs: 30 });
  expect(await client.call('greeter', 'Greeter.Hello', {}, { retries: 0 })).toBe('in the end');
  expect(attempts).toEqual(['timeout', 'timeout', 'timeout']);
});

it('a middleware that calls `next` after the end of its call calls nobody', async () => {
  await using world = openWorld();
  const node = await world.node();
  let late: Promise<unknown> | undefined;
  const tooLate: Middleware = async (call, next) => {
    await codeOf(new Promise((_, reject) => call.context?.signal.addEventListener('abort', reject)));
    late = next();
    return late;
  };
  const abort = new AbortController();
  const client = world.client({ middleware: [tooLate] });
  const context = { metadata: {}, deadline: undefined, signal: abort.signal };
  const outcome = codeOf(client.call('greeter', 'Greeter.Hello', {}, { context }));
  abort.abort();
  expect(await outcome).toBe('canceled');
  expect(late === undefined ? 'canceled' : await codeOf(late)).toBe('canceled');
  expect(node.messages).toEqual([]);
});

it('a middleware that leaves the failure of `next` alone ends no process', async () => {
  await using world = openWorld();
  const client = world.client({
    middleware: [
      (_call, next) => {
        void next();
        return 'mine';
      },
    ],
  });
  // Vitest fails the run for a rejection that nobody handles.
  expect(await client.call('nobody', 'Greeter.Hello')).toBe('mine');
});

it('an observer of a selector that throws costs no call its answer, and is told once', async () => {
  await using world = openWorld();
  await world.node();
  const told: unknown[] = [];
  const fail = () => {
    throw new RangeError('no room');
  };
  const selector = Object.assign((candidates: readonly Candidate[]) => candidates[0] as Candidate, {
    observer: { began: fail, ended: fail, forget: fail },
  });
  const note = (message: string) => void told.push(message);
  const client = world.client({ selector, logger: { debug: note, info: note, warn: note, error: note } });
  await client.call('greeter', 'Greeter.Hello');
  await client.call('greeter', 'Greeter.Hello');
  expect(told).toEqual(["the selector's observer failed"]);
});

it.each([
  [
    'throws',
    () => {
      throw new RangeError('no such label');
    },
  ],
  ['is async', async () => true],
])('a filter that %s fails its call as `invalid`', async (_, where) => {
  await using world = openWorld();
  await world.node();
  const client = world.client();
  const options = { where: where as never };
  await expect(client.call('greeter', 'Greeter.Hello', {}, options)).rejects.toSatisfy(
    (error) => MicroError.is(error, 'invalid') && error.message.includes('option where'),
  );
});
