import { type Message, MicroError, type Socket } from '@ts-micro/core';
import { memoryTransport } from '@ts-micro/memory';
import { describe, expect, it } from 'vitest';
import type { Service } from '../../src/server/service.ts';
import { golden, without } from '../rpc/golden.ts';
import { aborted, ask, deferred, errorOf, json, next, request, startGreeter, until, untilTerminal } from './fixture.ts';

function hello(service: Service): void {
  service.handle('Greeter.Hello', ({ name }: { name: string }) => ({ msg: `Hello ${name}` }));
}

describe('a request', () => {
  it.each([
    ['T1', 'T5'],
    ['T2', 'T6'],
    ['L1', 'L3'],
    ['L2', 'L3'],
  ])('%s is answered with %s', async (asked, answered) => {
    await using greeter = await startGreeter(hello);
    const reply = await greeter.ask(golden(asked));
    const expected = golden(answered);
    expect(Buffer.from(reply.body).toString()).toBe(Buffer.from(expected.body).toString());
    expect(reply.headers['Content-Type']).toBe(expected.headers['Content-Type']);
    const spelling = 'Micro-ID' in golden(asked).headers ? 'Micro-ID' : 'Micro-Id';
    expect(reply.headers).toMatchObject({ [spelling]: '0', [`X-${spelling}`]: '0' });
  });

  it('that names its endpoint only in a legacy body is answered in kind', async () => {
    await using greeter = await startGreeter(hello);
    const reply = await greeter.ask({ headers: { 'Content-Type': 'application/json' }, body: golden('L2').body });
    expect(json(reply)).toEqual({ id: '0', result: { msg: 'Hello John' }, error: null });
  });

  it('without a content type carries bytes', async () => {
    await using greeter = await startGreeter((service) => {
      service.handle('Greeter.Hello', (body: Uint8Array) => Uint8Array.from(body).reverse());
    });
    const reply = await greeter.ask(without(golden('T3'), 'Content-Type'));
    expect(reply.headers['Content-Type']).toBe('application/protobuf');
    expect(Buffer.from(reply.body)).toEqual(Buffer.from(golden('T3').body).reverse());
    const empty = await greeter.ask(golden('T4'));
    expect(empty).toEqual({ headers: { 'Micro-Id': '0', 'X-Micro-Id': '0' }, body: new Uint8Array() });
  });

  it('without a body is an empty object, and nothing returned is one too', async () => {
    await using greeter = await startGreeter((service) => {
      service.handle('Greeter.Nothing', (value) => {
        expect(value).toEqual({});
      });
    });
    const reply = await greeter.ask({ ...request('Greeter.Nothing', {}), body: new Uint8Array() });
    expect(reply.headers['Micro-Error']).toBeUndefined();
    expect(Buffer.from(reply.body).toString()).toBe('{}\n');
  });

  it('is served beside a hundred others of the same socket, and answered when it is done', async () => {
    const gates = Array.from({ length: 100 }, () => deferred());
    await using greeter = await startGreeter((service) => {
      service.handle('Greeter.Wait', async ({ index }: { index: number }) => {
        await gates[index]?.promise;
        return { index };
      });
    });
    const socket = await greeter.dial();
    for (const index of gates.keys()) {
      await socket.send(request('Greeter.Wait', { index }, { 'Micro-ID': `id-${index}` }));
    }
    await until('all run', () => greeter.service.health().running === 100);
    for (const gate of [...gates].reverse()) gate.resolve();
    const answers = await receiveMany(socket, 100);
    expect(answers.map((answer) => answer.headers['Micro-ID'])).toEqual(
      answers.map((answer) => `id-${(json(answer) as { index: number }).index}`),
    );
    expect(new Set(answers.map((answer) => answer.headers['Micro-ID'])).size).toBe(100);
    expect(json(answers[0] as Message)).toEqual({ index: 99 });
  });

  it('that reuses an active id is served as well', async () => {
    const gate = deferred();
    await using greeter = await startGreeter((service) => {
      service.handle('Greeter.Wait', () => gate.promise);
    });
    const socket = await greeter.dial();
    await socket.send(request('Greeter.Wait', {}));
    await socket.send(request('Greeter.Wait', {}));
    await until('both run', () => greeter.service.health().running === 2);
    gate.resolve();
    expect(await receiveMany(socket, 2)).toHaveLength(2);
  });

  it('with Connection: close is the last that its socket serves', async () => {
    const gate = deferred();
    await using greeter = await startGreeter((service) => {
      service.handle('Greeter.Wait', () => gate.promise);
    });
    const socket = await greeter.dial();
    await socket.send(request('Greeter.Wait', {}, { Connection: 'close' }));
    await until('it runs', () => greeter.service.health().running === 1);
    gate.resolve();
    expect(json(await next(socket))).toEqual({});
    expect(await socket.receive({ signal: AbortSignal.timeout(5000) })).toBeUndefined();
  });

  it('whose caller is gone is still handled to its end, and its handler is told', async () => {
    const gate = deferred();
    const told = deferred<unknown>();
    await using greeter = await startGreeter((service) => {
      service.handle('Greeter.Wait', async (_request, context) => {
        void aborted(context.signal).then(() => told.resolve(context.signal.reason));
        await gate.promise;
      });
    });
    const socket = await greeter.dial();
    await socket.send(request('Greeter.Wait', {}));
    await until('it runs', () => greeter.service.health().running === 1);
    await socket.close();
    expect(await told.promise).toMatchObject({ code: 'canceled' });
    expect(greeter.service.health().running).toBe(1);
    gate.resolve();
    await until('nothing runs', () => greeter.service.health().running === 0);
    expect(greeter.log.filter(({ level }) => level === 'error' || level === 'warn')).toEqual([]);
  });
});

