import type { Service } from '@ts-micro/service';
import { describe, expect, it, vi } from 'vitest';
import { type Handlers, handle, implement, subscribe, typedClient } from '../src/index.ts';
import { arktypeGreeter, effectGreeter, valibotGreeter, zodGreeter } from './definitions.ts';
import { collect, type OpenPlugins, rejection, startWorld, type World } from './world.ts';

// All are the same to the compiler too, so that one of them can stand for each.
const greeters = {
  zod: zodGreeter,
  valibot: valibotGreeter as never,
  arktype: arktypeGreeter as never,
  effect: effectGreeter as never,
} as const;

const handlers: Handlers<typeof zodGreeter> = {
  'Greeter.Hello': ({ name }, _context, fail) => {
    if (name.length > 20) throw fail('name_too_long', { limit: 20 });
    if (name === 'odd') return { msg: 3 as never };
    if (name === 'wrong data') throw fail('name_too_long', { limit: 'secret' as never });
    return { msg: `Hello ${name}` };
  },
  'Greeter.Length': ({ text }) => ({ at: '2026-01-02T03:04:05.000Z', length: text }),
  'Greeter.Slow': async ({ name }) => ({ msg: name }),
  'Greeter.Count': async function* ({ to }, _context, fail) {
    for (let value = 1; value <= to; value++) {
      if (value === 50) throw fail('too_far', { limit: 49 });
      yield { value: to === 3 && value === 3 ? 1000 : value };
    }
  },
  'Greeter.Sum': async (values, _context, fail) => {
    let sum = 0;
    for await (const { value } of values) {
      sum += value;
      if (sum > 1000) throw fail('too_much', { limit: 1000 }, { detail: 'more than a thousand', code: 413 });
    }
    return { sum };
  },
  'Greeter.Chat': async function* (stream) {
    for await (const { text } of stream) yield { text: text.toUpperCase() };
  },
};

/** What a definition promises, by each validator, in both dialects, over any plugins. */
export function testTyped(open: OpenPlugins): void {
  for (const [validator, greeter] of Object.entries(greeters)) {
    for (const dialect of ['auto', 'go'] as const) {
      describe(`by ${validator}, in the ${dialect} dialect`, () => testGreeter(open, dialect, greeter));
    }
  }
}

