import { AsyncLocalStorage } from 'node:async_hooks';
import { getEventListeners } from 'node:events';
import { runInNewContext } from 'node:vm';
import { MicroError } from '@ts-micro/core';
import { describe, expect, it } from 'vitest';
import { createClient } from '../../src/client/create-client.ts';
import type { Codec } from '../../src/rpc/codec/codec.ts';
import { createCodecs } from '../../src/rpc/codec/codecs.ts';
import { refuse } from '../../src/rpc/refusal.ts';
import type { InvokeOptions } from '../../src/server/invoke/invoke.ts';
import type { Service } from '../../src/server/service.ts';
import { aborted, deferred, makeGreeter, startGreeter, until } from './fixture.ts';

const bytes = (value: unknown) => Buffer.from(JSON.stringify(value));
const textOf = (body: Uint8Array) => Buffer.from(body).toString().trim();

async function invoke(service: Service, endpoint: string, value: unknown, options: InvokeOptions = {}) {
  const { body } = await service.invoke(endpoint, { body: bytes(value) }, options);
  return JSON.parse(textOf(body)) as unknown;
}

/** What a promise rejects with. */
async function failure(promise: Promise<unknown>): Promise<MicroError> {
  return promise.then(
    () => expect.fail('it resolved'),
    (error) => error as MicroError,
  );
}