describe("a handler's context", () => {
  it('names who asked for what, and shows metadata without the transport level', async () => {
    const seen = deferred<Record<string, unknown>>();
    await using greeter = await startGreeter((service) => {
      service.handle('Greeter.Hello', (_request, context) => {
        const { service: name, endpoint, contentType, local, remote, metadata, headers, deadline } = context;
        seen.resolve({ name, endpoint, contentType, local, remote, metadata, headers, deadline });
      });
    });
    const socket = await greeter.dial();
    await ask(socket, request('Greeter.Hello', {}, { 'X-Tenant': 'a', 'Micro-Trace-Id': 't' }));
    const context = await seen.promise;
    expect(context).toMatchObject({
      name: 'greeter',
      endpoint: 'Greeter.Hello',
      contentType: 'application/json',
      local: greeter.service.node?.address,
      remote: socket.local,
      metadata: { 'X-Tenant': 'a', 'Micro-Trace-Id': 't' },
      deadline: undefined,
    });
    expect(context.headers).toHaveProperty('Micro-Endpoint');
    expect(Object.keys(context.metadata as object)).toHaveLength(2);
  });

  it('aborts at the deadline, and what the handler throws then is that deadline', async () => {
    await using greeter = await startGreeter((service) => {
      service.handle('Greeter.Wait', async (_request, { signal, deadline }) => {
        expect(deadline).toBeGreaterThan(Date.now() - 1000);
        await aborted(signal);
        throw new MicroError('timeout', (signal.reason as Error).name);
      });
    });
    const reply = await greeter.ask(request('Greeter.Wait', {}, { Timeout: '30000000' }));
    const detail = 'greeter Greeter.Wait: the deadline of the caller has passed';
    expect(errorOf(reply)).toEqual({ id: 'ts-micro.server', code: 504, detail, status: 'Gateway Timeout' });
    expect(reply.headers['Micro-Runtime']).toMatch(/^failed/);
  });

  it('is aborted from the start where the deadline has passed', async () => {
    let isAborted: boolean | undefined;
    await using greeter = await startGreeter((service) => {
      service.handle('Greeter.Late', async (_request, context) => {
        await until('the deadline', () => Date.now() > (context.deadline as number));
        isAborted = context.signal.aborted;
      });
    });
    await greeter.ask(request('Greeter.Late', {}, { Timeout: '1000000' }));
    expect(isAborted).toBe(true);
  });

  it('aborts at the deadline, and what the handler returns then is no answer', async () => {
    await using greeter = await startGreeter((service) => {
      service.handle('Greeter.Wait', (_request, { signal }) => aborted(signal).then(() => 'half'));
      service.handleStream('Greeter.Stream', async (stream, { signal }) => {
        await stream.send('half');
        await aborted(signal);
      });
    });
    const past = { id: 'ts-micro.server', code: 504, detail: expect.stringMatching(/the deadline of the caller has/) };
    const reply = await greeter.ask(request('Greeter.Wait', {}, { Timeout: '30000000' }));
    expect(errorOf(reply)).toMatchObject(past);
    expect(reply.headers['Micro-Runtime']).toMatch(/^failed/);
    const socket = await greeter.dial();
    await socket.send(request('Greeter.Stream', {}, { 'Micro-Stream': '1', Timeout: '30000000' }));
    const [first, last] = await untilTerminal(socket);
    expect(json(first as Message)).toBe('half');
    expect(errorOf(last as Message)).toMatchObject(past);
  });

  it('aborts when the service waits no longer, and what the handler returns then is its answer', async () => {
    await using greeter = await startGreeter(
      (service) => {
        service.handle('Greeter.Wait', (_request, { signal }) => aborted(signal).then(() => 'all'));
      },
      { stopTimeoutMs: 20 },
    );
    const asking = greeter.ask(request('Greeter.Wait', {}, { Timeout: '30000000000' }));
    await until('it runs', () => greeter.service.health().running === 1);
    await greeter.service.stop();
    expect(json(await asking)).toBe('all');
  });

  it.each(['0', '-5', 'soon'])('has no deadline with a Timeout of %s', async (timeout) => {
    await using greeter = await startGreeter((service) => {
      service.handle('Greeter.Hello', (_request, context) => ({ deadline: context.deadline ?? null }));
    });
    expect(json(await greeter.ask(request('Greeter.Hello', {}, { Timeout: timeout })))).toEqual({ deadline: null });
  });
});

