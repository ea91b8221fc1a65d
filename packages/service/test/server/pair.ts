import { AsyncLocalStorage } from 'node:async_hooks';
import type { Broker, Registry, Transport } from '@ts-micro/core';
import { MicroError } from '@ts-micro/core';
import { untilAborted } from '@ts-micro/kit';
import { describe, expect, it } from 'vitest';
import type { Client } from '../../src/client/client.ts';
import { createClient } from '../../src/client/create-client.ts';
import type { Codec } from '../../src/rpc/codec/codec.ts';
import { refuse } from '../../src/rpc/refusal.ts';
import { createService } from '../../src/server/create-service.ts';
import type { Service } from '../../src/server/service.ts';
import type { ServiceOptions } from '../../src/server/service-options.ts';
import { aborted, deferred, until } from './fixture.ts';

export interface PluginSet extends AsyncDisposable {
  readonly transport: Transport;
  readonly broker: Broker;
  readonly registry: Registry;
}

interface Pair extends AsyncDisposable {
  readonly service: Service;
  readonly client: Client;
  /** A client of another process. */
  readonly other: () => Promise<Client>;
  /** Plugins of another process. */
  readonly plugins: () => Promise<PluginSet>;
}

/** Plugins that see nobody else's; `another` are those of another client. */
type OpenPlugins = () => Promise<{
  readonly server: PluginSet;
  readonly client: PluginSet;
  another(): Promise<PluginSet>;
}>;

/** What our client and our service promise each other, over any plugins and in every dialect. */
export function testPair(open: OpenPlugins): void {
  describe('in the lean dialect', () => testPairIn('auto', open));
  describe("in Go Micro's dialect", () => testPairIn('go', open));
}