describe('invoke', () => {
  it('runs the handler of an endpoint, bytes in and bytes out', async () => {
    await using greeter = await startGreeter((service) => {
      service.handle('Greeter.Hello', ({ name }: { name: string }, context) => ({
        msg: `Hello ${name}`,
        metadata: context.metadata,
        at: [context.service, context.endpoint, context.contentType, context.local, context.remote],
      }));
    });
    const metadata = { tenant: 'acme', Timeout: '5', 'Micro-Id': '7' };
    const answer = await greeter.service.invoke(
      'Greeter.Hello',
      { body: bytes({ name: 'John' }), metadata },
      { local: 'here', remote: 'there' },
    );
    expect(answer.contentType).toBe('application/json');
    expect(JSON.parse(textOf(answer.body))).toEqual({
      msg: 'Hello John',
      metadata: { tenant: 'acme' },
      at: ['greeter', 'Greeter.Hello', 'application/json', 'here', 'there'],
    });
  });

  it('answers nothing as an empty document, and reads an empty body as one', async () => {
    await using greeter = await startGreeter((service) => {
      service.handle('Greeter.Nothing', (request) => {
        expect(request).toEqual({});
      });
    });
    const answer = await greeter.service.invoke('Greeter.Nothing', { body: new Uint8Array(0) });
    expect(textOf(answer.body)).toBe('{}');
  });

  it('runs inside the middleware of the service', async () => {
    const seen: string[] = [];
    await using greeter = await startGreeter((service) => {
      service.use(async (call, next) => {
        seen.push(`${call.side} ${call.kind} ${call.name}`);
        call.headers.user = 'bob';
        return { wrapped: await next() };
      });
      service.handle('Greeter.Who', (_request, { metadata }) => metadata.user);
    });
    expect(await invoke(greeter.service, 'Greeter.Who', {})).toEqual({ wrapped: 'bob' });
    expect(seen).toEqual(['server unary Greeter.Who']);
  });

  it('uses the codecs of the service and those of an endpoint', async () => {
    const upper: Codec = {
      contentType: 'text/upper',
      encode: (value) => Buffer.from(String(value).toUpperCase()),
      decode: (body) => textOf(body).toLowerCase(),
    };
    const type = 'application/octet-stream';
    await using greeter = await startGreeter((service) => {
      service.handle('Greeter.Bytes', (request) => request);
      service.handle('Greeter.Upper', (request) => request, { codecs: createCodecs([upper]) });
    });
    const raw = await greeter.service.invoke('Greeter.Bytes', { body: Buffer.from([0, 255]), contentType: type });
    expect([raw.contentType, [...raw.body]]).toEqual([type, [0, 255]]);
    const text = await greeter.service.invoke('Greeter.Upper', { body: Buffer.from('Hi'), contentType: 'text/upper' });
    expect(textOf(text.body)).toBe('HI');
    for (const contentType of ['text/unknown', 'application/json-rpc'])
      expect(await failure(greeter.service.invoke('Greeter.Bytes', { body: bytes({}), contentType }))).toMatchObject({
        code: 'unsupported',
      });
  });

  it('fails as a call over the transport fails', async () => {
    await using greeter = await startGreeter((service) => {
      service.handle('Greeter.Missing', () => {
        throw new MicroError('not_found', 'no such name');
      });
      service.handle('Greeter.Broken', () => {
        throw new Error('out of order');
      });
      service.handle('Greeter.Refused', () => {
        throw refuse('unauthorized', 'not you');
      });
      service.handle('Greeter.Relayed', () => {
        throw new MicroError('remote', 'x', { remote: { id: 'a', code: 409, detail: 'taken', status: 'Conflict' } });
      });
      service.handle('Greeter.NoJson', () => 1n);
      service.handleStream('Greeter.Stream', () => {});
    });
    await using client = createClient({ transport: greeter.transport, registry: greeter.registry, retries: 0 });
    for (const endpoint of ['Missing', 'Broken', 'Refused', 'Relayed', 'NoJson', 'Stream', 'Unknown']) {
      const invoked = await failure(invoke(greeter.service, `Greeter.${endpoint}`, {}));
      const called = await failure(client.call('greeter', `Greeter.${endpoint}`, {}));
      expect([endpoint, invoked.code, invoked.retrySafe, invoked.remote]).toEqual([
        endpoint,
        called.code,
        called.retrySafe,
        called.remote,
      ]);
    }
    const malformed = await failure(greeter.service.invoke('Greeter.Missing', { body: Buffer.from('{') }));
    expect(malformed).toMatchObject({ code: 'invalid', remote: { code: 400 }, retrySafe: true });
  });

  it('survives whatever a handler throws', async () => {
    const hostile = [
      undefined,
      null,
      Symbol('s'),
      Object.create(null),
      new Proxy({}, { get: () => expect.fail('touched'), has: () => expect.fail('touched') }),
      { toString: () => expect.fail('touched') },
    ];
    await using greeter = await startGreeter((service) => {
      service.handle('Greeter.Throw', ({ index }: { index: number }) => {
        throw hostile[index];
      });
    });
    for (const index of hostile.keys()) {
      const error = await failure(invoke(greeter.service, 'Greeter.Throw', { index }));
      expect([index, error.code, error.remote?.code]).toEqual([index, 'remote', 500]);
    }
    expect(greeter.service.health().running).toBe(0);
  });

  it('counts as requests over the transport do', async () => {
    await using greeter = await startGreeter((service) => {
      service.handle('Greeter.Fail', () => {
        throw new MicroError('conflict', 'taken');
      });
    });
    await failure(invoke(greeter.service, 'Greeter.Fail', {}));
    await failure(invoke(greeter.service, 'Greeter.None', {}));
    expect(await invoke(greeter.service, 'Debug.Stats', {})).toMatchObject({ requests: 2, errors: 2 });
  });

  it('shares the limits of the service: it waits for room, and is refused beyond the backlog', async () => {
    const gate = deferred();
    await using greeter = await startGreeter(
      (service) => {
        service.handle('Greeter.Wait', async ({ id }: { id: number }) => {
          await gate.promise;
          return id;
        });
      },
      { maxConcurrency: 1, maxBacklog: 1 },
    );
    const first = invoke(greeter.service, 'Greeter.Wait', { id: 1 });
    await until('it runs', () => greeter.service.health().running === 1);
    const second = invoke(greeter.service, 'Greeter.Wait', { id: 2 });
    const third = await failure(invoke(greeter.service, 'Greeter.Wait', { id: 3 }));
    expect(third).toMatchObject({ code: 'unavailable', retrySafe: true });
    expect(greeter.service.health().running).toBe(1);
    gate.resolve();
    expect(await Promise.all([first, second])).toEqual([1, 2]);
  });

  it('rejects at its deadline, whatever the handler does, and tells the handler', async () => {
    const reasons: unknown[] = [];
    const deaf = deferred();
    await using greeter = await startGreeter((service) => {
      service.handle('Greeter.Slow', async (_request, context) => {
        expect(context.deadline).toBeGreaterThan(0);
        context.signal.addEventListener('abort', () => reasons.push((context.signal.reason as Error).name));
        await deaf.promise;
      });
    });
    // On a busy machine the time may be over before the handler had its turn.
    await until('a handler was told', async () => {
      const error = await failure(invoke(greeter.service, 'Greeter.Slow', {}, { timeoutMs: 20 }));
      expect(error).toMatchObject({ code: 'timeout', message: 'greeter Greeter.Slow: no answer within 20 ms' });
      return reasons.length > 0;
    });
    expect(reasons[0]).toBe('TimeoutError');
    deaf.resolve();
  });

  it('rejects as its signal aborts, tells the handler, and leaves no listener behind', async () => {
    const running = deferred();
    const told = deferred();
    await using greeter = await startGreeter((service) => {
      service.handle('Greeter.Slow', async (_request, { signal }) => {
        running.resolve();
        await aborted(signal);
        told.resolve();
      });
      service.handle('Greeter.Hello', () => ({}));
    });
    const abort = new AbortController();
    const { signal } = abort;
    await invoke(greeter.service, 'Greeter.Hello', {}, { signal });
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    const failing = failure(invoke(greeter.service, 'Greeter.Slow', {}, { signal }));
    await running.promise;
    abort.abort();
    expect(await failing).toMatchObject({ code: 'canceled' });
    await told.promise;
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    expect(await failure(invoke(greeter.service, 'Greeter.Hello', {}, { signal }))).toMatchObject({ code: 'canceled' });
  });

  it('does not run what was aborted while it waited for room', async () => {
    const gate = deferred();
    let ran = 0;
    await using greeter = await startGreeter(
      (service) => {
        service.handle('Greeter.Wait', async () => {
          ran++;
          await gate.promise;
        });
      },
      { maxConcurrency: 1 },
    );
    const first = invoke(greeter.service, 'Greeter.Wait', {});
    const abort = new AbortController();
    const second = failure(invoke(greeter.service, 'Greeter.Wait', {}, { signal: abort.signal }));
    abort.abort();
    expect(await second).toMatchObject({ code: 'canceled' });
    gate.resolve();
    await first;
    await until('nothing runs', () => greeter.service.health().running === 0);
    expect(ran).toBe(1);
  });

  it('runs in the async context of its caller, also where it waited for room', async () => {
    const storage = new AsyncLocalStorage<string>();
    const gate = deferred();
    await using greeter = await startGreeter(
      (service) => {
        service.handle('Greeter.Who', async () => {
          await gate.promise;
          return storage.getStore() ?? 'nobody';
        });
      },
      { maxConcurrency: 1 },
    );
    const asking = ['a', 'b', 'c'].map((who) => storage.run(who, () => invoke(greeter.service, 'Greeter.Who', {})));
    gate.resolve();
    expect(await Promise.all(asking)).toEqual(['a', 'b', 'c']);
  });

  it('is refused before the start and after the stop', async () => {
    await using greeter = makeGreeter((service) => service.handle('Greeter.Hello', () => ({})));
    const { service } = greeter;
    const refusal = { code: 'unavailable', retrySafe: true };
    expect(await failure(invoke(service, 'Greeter.Hello', {}))).toMatchObject(refusal);
    await service.start();
    expect(await invoke(service, 'Greeter.Hello', {})).toEqual({});
    await service.stop();
    expect(await failure(invoke(service, 'Greeter.Hello', {}))).toMatchObject(refusal);
  });

  it('is waited for by a stop, which refuses further ones', async () => {
    const running = deferred();
    const gate = deferred();
    await using greeter = await startGreeter(
      (service) => {
        service.handle('Greeter.Wait', async () => {
          running.resolve();
          await gate.promise;
          return 'done';
        });
      },
      { drainGraceMs: 0 },
    );
    const answer = invoke(greeter.service, 'Greeter.Wait', {});
    await running.promise;
    const stopped = greeter.service.stop();
    let refusal: MicroError | undefined;
    await until('it refuses', async () => {
      // Those that came before are told of their abort at the end.
      const error = await failure(invoke(greeter.service, 'Greeter.None', {}));
      refusal = error;
      return error.code === 'unavailable';
    });
    expect(refusal).toMatchObject({ retrySafe: true });
    gate.resolve();
    expect(await answer).toBe('done');
    expect(await stopped).toEqual({ abandoned: [] });
  });

  it('rejects where the service stops without waiting any longer', async () => {
    const running = deferred();
    const never = deferred();
    await using greeter = await startGreeter((service) => {
      service.handle('Greeter.Never', async () => {
        running.resolve();
        await never.promise;
      });
    });
    const failing = failure(invoke(greeter.service, 'Greeter.Never', {}));
    await running.promise;
    expect(await greeter.service.stop({ signal: AbortSignal.abort() })).toEqual({ abandoned: ['Greeter.Never'] });
    expect(await failing).toMatchObject({ code: 'canceled' });
    never.resolve();
  });

  it('takes bytes of another realm, and refuses what is no request and no options', async () => {
    await using greeter = await startGreeter((service) => service.handle('Greeter.Echo', (request) => request));
    const { service } = greeter;
    const body = runInNewContext('Uint8Array.from([123, 125])');
    expect(
      Buffer.from((await service.invoke('Greeter.Echo', { body })).body)
        .toString()
        .trim(),
    ).toBe('{}');
    for (const promise of [
      service.invoke('Greeter.Echo', { body, headers: {} } as never),
      service.invoke('Greeter.Echo', { body }, { timeout: 5 } as never),
      service.invoke('Greeter.Echo', undefined as never),
      service.invoke('Greeter.Echo', { body }, null as never),
      service.invoke('Greeter.Echo', { body, metadata: new Map([['a', 'b']]) as never }),
    ])
      expect(await failure(promise)).toMatchObject({ code: 'invalid' });
  });

  it('refuses arguments that break a rule, naming them', async () => {
    await using greeter = await startGreeter((service) => service.handle('Greeter.Hello', () => ({})));
    const { service } = greeter;
    const body = bytes({});
    const wrong: readonly (readonly [string, Promise<unknown>])[] = [
      ['endpoint', service.invoke(7 as never, { body })],
      ['body', service.invoke('Greeter.Hello', { body: '{}' as never })],
      ['metadata.a', service.invoke('Greeter.Hello', { body, metadata: { a: 1 as never } })],
      ['contentType', service.invoke('Greeter.Hello', { body, contentType: '' })],
      ['timeoutMs', service.invoke('Greeter.Hello', { body }, { timeoutMs: Number.NaN })],
      ['remote', service.invoke('Greeter.Hello', { body }, { remote: 7 as never })],
    ];
    for (const [option, promise] of wrong) {
      const error = await failure(promise);
      expect([option, error.code]).toEqual([option, 'invalid']);
      expect(error.message).toContain(`service "greeter": invoke: option ${option} `);
    }
  });
});