describe('a failed request', () => {
  const bob = () => {
    throw new MicroError('not_found', 'user "bob" not found');
  };

  it.each([
    ['T1', 'E1'],
    ['T2', 'E2'],
    ['L1', 'L4'],
  ])('%s is answered with %s', async (asked, answered) => {
    await using greeter = await startGreeter((service) => service.handle('Greeter.Hello', bob));
    expect(await greeter.ask(golden(asked))).toEqual(golden(answered));
  });

  it.each(['E3', 'E4', 'E5'])('is answered as a Go router does where there is no such endpoint (%s)', async (name) => {
    await using greeter = await startGreeter(hello);
    const expected = golden(name);
    expect(
      await greeter.ask(without({ ...golden('T1'), headers: expected.headers }, 'Micro-Error', 'X-Micro-Error')),
    ).toEqual(expected);
  });

  it('names an unsupported content type in plain text and as an error', async () => {
    await using greeter = await startGreeter(hello);
    const reply = await greeter.ask(request('Greeter.Hello', {}, { 'Content-Type': 'application/x-foo' }));
    expect(reply.body).toEqual(golden('E6').body);
    expect(reply.headers['Content-Type']).toBe('text/plain');
    expect(errorOf(reply)).toBe('unsupported Content-Type: application/x-foo');
  });

  it('that throws is answered as 500 with the message, logged, and never with a stack', async () => {
    await using greeter = await startGreeter((service) => {
      service.handle('Greeter.Crash', () => {
        throw new TypeError('boom');
      });
      service.handle('Greeter.Reject', () => Promise.reject(new Error('')));
    });
    const reply = await greeter.ask(request('Greeter.Crash', {}));
    expect(errorOf(reply)).toEqual({ id: 'greeter', code: 500, detail: 'boom', status: 'Internal Server Error' });
    expect(errorOf(await greeter.ask(request('Greeter.Reject', {})))).toMatchObject({ detail: 'the handler failed' });
    expect(greeter.log.filter(({ level }) => level === 'error').map(({ fields }) => fields.endpoint)).toEqual([
      'Greeter.Crash',
      'Greeter.Reject',
    ]);
  });

  it("goes out with a peer's own words, unlogged", async () => {
    const remote = { id: 'other', code: 418, detail: 'a<b', status: "I'm a teapot" };
    await using greeter = await startGreeter((service) => {
      service.handle('Greeter.Fail', () => Promise.reject(new MicroError('remote', 'x', { remote })));
    });
    const reply = await greeter.ask(request('Greeter.Fail', {}));
    expect(errorOf(reply)).toEqual(remote);
    expect(reply.headers['Micro-Error']).toContain('a\\u003cb');
    expect(greeter.log.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('that does not decode is answered with 400', async () => {
    await using greeter = await startGreeter(hello);
    const reply = await greeter.ask({ ...request('Greeter.Hello', {}), body: Buffer.from('{"name":') });
    expect(errorOf(reply)).toMatchObject({ id: 'ts-micro.server', code: 400, status: 'Bad Request' });
  });

  it('that names no endpoint and does not parse is answered', async () => {
    await using greeter = await startGreeter(hello);
    const reply = await greeter.ask({ headers: {}, body: new Uint8Array() });
    expect(errorOf(reply)).toContain('rpc: router cannot decode request: ');
  });

  it('whose response has no JSON form is answered with 500', async () => {
    await using greeter = await startGreeter((service) => service.handle('Greeter.Big', () => 1n));
    expect(errorOf(await greeter.ask(request('Greeter.Big', {})))).toMatchObject({ id: 'ts-micro.server', code: 500 });
    expect(greeter.log.map(({ message }) => message)).toContain('response not encoded');
  });

  it('whose response is too large is answered with 413', async () => {
    await using greeter = await startGreeter((service) => {
      service.handle('Greeter.Big', () => ({ text: 'x'.repeat(2000) }));
    });
    await using small = memoryTransport({ network: greeter.network, maxBodyBytes: 1000 });
    await using other = await startGreeter(
      (service) => service.handle('Greeter.Big', () => ({ text: 'x'.repeat(2000) })),
      { transport: small },
    );
    const socket = await small.dial(other.service.node?.address as string);
    const reply = await ask(socket, request('Greeter.Big', {}));
    expect(errorOf(reply)).toMatchObject({ id: 'ts-micro.server', code: 413, status: 'Request Entity Too Large' });
    expect(reply.headers['Micro-ID']).toBe('1');
  });

  it('whose handler stops because the caller no longer waits is answered as a timeout and is no crash', async () => {
    await using greeter = await startGreeter((service) => {
      service.handle('Greeter.Wait', () => {
        throw new DOMException('the deadline passed', 'TimeoutError');
      });
    });
    expect(errorOf(await greeter.ask(request('Greeter.Wait', {})))).toMatchObject({ id: 'greeter', code: 504 });
    expect(greeter.log.map(({ message }) => message)).not.toContain('handler failed');
  });

  it('to a stream, and a stream to it, are told apart', async () => {
    await using greeter = await startGreeter((service) => {
      hello(service);
      service.handleStream('Greeter.Chat', () => {});
    });
    expect(errorOf(await greeter.ask(request('Greeter.Chat', {})))).toMatchObject({ code: 501 });
    const stream = await greeter.ask(request('Greeter.Hello', {}, { 'Micro-Stream': '1' }));
    expect(errorOf(stream)).toMatchObject({ code: 501, detail: 'greeter Greeter.Hello: is not a stream' });
  });
});

describe('too many requests', () => {
  it('wait for room, and are refused beyond that', async () => {
    const gate = deferred();
    await using greeter = await startGreeter(
      (service) => {
        service.handle('Greeter.Wait', () => gate.promise);
      },
      { maxConcurrency: 2, maxBacklog: 1 },
    );
    const socket = await greeter.dial();
    for (let id = 1; id <= 4; id++) await socket.send(request('Greeter.Wait', {}, { 'Micro-ID': String(id) }));
    const refused = await next(socket);
    expect(refused.headers['Micro-ID']).toBe('4');
    expect(errorOf(refused)).toMatchObject({ id: 'ts-micro.server', code: 503, status: 'Service Unavailable' });
    expect(greeter.service.health().running).toBe(2);
    gate.resolve();
    const answered = await receiveMany(socket, 3);
    expect(answered.map(({ headers }) => headers['Micro-ID']).sort()).toEqual(['1', '2', '3']);
  });

  it('are not handled after their deadline has passed', async () => {
    const gate = deferred();
    await using greeter = await startGreeter(
      (service) => {
        service.handle('Greeter.Wait', () => gate.promise);
      },
      { maxConcurrency: 1 },
    );
    const socket = await greeter.dial();
    await socket.send(request('Greeter.Wait', {}, { 'Micro-ID': '1' }));
    await socket.send(request('Greeter.Wait', {}, { 'Micro-ID': '2', Timeout: '1000000' }));
    const asked = Date.now();
    await until('the deadline', () => Date.now() > asked + 10);
    gate.resolve();
    const answers = await receiveMany(socket, 2);
    const late = answers.find(({ headers }) => headers['Micro-ID'] === '2') as Message;
    expect(errorOf(late)).toMatchObject({ id: 'ts-micro.server', code: 504 });
    expect(await ask(socket, request('Greeter.Wait', {}))).toMatchObject({ headers: { 'Micro-ID': '1' } });
  });
});

describe('the debug endpoints', () => {
  it('answer and are not advertised', async () => {
    await using greeter = await startGreeter(hello);
    expect(json(await greeter.ask(request('Debug.Health', {})))).toEqual({ status: 'ok' });
    await greeter.ask(request('Greeter.Nope', {}));
    const stats = json(await greeter.ask(request('Debug.Stats', {}))) as Record<string, number>;
    expect(Object.keys(stats)).toEqual([
      'timestamp',
      'started',
      'uptime',
      'memory',
      'threads',
      'gc',
      'requests',
      'errors',
    ]);
    for (const value of Object.values(stats)) expect(Number.isInteger(value)).toBe(true);
    expect(stats).toMatchObject({ requests: 2, errors: 1 });
    expect(greeter.service.record.endpoints.map(({ name }) => name)).toEqual(['Greeter.Hello']);
  });
});

async function receiveMany(socket: Socket, count: number): Promise<Message[]> {
  const messages: Message[] = [];
  while (messages.length < count) messages.push(await next(socket));
  return messages;
}