function testPairIn(dialect: 'auto' | 'go', open: OpenPlugins): void {
  async function pair(configure: (service: Service) => void, options: Partial<ServiceOptions> = {}): Promise<Pair> {
    const plugins = await open();
    const service = createService({ name: 'greeter', stopTimeoutMs: 2000, dialect, ...plugins.server, ...options });
    configure(service);
    await service.start();
    const client = createClient(plugins.client);
    const others: AsyncDisposable[] = [];
    return {
      service,
      client,
      other: async () => {
        const set = await plugins.another();
        const other = createClient(set);
        others.push(other, set);
        return other;
      },
      plugins: async () => {
        const set = await plugins.another();
        others.push(set);
        return set;
      },
      [Symbol.asyncDispose]: async () => {
        await client.close();
        for (const other of others) await other[Symbol.asyncDispose]();
        await service.stop();
        await plugins.client[Symbol.asyncDispose]();
        await plugins.server[Symbol.asyncDispose]();
      },
    };
  }

  const fail = () => {
    throw new Error('the log is full');
  };
  const echo = (service: Service) => {
    service.handleStream('Greeter.Echo', async (stream) => {
      for await (const value of stream) await stream.send(value);
    });
  };
  const idle = (service: Service) =>
    until('nothing runs', () => service.health().running === 0).then(() => expect(service.health().running).toBe(0));

  describe('a call', () => {
    it('is answered, with what the handler returned or threw', async () => {
      await using greeter = await pair((service) => {
        service.handle('Greeter.Hello', ({ name }: { name: string }) => ({ msg: `Hello ${name}` }));
        service.handle('Greeter.Fail', () => {
          throw new MicroError('not_found', 'no "bob"');
        });
      });
      expect(await greeter.client.call('greeter', 'Greeter.Hello', { name: 'John' })).toEqual({ msg: 'Hello John' });
      await expect(greeter.client.call('greeter', 'Greeter.Fail', {})).rejects.toMatchObject({
        code: 'remote',
        remote: { id: 'greeter', code: 404, detail: 'no "bob"', status: 'Not Found' },
      });
      await expect(greeter.client.call('greeter', 'Greeter.Nope', {})).rejects.toMatchObject({ code: 'not_found' });
    });

    it('carries bytes of any kind', async () => {
      await using greeter = await pair((service) => {
        service.handle('Greeter.Reverse', (body: Uint8Array) => Uint8Array.from(body).reverse());
      });
      const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
      for (const contentType of ['application/octet-stream', 'application/protobuf']) {
        const reply = await greeter.client.call<Uint8Array>('greeter', 'Greeter.Reverse', bytes, { contentType });
        expect(Buffer.from(reply)).toEqual(Buffer.from(bytes).reverse());
      }
    });

    it('whose codec makes no bytes of a value is told at once, at either end', async () => {
      const lying = (encode: () => unknown): Codec => ({
        contentType: 'x/odd',
        encode: encode as Codec['encode'],
        decode: (body) => body,
      });
      await using greeter = await pair(
        (service) => {
          service.handle('Greeter.Hello', () => ({ msg: 'hello' }));
        },
        { codecs: [lying(() => 'text')] },
      );
      const ask = async (codec: Codec) => {
        await using client = createClient({ ...(await greeter.plugins()), codecs: [codec] });
        return await client.call('greeter', 'Greeter.Hello', {}, { contentType: 'x/odd' });
      };
      await expect(ask(lying(() => ({ length: 3 })))).rejects.toMatchObject({
        code: 'invalid',
        message: expect.stringContaining('the codec returned an object and no bytes'),
      });
      await expect(ask(lying(() => new Uint8Array(1)))).rejects.toMatchObject({
        message: expect.stringContaining('the codec returned a string and no bytes'),
      });
    });

    it('passes metadata and the deadline on to the calls and events of its handler', async () => {
      const events: unknown[] = [];
      let client: Client | undefined;
      await using greeter = await pair((service) => {
        service.handle('Greeter.Outer', async (_request, context) => {
          await client?.publish('greeter.seen', { a: 1 }, { context });
          const inner = await client?.call<object>('greeter', 'Greeter.Inner', {}, { context });
          return { ...inner, remainsMs: (context.deadline as number) - Date.now() };
        });
        service.handle('Greeter.Inner', (_request, { metadata, deadline }) => {
          return { metadata, innerMs: (deadline as number) - Date.now() };
        });
        service.subscribe('greeter.seen', (_event, { metadata }) => {
          events.push(metadata);
        });
      });
      client = greeter.client;
      const metadata = { 'X-Tenant': 'a', 'Micro-Trace-Id': 't' };
      const reply = await greeter.client.call<{ metadata: object; innerMs: number; remainsMs: number }>(
        'greeter',
        'Greeter.Outer',
        {},
        { metadata, timeoutMs: 3000 },
      );
      expect(reply.metadata).toEqual(metadata);
      // The default of the inner call would be longer.
      expect(reply.innerMs).toBeLessThanOrEqual(3000);
      expect(reply.remainsMs).toBeLessThanOrEqual(reply.innerMs + 1);
      await until('the event is there', () => events.length === 1);
      expect(events).toEqual([metadata]);
    });
  });

  describe('a handler', () => {
    it('may throw whatever it likes, with a logger that throws as well', async () => {
      const things: Record<string, () => unknown> = {
        proxy: () => new Proxy({}, { get: fail, has: fail, getPrototypeOf: fail }),
        bigint: () => Object.assign(new Error('x'), { message: 10n }),
        symbol: () => Symbol('odd'),
        circular: () => Object.assign(new Error('x'), { message: Object.create(null) }),
      };
      const seen: unknown[] = [];
      await using greeter = await pair(
        (service) => {
          service.handle('Greeter.Fail', async ({ what }: { what: string }) => {
            throw things[what]?.();
          });
          service.handleStream<unknown, { what: string }>('Greeter.FailStream', async (stream) => {
            const asked = await stream.receive();
            throw things[asked?.what ?? '']?.();
          });
          service.subscribe('greeter.fail', ({ what }: { what: string }) => {
            seen.push(what);
            throw things[what]?.();
          });
        },
        { logger: { debug: fail, info: fail, warn: fail, error: fail }, maxConcurrency: 1, maxBacklog: 0 },
      );
      for (const what of Object.keys(things)) {
        await expect(greeter.client.call('greeter', 'Greeter.Fail', { what })).rejects.toMatchObject({
          code: 'remote',
        });
        await using stream = await greeter.client.stream('greeter', 'Greeter.FailStream');
        await stream.send({ what });
        await expect(stream.receive()).rejects.toMatchObject({ code: 'remote' });
        await greeter.client.publish('greeter.fail', { what });
      }
      await until('all events came', () => seen.length === 4);
      await idle(greeter.service);
    });

    it('sees nothing of what another one entered into an AsyncLocalStorage', async () => {
      const storage = new AsyncLocalStorage<string>();
      const seen: unknown[] = [];
      const enter = async (name: string) => {
        seen.push(storage.getStore());
        storage.enterWith(name);
        await new Promise((resolve) => setImmediate(resolve));
        seen.push(storage.getStore() === name ? undefined : storage.getStore());
      };
      await using greeter = await pair(
        (service) => {
          service.handle('Greeter.Enter', async ({ name }: { name: string }) => enter(name));
          service.handleStream('Greeter.EnterStream', async () => enter('stream'));
          service.subscribe('greeter.enter', async ({ name }: { name: string }) => enter(name));
        },
        { maxConcurrency: 2 },
      );
      await Promise.all(
        [1, 2, 3, 4].map((n) => greeter.client.call('greeter', 'Greeter.Enter', { name: `call ${n}` })),
      );
      for (const n of [1, 2, 3]) await greeter.client.publish('greeter.enter', { name: `event ${n}` });
      for (let n = 0; n < 2; n++) {
        await using stream = await greeter.client.stream('greeter', 'Greeter.EnterStream');
        expect(await stream.receive()).toBeUndefined();
      }
      await until('all have run', () => seen.length === 18);
      expect(seen).toEqual(Array.from({ length: 18 }));
    });

    it('of a stream is told at once when its service stops, and may still send and end', async () => {
      await using greeter = await pair((service) => {
        service.handleStream('Greeter.Follow', async (stream, { signal }) => {
          await stream.send('hello');
          await untilAborted(new Promise(() => {}), signal);
          await stream.send('bye');
        });
      });
      await using stream = await greeter.client.stream('greeter', 'Greeter.Follow');
      expect(await stream.receive()).toBe('hello');
      const stopped = greeter.service.stop();
      expect(await stream.receive()).toBe('bye');
      expect(await stream.receive()).toBeUndefined();
      expect(await stopped).toEqual({ abandoned: [] });
    });
  });

  describe('an error that a handler relays', () => {
    const forged = { id: 'ts-micro.server', code: 503, detail: 'overloaded', status: 'Service Unavailable' };

    it.each(['of a runtime that refused', 'made up with the id of a runtime'])(
      '%s is its answer: it runs once, in a call and in a stream',
      async (kind) => {
        let client: Client | undefined;
        let runs = 0;
        const fail = async () => {
          runs++;
          if (kind.startsWith('of')) await client?.call('greeter', 'Greeter.Full');
          throw new MicroError('unavailable', 'x', { retrySafe: true, remote: forged });
        };
        await using greeter = await pair((service) => {
          service.use((call, next) => {
            if (call.name === 'Greeter.Full') throw refuse('unavailable', 'full');
            return next();
          });
          service.handle('Greeter.Full', () => ({}));
          service.handle('Greeter.Relay', fail);
          service.handleStream('Greeter.RelayAll', fail);
        });
        client = greeter.client;
        await expect(client.call('greeter', 'Greeter.Full', {}, { retries: 0 })).rejects.toMatchObject({
          code: 'unavailable',
          retrySafe: true,
        });
        const answer = { code: 'remote', retrySafe: false, remote: { id: 'greeter', code: 503 } };
        await expect(client.call('greeter', 'Greeter.Relay', {}, { idempotent: true })).rejects.toMatchObject(answer);
        expect(runs).toBe(1);
        const stream = await client.stream('greeter', 'Greeter.RelayAll');
        await expect(stream.receive()).rejects.toMatchObject(answer);
        expect(runs).toBe(2);
      },
    );
  });

  it('says where it was asked once, where the runtime refuses', async () => {
    await using greeter = await pair((service) => {
      service.handleStream('Greeter.Chat', () => {});
    });
    await expect(greeter.client.call('greeter', 'Greeter.Chat', {})).rejects.toMatchObject({
      code: 'unsupported',
      message: 'greeter Greeter.Chat: is a stream',
    });
  });

  describe("the caller's deadline", () => {
    it('is a timeout to the caller, whether the handler obeys its signal or passes its context on', async () => {
      let client: Client | undefined;
      await using greeter = await pair((service) => {
        service.handle('Greeter.Obey', async (_request, { signal }) => {
          await aborted(signal);
          throw signal.reason;
        });
        service.handle('Greeter.GiveUp', async (_request, { signal }) => {
          await aborted(signal);
          throw new Error('given up');
        });
        service.handle('Greeter.Hang', () => new Promise(() => {}));
        service.handle('Greeter.PassOn', (_request, context) =>
          client?.call('greeter', 'Greeter.Hang', {}, { context }),
        );
      });
      client = greeter.client;
      for (const endpoint of ['Greeter.Obey', 'Greeter.GiveUp', 'Greeter.PassOn'])
        await expect(client.call('greeter', endpoint, {}, { timeoutMs: 150, retries: 0 })).rejects.toMatchObject({
          code: 'timeout',
          remote: undefined,
        });
      await greeter.service.stop({ signal: AbortSignal.timeout(50) });
    });
  });

  describe('a stream', () => {
    it('tells who sends how the handler has ended, though nothing is received', async () => {
      await using greeter = await pair((service) => {
        service.handleStream('Greeter.Ten', async (stream) => {
          for (let value = 0; value < 10; value++) await stream.receive();
        });
        service.handleStream('Greeter.Fail', async (stream) => {
          await stream.send('unread');
          await stream.receive();
          throw new MicroError('conflict', 'taken');
        });
      });
      const sendUntilRefused = async (endpoint: string) => {
        await using stream = await greeter.client.stream('greeter', endpoint);
        for (;;) await stream.send({ value: 1 });
      };
      await expect(sendUntilRefused('Greeter.Ten')).rejects.toMatchObject({ code: 'closed' });
      await expect(sendUntilRefused('Greeter.Fail')).rejects.toMatchObject({ code: 'remote', remote: { code: 409 } });
      // And who does not send at the moment.
      await using quiet = await greeter.client.stream('greeter', 'Greeter.Fail');
      await quiet.send({ value: 1 });
      const { sendSignal } = quiet;
      await aborted(sendSignal as AbortSignal);
      expect(sendSignal?.reason).toMatchObject({ code: 'remote', remote: { code: 409 } });
    });

    it('tells who sends how the handler has ended, though it had sent more than any window before', async () => {
      await using greeter = await pair((service) => {
        service.handleStream('Greeter.Fail', async (stream) => {
          // Over some transports a part of them waits for room, which must not hold back the end.
          for (let value = 0; value < 12_000; value++) stream.send({ value }).catch(() => {});
          await stream.receive();
          throw new MicroError('conflict', 'taken');
        });
      });
      await using stream = await greeter.client.stream<object, { value: number }>('greeter', 'Greeter.Fail');
      const sendUntilRefused = async () => {
        for (;;) await stream.send({});
      };
      await expect(sendUntilRefused()).rejects.toMatchObject({ code: 'remote', remote: { code: 409 } });
      let received = 0;
      const readAll = async () => {
        for await (const { value } of stream) expect(value).toBe(received++);
      };
      await expect(readAll()).rejects.toMatchObject({ code: 'remote', remote: { code: 409 } });
      expect(received).toBeGreaterThan(0);
    });

    it('is closed by a client that leaves its loop, and not by a handler, which may have last words', async () => {
      const told = deferred();
      await using greeter = await pair((service) => {
        service.handleStream('Greeter.Ticks', async (stream, { signal }) => {
          void aborted(signal).then(told.resolve);
          while (!signal.aborted) await stream.send(1).catch(() => {});
        });
        service.handleStream('Greeter.First', async (stream) => {
          for await (const value of stream) {
            await stream.send(value);
            break;
          }
          await stream.send(2);
        });
      });
      const ticks = await greeter.client.stream('greeter', 'Greeter.Ticks');
      for await (const _ of ticks) break;
      await told.promise;
      const first = await greeter.client.stream('greeter', 'Greeter.First');
      await first.send(1);
      expect(await collect(first)).toEqual([1, 2]);
      await idle(greeter.service);
    });

    it.each(['closed', 'aborted', 'left by its client'])(
      'that is %s while a send waits for room ends at once on both sides',
      async (how) => {
        const told = deferred();
        const began = deferred();
        await using greeter = await pair((service) => {
          service.handleStream('Greeter.Deaf', async (_stream, { signal }) => {
            began.resolve();
            await aborted(signal);
            told.resolve();
          });
        });
        const controller = new AbortController();
        const stream = await greeter.client.stream('greeter', 'Greeter.Deaf', { signal: controller.signal });
        await began.promise;
        const sends = Array.from({ length: 5_000 }, (_, value) => stream.send(value).catch((error) => error));
        if (how === 'closed') await stream.close();
        else if (how === 'aborted') controller.abort();
        else await greeter.client.close();
        await told.promise;
        await Promise.all(sends);
        await idle(greeter.service);
      },
    );

    it('goes for one of another peer, and is told, where its own peer took all places', async () => {
      await using greeter = await pair(echo, { maxConcurrency: 4 });
      const silent = [];
      for (let count = 1; count <= 4; count++) {
        silent.push(await greeter.client.stream('greeter', 'Greeter.Echo'));
        await until('it is open', () => greeter.service.health().running === count);
      }
      const other = await greeter.other();
      for (const value of ['one', 'two']) {
        const stream = await other.stream('greeter', 'Greeter.Echo');
        await stream.send(value);
        expect(await stream.receive()).toBe(value);
      }
      for (const shed of silent.slice(0, 2)) {
        await expect(shed.receive()).rejects.toMatchObject({ code: 'unavailable', retrySafe: false });
      }
      await silent[3]?.send('three');
      expect(await silent[3]?.receive()).toBe('three');
    });

    it('carries ten thousand values each way in order', async () => {
      await using greeter = await pair(echo);
      const stream = await greeter.client.stream<number, number>('greeter', 'Greeter.Echo');
      const sending = (async () => {
        for (let value = 0; value < 10_000; value++) await stream.send(value);
        await stream.end();
      })();
      let expected = 0;
      for await (const value of stream) {
        if (value !== expected) expect(value).toBe(expected);
        expected++;
      }
      await sending;
      expect(expected).toBe(10_000);
      expect(await stream.closed).toBeUndefined();
      await idle(greeter.service);
    });

    it('is ended by its handler', async () => {
      await using greeter = await pair((service) => {
        service.handleStream<number, { to: number }>('Greeter.Count', async (stream) => {
          const { to } = (await stream.receive()) as { to: number };
          for (let value = 1; value <= to; value++) await stream.send(value);
        });
      });
      const stream = await greeter.client.stream<{ to: number }, number>('greeter', 'Greeter.Count');
      await stream.send({ to: 5 });
      expect(await collect(stream)).toEqual([1, 2, 3, 4, 5]);
      expect(await stream.receive()).toBeUndefined();
      await idle(greeter.service);
    });

    it('is read to its end after the client has ended its side', async () => {
      const aborted: boolean[] = [];
      await using greeter = await pair((service) => {
        service.handleStream<number, { to: number }>('Greeter.Count', async (stream, context) => {
          const [asked] = await collect(stream);
          for (let value = 1; value <= (asked?.to ?? 0); value++) await stream.send(value);
          aborted.push(context.signal.aborted);
        });
      });
      const stream = await greeter.client.stream<{ to: number }, number>('greeter', 'Greeter.Count');
      await stream.send({ to: 100 });
      await stream.end();
      expect(await collect(stream)).toHaveLength(100);
      expect(aborted).toEqual([false]);
    });

    it('fails with what its handler throws, after what it sent', async () => {
      await using greeter = await pair((service) => {
        service.handleStream('Greeter.Fail', async (stream) => {
          await stream.send(1);
          throw new MicroError('conflict', 'taken');
        });
      });
      const stream = await greeter.client.stream('greeter', 'Greeter.Fail');
      expect(await stream.receive()).toBe(1);
      const failure = { code: 'remote', remote: { id: 'greeter', code: 409, detail: 'taken', status: 'Conflict' } };
      await expect(stream.receive()).rejects.toMatchObject(failure);
      await expect(stream.receive()).rejects.toMatchObject(failure);
      expect(await stream.closed).toMatchObject(failure);
    });

    it('fails with what its handler throws in a loop over it, and carries what it sends after leaving one', async () => {
      await using greeter = await pair((service) => {
        service.handleStream('Greeter.Fail', async (stream) => {
          for await (const value of stream) throw new MicroError('conflict', `not ${value}`);
        });
        service.handleStream('Greeter.First', async (stream) => {
          let first: unknown;
          for await (const value of stream) {
            first = value;
            break;
          }
          await stream.send(first);
        });
      });
      await using failing = await greeter.client.stream('greeter', 'Greeter.Fail');
      await failing.send(1);
      await expect(failing.receive()).rejects.toMatchObject({ code: 'remote', remote: { code: 409, detail: 'not 1' } });
      await using first = await greeter.client.stream('greeter', 'Greeter.First');
      await first.send(1);
      expect(await first.receive()).toBe(1);
    });

    it('to an unknown endpoint fails at the first receive', async () => {
      await using greeter = await pair(() => {});
      const stream = await greeter.client.stream('greeter', 'Greeter.Nope');
      await expect(stream.receive()).rejects.toMatchObject({ code: 'not_found' });
    });

    it('that the client closes ends the receive of the handler', async () => {
      const ended = deferred<unknown>();
      await using greeter = await pair((service) => {
        service.handleStream('Greeter.Chat', async (stream) => {
          await stream.send('ready');
          ended.resolve(await stream.receive().catch((error: MicroError) => error.code));
        });
      });
      const stream = await greeter.client.stream('greeter', 'Greeter.Chat');
      expect(await stream.receive()).toBe('ready');
      await stream.close();
      expect([undefined, 'unavailable']).toContain(await ended.promise);
      await expect(stream.receive()).rejects.toMatchObject({ code: 'closed' });
      await idle(greeter.service);
    });

    it('that the client aborts ends on both sides, and looks to nobody like one that came to its end', async () => {
      const controller = new AbortController();
      const ended = deferred<readonly unknown[]>();
      await using greeter = await pair((service) => {
        service.handleStream('Greeter.Chat', async (stream) => {
          const receive = () => stream.receive().catch((error: MicroError) => error.code);
          await stream.send('ready');
          ended.resolve([await receive(), await receive()]);
        });
      });
      const stream = await greeter.client.stream('greeter', 'Greeter.Chat', { signal: controller.signal });
      expect(await stream.receive()).toBe('ready');
      const receiving = stream.receive();
      controller.abort();
      await expect(receiving).rejects.toMatchObject({ code: 'canceled' });
      expect(await ended.promise).toEqual(['canceled', 'canceled']);
      await idle(greeter.service);
    });

    it('that the service cuts off in stopping ends with an error', async () => {
      await using greeter = await pair((service) => {
        service.handleStream('Greeter.Chat', async (stream) => {
          await stream.send('ready');
          await stream.receive();
        });
      });
      const stream = await greeter.client.stream('greeter', 'Greeter.Chat');
      expect(await stream.receive()).toBe('ready');
      const receiving = stream.receive().catch((error: unknown) => error);
      expect(await greeter.service.stop({ signal: AbortSignal.timeout(50) })).toEqual({ abandoned: ['Greeter.Chat'] });
      expect(MicroError.is(await receiving)).toBe(true);
    });

    it('is one of many at once', async () => {
      await using greeter = await pair(echo);
      const streams = await Promise.all(
        Array.from({ length: 50 }, () => greeter.client.stream<string, string>('greeter', 'Greeter.Echo')),
      );
      await Promise.all(
        streams.map(async (stream, index) => {
          for (let value = 0; value < 20; value++) await stream.send(`${index} ${value}`);
          await stream.end();
          expect(await collect(stream)).toEqual(Array.from({ length: 20 }, (_, value) => `${index} ${value}`));
        }),
      );
      await idle(greeter.service);
    });
  });
}

async function collect<T>(values: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const value of values) all.push(value);
  return all;
}
