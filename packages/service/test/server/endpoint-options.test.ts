import { MicroError } from '@ts-micro/core';
import { memoryBroker, memoryNetwork, memoryTransport } from '@ts-micro/memory';
import { describe, expect, it } from 'vitest';
import { type Codec, createClient, createCodecs, createService, jsonCodec, refuse } from '../../src/index.ts';
import { startGreeter, until } from './fixture.ts';

/** JSON in which every text is shouted on its way in. */
const shouting: Codec = {
  ...jsonCodec,
  decode: (body, use) => jsonCodec.decode(Buffer.from(Buffer.from(body).toString().toUpperCase()), use),
};

describe('options of an endpoint or a topic', () => {
  const network = memoryNetwork();
  const service = createService({
    name: 'greeter',
    transport: memoryTransport({ network }),
    broker: memoryBroker({ network }),
  });

  it.each([
    [{ internal: 'yes' }, 'option internal is "yes", not true or false'],
    [{ headers: {} }, 'there is no option "headers", and metadata may be meant'],
    [{ metadata: { a: 1 } }, 'option metadata.a is 1, not a string'],
  ])('are refused where they are %j', (options, words) => {
    const given = options as object;
    expect(() => service.handle('Greeter.Hello', () => {}, given)).toThrow(words);
    expect(() => service.handleStream('Greeter.Chat', () => {}, given)).toThrow(words);
    expect(() => service.subscribe('greeter.say', () => {}, given)).toThrow(words);
  });

  it.each([
    [{ group: 'a' }, 'there is no option "group", and queue may be meant'],
    [{ queue: 5 }, 'option queue is 5, not a text'],
    [{ concurrency: 0 }, 'option concurrency is 0, not a whole number from 1'],
  ])('of a topic are refused where they are %j', (options, words) => {
    expect(() => service.subscribe('greeter.say', () => {}, options as object)).toThrow(words);
  });
});

describe('a handler that is a generator, of which nothing would run, is refused', () => {
  const network = memoryNetwork();
  const service = createService({
    name: 'greeter',
    transport: memoryTransport({ network }),
    broker: memoryBroker({ network }),
  });
  const words = 'is a function, not one that runs as it is called: it is a generator';

  it.each([
    [
      'a generator',
      function* () {
        yield 1;
      },
    ],
    [
      'an async generator',
      async function* () {
        yield 1;
      },
    ],
  ])('as %s', async (_, generator) => {
    const handler = generator as unknown as () => void;
    expect(() => service.handle('Greeter.Hello', handler)).toThrow(words);
    expect(() => service.handleStream('Greeter.Chat', handler)).toThrow(words);
    expect(() => service.subscribe('greeter.say', handler)).toThrow(words);
    expect(() => service.use(handler)).toThrow(words);
    await using broker = memoryBroker({ network });
    await expect(broker.subscribe('greeter.say', handler)).rejects.toThrow(words);
  });
});

describe('codecs of an endpoint', () => {
  const codecs = createCodecs([shouting]);

  for (const dialect of ['auto', 'go'] as const) {
    it(`stand for the service's, in the ${dialect} dialect`, async () => {
      await using greeter = await startGreeter((service) => {
        service.handle('Greeter.Loud', (request) => request, { codecs });
        service.handle('Greeter.Plain', (request) => request);
        service.handleStream('Greeter.Stream', async (stream) => void (await stream.send(await stream.receive())), {
          codecs,
        });
      });
      await using client = createClient({ transport: greeter.transport, registry: greeter.registry, dialect });
      expect(await client.call('greeter', 'Greeter.Loud', { a: 'b' })).toEqual({ A: 'B' });
      expect(await client.call('greeter', 'Greeter.Plain', { a: 'b' })).toEqual({ a: 'b' });
      expect(await client.call('greeter', 'Greeter.Plain', { a: 'b' }, { codecs })).toEqual({ A: 'B' });
      await using stream = await client.stream('greeter', 'Greeter.Stream');
      await stream.send({ a: 'b' });
      expect(await stream.receive()).toEqual({ A: 'B' });
    });
  }

  it('are used for events as well', async () => {
    const events: unknown[] = [];
    await using greeter = await startGreeter((service) => {
      service.subscribe('greeter.say', (event) => void events.push(event), { codecs });
    });
    await using client = createClient({ transport: greeter.transport, broker: greeter.broker });
    await client.publish('greeter.say', { a: 'b' });
    await until('the event is there', () => events.length === 1);
    expect(events).toEqual([{ A: 'B' }]);
  });
});

describe('what is refused before the handler begins', () => {
  it('fails the call with the code itself, and a Go client with its number', async () => {
    await using greeter = await startGreeter((service) => {
      service.handle('Greeter.Closed', () => {
        throw refuse('unauthorized', 'greeter: no token');
      });
    });
    await using client = createClient({ transport: greeter.transport, registry: greeter.registry });
    await expect(client.call('greeter', 'Greeter.Closed')).rejects.toMatchObject({
      code: 'unauthorized',
      remote: { code: 401, detail: 'greeter: no token' },
    });
  });
});

it('an error carries its name and data to the caller', async () => {
  const remote = { id: 'greeter', code: 400, detail: 'too long', status: 'Bad Request', name: 'long', data: { of: 3 } };
  await using greeter = await startGreeter((service) => {
    service.handle('Greeter.Fail', () => {
      throw new MicroError('remote', 'too long', { remote });
    });
  });
  await using client = createClient({ transport: greeter.transport, registry: greeter.registry });
  await expect(client.call('greeter', 'Greeter.Fail')).rejects.toMatchObject({ code: 'remote', remote });
});

it('a subscriber is advertised with its metadata and the shape of its event', async () => {
  const event = { name: 'Say', type: 'Say', values: [{ name: 'text', type: 'string', values: [] }] };
  await using greeter = await startGreeter((service) => {
    service.subscribe('greeter.say', () => {}, { event, metadata: { description: 'Says it.' } });
  });
  expect(greeter.service.record.endpoints).toEqual([
    {
      name: 'Func',
      request: event,
      response: undefined,
      metadata: { description: 'Says it.', subscriber: 'true', topic: 'greeter.say' },
    },
  ]);
});

it('an internal error of a handler is logged', async () => {
  await using greeter = await startGreeter((service) => {
    service.handle('Greeter.Odd', () => {
      throw new MicroError('internal', 'the response does not fit');
    });
  });
  await using client = createClient({ transport: greeter.transport, registry: greeter.registry });
  await expect(client.call('greeter', 'Greeter.Odd')).rejects.toMatchObject({ remote: { code: 500 } });
  expect(greeter.log.filter(({ level }) => level === 'error')).toHaveLength(1);
});