function testGreeter(open: OpenPlugins, dialect: 'auto' | 'go', greeter: typeof zodGreeter): void {
  const start = (configure: (service: Service) => void = (service) => implement(service, greeter, handlers)) =>
    startWorld(open, dialect, configure);
  const typed = ({ client }: World) => typedClient(client, greeter);
  const unvalidated = ({ client }: World) => typedClient(client, greeter, { validateRequests: false });

  it('a call is answered', async () => {
    await using world = await start();
    expect(await typed(world).Greeter.Hello({ name: 'John' }, { timeoutMs: 5000 })).toEqual({ msg: 'Hello John' });
  });

  it('a request that does not fit is refused before it is sent, with path and rule and without the value', async () => {
    await using world = await start();
    const request = { name: '', tags: [{ id: 1 }, { id: 'secret' as never }] };
    const error = await rejection(typed(world).Greeter.Hello(request));
    expect(error).toMatchObject({ code: 'invalid' });
    expect(error.message).toMatch(/^client: greeter Greeter.Hello: the request does not fit: /);
    expect(error.message).toMatch(/name: .*; tags\[1\]\.id: .*number/);
    expect(error.message).not.toContain('secret');
  });

  it('a request that does not fit is refused before the handler', async () => {
    const seen = vi.fn();
    await using world = await start((service) => handle(service, greeter, 'Greeter.Hello', seen));
    const error = await rejection(unvalidated(world).Greeter.Hello({ name: 12_345 as never }));
    expect(error).toMatchObject({ code: 'invalid', remote: { code: 400 } });
    expect(error.message).toMatch(/greeter Greeter.Hello: the request does not fit: name: .*string/);
    expect(error.message).not.toContain('12345');
    expect(seen).not.toHaveBeenCalled();
    expect(await rejection(world.client.call('greeter', 'Greeter.Hello'))).toMatchObject({ code: 'invalid' });
  });

  it('a response that does not fit is not sent, and logged with its path', async () => {
    await using world = await start();
    const error = await rejection(typed(world).Greeter.Hello({ name: 'odd' }));
    expect(error).toMatchObject({ code: 'remote', remote: { code: 500 } });
    expect(error.message).not.toContain('msg');
    expect(complaints(world)).toHaveLength(1);
    expect(complaints(world)[0]).toMatch(/the response does not fit: msg: .*string/);
  });

  it('a response that does not fit at the client is malformed', async () => {
    await using world = await start((service) => service.handle('Greeter.Hello', () => ({ msg: 3 })));
    const error = await rejection(typed(world).Greeter.Hello({ name: 'John' }));
    expect(error).toMatchObject({ code: 'malformed' });
    expect(error.message).toMatch(/^client: greeter Greeter.Hello: the response does not fit: msg: .*string/);
    const trusting = typedClient(world.client, greeter, { validateResponses: false });
    expect(await trusting.Greeter.Hello({ name: 'John' })).toEqual({ msg: 3 });
  });

  it('each side can leave its checks to the other', async () => {
    await using world = await start((service) => {
      implement(service, greeter, handlers, { validateRequests: false, validateResponses: false });
    });
    expect(await typed(world).Greeter.Hello({ name: 'John' })).toEqual({ msg: 'Hello John' });
    expect(await rejection(typed(world).Greeter.Hello({ name: 'odd' }))).toMatchObject({ code: 'malformed' });
  });

  it('a schema that transforms does so at the receiver', async () => {
    await using world = await start();
    expect(await typed(world).Greeter.Length({ text: 'four' })).toEqual({
      at: new Date('2026-01-02T03:04:05.000Z'),
      length: 4,
    });
  });

  it('a validator may take its time', async () => {
    await using world = await start();
    expect(await typed(world).Greeter.Slow({ name: 'free' })).toEqual({ msg: 'free' });
    expect(await rejection(typed(world).Greeter.Slow({ name: 'taken' }))).toMatchObject({ code: 'invalid' });
    expect(await rejection(unvalidated(world).Greeter.Slow({ name: 'taken' }))).toMatchObject({ code: 'invalid' });
    expect(await rejection(typed(world).Greeter.Slow({ name: 'wrong' }))).toMatchObject({ remote: { code: 500 } });
  });

  it('an error is thrown by name and told apart with its data', async () => {
    await using world = await start();
    const { Hello, Sum } = typed(world).Greeter;
    const error = await rejection(Hello({ name: 'a name of more than twenty characters' }));
    expect(error).toMatchObject({ code: 'remote', remote: { code: 400, detail: 'name too long' } });
    expect(Hello.failure(error)).toEqual({ name: 'name_too_long', data: { limit: 20 }, detail: 'name too long' });
    expect(Sum.failure(error)).toBeUndefined();
    expect(Hello.failure(new Error('other'))).toBeUndefined();
  });

  it('an error whose data does not fit is the service at fault', async () => {
    await using world = await start();
    const { Hello } = typed(world).Greeter;
    const error = await rejection(Hello({ name: 'wrong data' }));
    expect(error).toMatchObject({ code: 'remote', remote: { code: 500 } });
    expect(error.message).not.toContain('secret');
    expect(Hello.failure(error)).toBeUndefined();
  });

  it('an error of that name with other data is an error like any other', async () => {
    const remote = { id: 'x', code: 400, detail: 'long', status: '', name: 'name_too_long', data: { limit: 'x' } };
    await using world = await start((service) => {
      service.handle('Greeter.Hello', () => {
        throw Object.assign(new Error('x'), { remote });
      });
    });
    const { Hello } = typed(world).Greeter;
    expect(Hello.failure(await rejection(Hello({ name: 'John' })))).toBeUndefined();
  });

  it('a server stream is read to its end', async () => {
    await using world = await start();
    expect(await collect(typed(world).Greeter.Count({ to: 5 }))).toEqual([1, 2, 3, 4, 5].map((value) => ({ value })));
  });

  it('a server stream that nobody reads never opens, and is closed early by leaving', async () => {
    await using world = await start();
    const { Count } = typed(world).Greeter;
    await Count({ to: 5 }).close();
    for await (const { value } of Count({ to: 40 })) if (value === 2) break;
    await expect.poll(() => world.service.health().running).toBe(0);
    const closed = Count({ to: 5 });
    await closed.close();
    expect(await rejection(closed.receive())).toMatchObject({ code: 'closed' });
  });

  it('a server stream refuses a request, fails with its errors, and does not send what does not fit', async () => {
    await using world = await start();
    const { Count } = typed(world).Greeter;
    expect(await rejection(collect(Count({ to: 1.5 })))).toMatchObject({ code: 'invalid' });
    const refused = await rejection(collect(unvalidated(world).Greeter.Count({ to: 1.5 })));
    expect(refused).toMatchObject({ code: 'invalid', remote: { code: 400 } });
    const failed = await rejection(collect(Count({ to: 60 })));
    expect(Count.failure(failed)).toEqual({ name: 'too_far', data: { limit: 49 }, detail: 'too far' });
    expect(await rejection(collect(Count({ to: 3 })))).toMatchObject({ code: 'remote', remote: { code: 500 } });
    expect(complaints(world)).toHaveLength(1);
  });

  it('a client stream sends what there is and gets the response', async () => {
    await using world = await start();
    const { Sum } = typed(world).Greeter;
    const values = [1, 2, 3].map((value) => ({ value }));
    expect(await Sum(values)).toEqual({ sum: 6 });
    async function* slowly() {
      for (const value of values) yield await Promise.resolve(value);
    }
    expect(await Sum(slowly())).toEqual({ sum: 6 });
    expect(await Sum([])).toEqual({ sum: 0 });
  });

  it('a client stream fails with what does not fit, with the service, and with its source', async () => {
    await using world = await start();
    const { Sum } = typed(world).Greeter;
    expect(await rejection(Sum([{ value: 1 }, { value: 'x' as never }]))).toMatchObject({ code: 'invalid' });
    const failed = await rejection(Sum([{ value: 5000 }]));
    expect(Sum.failure(failed)).toEqual({ name: 'too_much', data: { limit: 1000 }, detail: 'more than a thousand' });
    async function* broken() {
      yield { value: 1 };
      throw new Error('no more');
    }
    expect((await rejection(Sum(broken()))).message).toBe('no more');
  });

  it('a client stream whose source never comes to an end ends with its signal', async () => {
    await using world = await start();
    const controller = new AbortController();
    const asked = vi.fn();
    const endless: AsyncIterable<{ value: number }> = {
      [Symbol.asyncIterator]: () => ({
        next: () => {
          asked();
          return new Promise(() => {});
        },
      }),
    };
    const failed = rejection(typed(world).Greeter.Sum(endless, { signal: controller.signal }));
    await expect.poll(() => asked.mock.calls.length).toBeGreaterThan(0);
    controller.abort();
    expect(await failed).toMatchObject({ code: 'canceled' });
  });

  it('a client stream has its answer while its source gives nothing, whatever leaving that throws', async () => {
    await using world = await start();
    const { Sum } = typed(world).Greeter;
    let given = 0;
    const quiet: AsyncIterable<{ value: number }> = {
      [Symbol.asyncIterator]: () => ({
        next: async () => (given++ === 0 ? { value: { value: 5000 }, done: false } : new Promise(() => {})),
        return: () => {
          throw new Error('which nobody hears');
        },
      }),
    };
    expect(Sum.failure(await rejection(Sum(quiet)))).toMatchObject({ name: 'too_much' });
  });

  it('a client stream is opened for requests that can be iterated only', async () => {
    await using world = await start();
    for (const requests of [undefined, null, 5, 'ab', {}])
      expect(await rejection(typed(world).Greeter.Sum(requests as never))).toMatchObject({
        code: 'invalid',
        message: expect.stringContaining('the requests are no iterable'),
      });
  });

  it('messages go both ways at once', async () => {
    await using world = await start();
    await using chat = await typed(world).Greeter.Chat();
    await chat.send({ text: 'a' });
    expect(await chat.receive()).toEqual({ text: 'A' });
    expect(await rejection(chat.send({ text: '' }))).toMatchObject({ code: 'invalid' });
    await chat.send({ text: 'b' });
    await chat.end();
    expect(await collect(chat)).toEqual([{ text: 'B' }]);
  });

  it('a message that does not fit fails the handler that reads it, or the client', async () => {
    await using world = await start();
    await using chat = await unvalidated(world).Greeter.Chat();
    await chat.send({ text: '' });
    expect(await rejection(chat.receive())).toMatchObject({ code: 'invalid', remote: { code: 400 } });
    await using odd = await start((service) => {
      service.handleStream('Greeter.Chat', async (stream) => {
        await stream.send({ text: 1 });
        await stream.send({ text: 'well' });
      });
    });
    await using answers = await typed(odd).Greeter.Chat();
    expect(await rejection(answers.receive())).toMatchObject({ code: 'malformed' });
    expect(await answers.receive()).toEqual({ text: 'well' });
  });

  it('an event is checked by who publishes it and by who handles it', async () => {
    const names: string[] = [];
    await using world = await start((service) => {
      subscribe(service, greeter, 'greeter.greeted', ({ name }) => void names.push(name));
    });
    const { events } = typed(world);
    expect(await rejection(events['greeter.greeted'].publish({ name: '' }))).toMatchObject({ code: 'invalid' });
    await world.client.publish('greeter.greeted', { name: 3 });
    await events['greeter.greeted'].publish({ name: 'John' });
    await expect.poll(() => names).toEqual(['John']);
    expect(complaints(world)[0]).toMatch(/greeter.greeted: the event does not fit: name: .*string/);
  });

  it('typed and untyped endpoints live in one service', async () => {
    await using world = await start((service) => {
      service.handle('Greeter.Plain', (request) => request);
      handle(service, greeter, 'Greeter.Hello', handlers['Greeter.Hello']);
    });
    expect(await world.client.call('greeter', 'Greeter.Plain', { any: 'thing' })).toEqual({ any: 'thing' });
    expect(await world.client.call('greeter', 'Greeter.Hello', { name: 'John' })).toEqual({ msg: 'Hello John' });
  });
}

/** The words of every error that the service has logged. */
function complaints({ log }: World): string[] {
  return log.filter(({ level }) => level === 'error').map(({ fields }) => (fields.error as Error).message);
}
