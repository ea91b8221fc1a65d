import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import {
  bidiStream,
  clientStream,
  defineService,
  handle,
  type Schema,
  serverStream,
  typedClient,
  unchecked,
} from '../src/index.ts';
import { memoryPlugins } from './memory-plugins.ts';
import { startWorld } from './world.ts';

/** Takes its time for ever with the second value. */
const stalling: Schema<number> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value) => (value === 1 ? { value } : new Promise(() => {})),
  },
};
const number = unchecked<number>();
const quiet = defineService({
  name: 'greeter',
  endpoints: {
    'Quiet.Responses': serverStream({ request: number, response: number }),
    'Quiet.Chat': bidiStream({ request: number, response: number }),
    'Quiet.Upload': clientStream({ request: number, response: number }),
    'Quiet.Stalling': bidiStream({ request: number, response: stalling }),
  },
});

function start() {
  const oneAndNoMore = async function* (signal: AbortSignal) {
    yield 1;
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
  };
  return startWorld(memoryPlugins, 'auto', (service) => {
    handle(service, quiet, 'Quiet.Responses', (_request, { signal }) => oneAndNoMore(signal));
    handle(service, quiet, 'Quiet.Chat', (_stream, { signal }) => oneAndNoMore(signal));
    handle(service, quiet, 'Quiet.Upload', async (requests) => {
      const values = requests[Symbol.asyncIterator]();
      const { value } = await values.next();
      void values.next();
      await values.return?.();
      return value;
    });
    const unchecked = { validateResponses: false };
    handle(
      service,
      quiet,
      'Quiet.Stalling',
      async (stream) => {
        await stream.send(1);
        await stream.send(2);
        await stream.receive();
      },
      unchecked,
    );
  });
}

describe('who leaves while a value is waited for', () => {
  it.each(['Responses', 'Chat', 'Stalling'] as const)(
    'does not wait for it, and the handler is told: %s',
    async (kind) => {
      await using world = await start();
      const { Quiet } = typedClient(world.client, quiet);
      const stream = kind === 'Responses' ? Quiet.Responses(0) : await Quiet[kind]();
      const values = stream[Symbol.asyncIterator]();
      expect(await values.next()).toEqual({ value: 1, done: false });
      const waiting = values.next();
      expect(await values.return?.()).toEqual({ value: undefined, done: true });
      expect(await waiting).toEqual({ value: undefined, done: true });
      expect(await values.next()).toEqual({ value: undefined, done: true });
      await expect.poll(() => world.service.health().running).toBe(0);
    },
  );

  it('leaves as a Readable of the responses is destroyed', async () => {
    await using world = await start();
    const readable = Readable.from(typedClient(world.client, quiet).Quiet.Responses(0));
    await new Promise((resolve) => readable.once('data', resolve));
    expect(world.service.health().running).toBe(1);
    readable.destroy();
    await expect.poll(() => world.service.health().running).toBe(0);
  });

  it('is a handler that has heard enough of an upload', async () => {
    await using world = await start();
    async function* sayOneAndNoMore() {
      yield 1;
      await new Promise(() => {});
    }
    expect(await typedClient(world.client, quiet).Quiet.Upload(sayOneAndNoMore())).toBe(1);
  });

  it('may throw into the loop instead', async () => {
    await using world = await start();
    const values = typedClient(world.client, quiet).Quiet.Responses(0)[Symbol.asyncIterator]();
    await values.next();
    await expect(values.throw?.(new Error('mine'))).rejects.toThrow('mine');
    await expect.poll(() => world.service.health().running).toBe(0);
  });

  it('leaves nothing open where nothing was read', async () => {
    await using world = await start();
    const responses = typedClient(world.client, quiet).Quiet.Responses(0);
    await responses[Symbol.asyncIterator]().return?.();
    expect(await responses.receive()).toBe(1);
    await responses.close();
    await expect.poll(() => world.service.health().running).toBe(0);
  });
});
