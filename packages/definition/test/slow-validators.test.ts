import { describe, expect, it, vi } from 'vitest';
import {
  bidiStream,
  defineService,
  handle,
  type Schema,
  serverStream,
  subscribe,
  typedClient,
  unary,
  unchecked,
} from '../src/index.ts';
import { memoryPlugins } from './memory-plugins.ts';
import { rejection, startWorld } from './world.ts';

/** A validator that asks somebody who never answers, where the value is `stuck`. */
const stalling: Schema<{ text: string }> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value) =>
      (value as { text: string }).text === 'stuck'
        ? new Promise(() => {})
        : Promise.resolve({ value: value as { text: string } }),
  },
};
const plain = unchecked<{ text: string }>();

const echo = defineService({
  name: 'greeter',
  endpoints: {
    'Echo.Request': unary({ request: stalling, response: plain }),
    'Echo.Response': unary({ request: plain, response: stalling }),
    'Echo.Error': unary({ request: plain, response: plain, errors: { no: stalling } }),
    'Echo.Many': serverStream({ request: stalling, response: plain }),
    'Echo.ManyAnswers': serverStream({ request: plain, response: stalling }),
    'Echo.Chat': bidiStream({ request: plain, response: stalling }),
  },
  events: { 'echo.said': stalling },
});

function start(text: string) {
  const unchecked = { validateRequests: false, validateResponses: false };
  return startWorld(memoryPlugins, 'auto', (service) => {
    handle(service, echo, 'Echo.Request', (request) => request, unchecked);
    handle(service, echo, 'Echo.Response', () => ({ text }), unchecked);
    handle(service, echo, 'Echo.Error', (_request, _context, fail) => {
      throw fail('no', { text });
    });
    handle(service, echo, 'Echo.Many', (request) => [request], unchecked);
    handle(service, echo, 'Echo.ManyAnswers', () => [{ text }, { text: 'next' }], unchecked);
    handle(
      service,
      echo,
      'Echo.Chat',
      async (stream) => {
        await stream.send({ text });
        await stream.receive();
      },
      unchecked,
    );
  });
}

const stuck = { text: 'stuck' };

describe('a validator that never answers', () => {
  it('takes no longer than the call', async () => {
    await using world = await start('stuck');
    const { Echo } = typedClient(world.client, echo);
    expect(await rejection(Echo.Request(stuck, { timeoutMs: 20 }))).toMatchObject({ code: 'timeout' });
    expect(await rejection(Echo.Response(stuck, { timeoutMs: 200 }))).toMatchObject({ code: 'timeout' });
  });

  it('ends with the signal of the call', async () => {
    await using world = await start('stuck');
    const { Echo, events } = typedClient(world.client, echo);
    const controller = new AbortController();
    const { signal } = controller;
    const failures = [
      rejection(Echo.Request(stuck, { signal })),
      rejection(Echo.Many(stuck, { signal }).receive()),
      rejection(events['echo.said'].publish(stuck, { signal })),
    ];
    controller.abort();
    for (const failure of failures) expect(await failure).toMatchObject({ code: 'canceled' });
  });

  it('does not hold a stream that is closed, nor a receive that is aborted', async () => {
    await using world = await start('stuck');
    const { Echo } = typedClient(world.client, echo);
    const chat = await Echo.Chat();
    const received = chat.receive();
    await chat.close();
    expect(await received).toBeUndefined();
    const responses = Echo.ManyAnswers(stuck);
    const controller = new AbortController();
    const aborted = rejection(responses.receive({ signal: controller.signal }));
    controller.abort();
    expect(await aborted).toMatchObject({ code: 'canceled' });
    await responses.close();
    const never = Echo.Many(stuck);
    const waiting = never.receive();
    await never.close();
    expect(await waiting).toBeUndefined();
  });

  it('leaves the error as it came where it is to check an error', async () => {
    await using world = await start('fine');
    const { Echo } = typedClient(world.client, echo);
    const error = await rejection(Echo.Error({ text: '' }));
    expect(Echo.Error.failure(error)).toMatchObject({ name: 'no', data: { text: 'fine' } });
  });

  it('gives its place at the service back when the caller has gone', async () => {
    const handled = vi.fn();
    await using world = await startWorld(memoryPlugins, 'auto', (service) => {
      handle(service, echo, 'Echo.Request', (request) => {
        handled();
        return request;
      });
      handle(service, echo, 'Echo.Response', () => stuck);
      handle(service, echo, 'Echo.Chat', async (stream) => {
        await stream.send(stuck);
      });
      subscribe(service, echo, 'echo.said', () => {});
    });
    const { Echo } = typedClient(world.client, echo, { validateRequests: false });
    expect(await rejection(Echo.Request(stuck, { timeoutMs: 50 }))).toMatchObject({ code: 'timeout' });
    expect(await rejection(Echo.Response(stuck, { timeoutMs: 50 }))).toMatchObject({ code: 'timeout' });
    const chat = await Echo.Chat();
    await expect.poll(() => world.service.health().running).toBe(1);
    await chat.close();
    await expect.poll(() => world.service.health().running).toBe(0);
    expect(handled).not.toHaveBeenCalled();
  });
});

describe('a validator that takes its time', () => {
  it('is waited for', async () => {
    await using world = await start('fine');
    const { Echo } = typedClient(world.client, echo);
    expect(await Echo.Request({ text: 'a' }, { timeoutMs: 5000 })).toEqual({ text: 'a' });
    expect(await Echo.Response({ text: 'a' }, { timeoutMs: 5000 })).toEqual({ text: 'fine' });
  });
});
