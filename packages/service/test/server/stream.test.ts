import { type Message, MicroError, type Socket } from '@ts-micro/core';
import { bytesOfMessage } from '@ts-micro/kit';
import { describe, expect, it } from 'vitest';
import type { Service } from '../../src/server/service.ts';
import { golden } from '../rpc/golden.ts';
import { aborted, ask, deferred, errorOf, json, next, request, startGreeter, until, untilTerminal } from './fixture.ts';

const end: Message = golden('S5');

function message(value: unknown, endpoint = 'Greeter.Stream', id = '3'): Message {
  return request(endpoint, value, { 'Micro-ID': id, 'Micro-Stream': id });
}

function endOf(endpoint: string, id = '3', headers = {}): Message {
  return {
    headers: { ...message({}, endpoint, id).headers, 'Micro-Error': 'EOS', ...headers },
    body: new Uint8Array(),
  };
}

function greetAll(service: Service): void {
  service.handleStream<{ msg: string }, { name: string }>('Greeter.Stream', async (stream) => {
    for await (const { name } of stream) await stream.send({ msg: `Hello ${name}` });
  });
}

function count(service: Service): void {
  service.handleStream<{ value: number }, { to: number }>('Greeter.Count', async (stream) => {
    const asked = await stream.receive();
    for (let value = 1; value <= (asked?.to ?? 0); value++) await stream.send({ value });
  });
}

async function openStream(socket: Socket, endpoint: string, id = '3'): Promise<void> {
  await socket.send(message({}, endpoint, id));
}

describe('a stream', () => {
  it('is spoken as a Go server speaks it, and the body of its opener is not part of it', async () => {
    await using greeter = await startGreeter(greetAll);
    const socket = await greeter.dial();
    await socket.send(golden('S1'));
    expect(await ask(socket, golden('S2'))).toEqual(golden('S3'));
    expect(await ask(socket, end)).toEqual(golden('S4'));
  });

  it('counts and ends by itself', async () => {
    await using greeter = await startGreeter(count);
    const socket = await greeter.dial();
    await openStream(socket, 'Greeter.Count');
    await socket.send(message({ to: 100 }, 'Greeter.Count'));
    const messages = await untilTerminal(socket);
    expect(messages.slice(0, -1).map(json)).toEqual(Array.from({ length: 100 }, (_, index) => ({ value: index + 1 })));
    expect(errorOf(messages.at(-1) as Message)).toBe('EOS');
  });

  it('answers what came before the end of the client, and then ends', async () => {
    await using greeter = await startGreeter(greetAll);
    const socket = await greeter.dial();
    await openStream(socket, 'Greeter.Stream');
    for (const name of ['a', 'b', 'c']) await socket.send(message({ name }));
    await socket.send(end);
    const messages = await untilTerminal(socket);
    expect(messages.slice(0, -1).map(json)).toEqual(['a', 'b', 'c'].map((name) => ({ msg: `Hello ${name}` })));
  });

  it('fails with what its handler throws', async () => {
    await using greeter = await startGreeter((service) => {
      service.handleStream('Greeter.Stream', () => {
        throw new MicroError('not_found', 'user "bob" not found');
      });
    });
    const socket = await greeter.dial();
    expect(await ask(socket, golden('S1'))).toEqual(golden('S6'));
  });

  it('ends once, whatever its handler does after its own end', async () => {
    await using greeter = await startGreeter((service) => {
      service.handleStream('Greeter.Stream', async (stream) => {
        await stream.end();
        await stream.end();
        await expect(stream.send({})).rejects.toMatchObject({ code: 'closed' });
        await stream.close();
        throw new Error('too late');
      });
    });
    const socket = await greeter.dial();
    expect(await ask(socket, golden('S1'))).toEqual(golden('S4'));
    await until('it is over', () => greeter.service.health().running === 0);
    await socket.send(request('Debug.Health', {}, { 'Micro-ID': 'next' }));
    expect((await next(socket)).headers['Micro-ID']).toBe('next');
  });

  it('that was given up is not opened anew by a value of a ts-micro client that comes late', async () => {
    let ran = 0;
    await using greeter = await startGreeter((service) => {
      service.handleStream('Greeter.Stream', () => {
        ran++;
      });
    });
    const socket = await greeter.dial();
    const late = message({ name: 'a' });
    const answer = await ask(socket, { ...late, headers: { ...late.headers, 'Micro-Runtime': 'continues' } });
    expect(errorOf(answer)).toContain('a stream that is not open');
    expect(ran).toBe(0);
  });

  it('carries both directions at once', async () => {
    await using greeter = await startGreeter((service) => {
      service.handleStream<number, number>('Greeter.Stream', async (stream) => {
        let sum = 0;
        const reading = (async () => {
          for await (const value of stream) sum += value;
        })();
        for (let value = 0; value < 1000; value++) await stream.send(value);
        await reading;
        await stream.send(sum);
      });
    });
    const socket = await greeter.dial();
    await openStream(socket, 'Greeter.Stream');
    const sending = (async () => {
      for (let value = 0; value < 1000; value++) await socket.send(message(value));
      await socket.send(end);
    })();
    const values = (await untilTerminal(socket)).slice(0, -1).map(json);
    await sending;
    expect(values).toEqual([...Array.from({ length: 1000 }, (_, value) => value), 499_500]);
  });

  it('shares a socket with requests and other streams', async () => {
    await using greeter = await startGreeter((service) => {
      greetAll(service);
      count(service);
    });
    const socket = await greeter.dial();
    await openStream(socket, 'Greeter.Stream', 'a');
    await openStream(socket, 'Greeter.Count', 'b');
    expect(json(await ask(socket, request('Debug.Health', {})))).toEqual({ status: 'ok' });
    expect(json(await ask(socket, message({ name: 'x' }, 'Greeter.Stream', 'a')))).toEqual({ msg: 'Hello x' });
    await socket.send(message({ to: 2 }, 'Greeter.Count', 'b'));
    expect((await untilTerminal(socket)).map(({ headers }) => headers['Micro-ID'])).toEqual(['b', 'b', 'b']);
    expect(errorOf(await ask(socket, endOf('Greeter.Stream', 'a')))).toBe('EOS');
  });

  it('ends every pending receive of its handler at the end of the client', async () => {
    const ends = deferred<unknown>();
    await using greeter = await startGreeter((service) => {
      service.handleStream('Greeter.Stream', async (stream) => {
        ends.resolve(await Promise.all([stream.receive(), stream.receive(), stream.receive()]));
      });
    });
    const socket = await greeter.dial();
    await openStream(socket, 'Greeter.Stream');
    await socket.send(message('only'));
    expect(errorOf(await ask(socket, end))).toBe('EOS');
    expect(await ends.promise).toEqual(['only', undefined, undefined]);
  });

  it('that its handler closes between two values ends its loop', async () => {
    const values: unknown[] = [];
    await using greeter = await startGreeter((service) => {
      service.handleStream('Greeter.Stream', async (stream) => {
        for await (const value of stream) {
          values.push(value);
          await stream.close();
        }
      });
    });
    const socket = await greeter.dial();
    await openStream(socket, 'Greeter.Stream');
    await socket.send(message('first'));
    expect(errorOf(await next(socket))).toBe('EOS');
    await until('nothing runs', () => greeter.service.health().running === 0);
    expect(values).toEqual(['first']);
    expect(greeter.log.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('over JSON-RPC wraps every message', async () => {
    await using greeter = await startGreeter(greetAll);
    const socket = await greeter.dial();
    const wrapped = (name: string) => {
      const headers = { ...message({}).headers, 'Content-Type': 'application/json-rpc' };
      return { headers, body: Buffer.from(`{"method":"Greeter.Stream","params":[{"name":"${name}"}],"id":"3"}\n`) };
    };
    await socket.send(wrapped('opener'));
    expect(json(await ask(socket, wrapped('John')))).toEqual({ id: '3', result: { msg: 'Hello John' }, error: null });
    const last = await ask(socket, { headers: { ...wrapped('').headers, 'Micro-Error': 'EOS' }, body: end.body });
    expect(json(last)).toEqual({ id: '', result: null, error: 'EOS' });
  });

  it('goes on after a message that does not decode', async () => {
    const codes: unknown[] = [];
    await using greeter = await startGreeter((service) => {
      service.handleStream<unknown, unknown>('Greeter.Stream', async (stream) => {
        await stream.receive().catch((error: MicroError) => codes.push(error.code));
        await stream.send(await stream.receive());
      });
    });
    const socket = await greeter.dial();
    await openStream(socket, 'Greeter.Stream');
    await socket.send({ ...message({}), body: Buffer.from('{') });
    await socket.send(message({ good: true }));
    expect((await untilTerminal(socket)).slice(0, -1).map(json)).toEqual([{ good: true }]);
    expect(codes).toEqual(['malformed']);
  });

  it('fails on the side of its handler with the error the client ends it with', async () => {
    await using greeter = await startGreeter(greetAll);
    const socket = await greeter.dial();
    await openStream(socket, 'Greeter.Stream');
    const failing = {
      ...message({}),
      headers: { ...message({}).headers, 'Micro-Error': '{"code":409,"detail":"taken"}' },
    };
    expect(errorOf(await ask(socket, failing))).toEqual({ code: 409, detail: 'taken' });
  });

  it('of an unknown endpoint or content type is refused with one terminal message', async () => {
    await using greeter = await startGreeter(greetAll);
    const socket = await greeter.dial();
    await openStream(socket, 'Greeter.Nope', '1');
    expect(errorOf(await next(socket))).toBe("rpc: can't find method Nope");
    const foo = message({}, 'Greeter.Stream', '2');
    expect(errorOf(await ask(socket, { ...foo, headers: { ...foo.headers, 'Content-Type': 'x/foo' } }))).toBe(
      'unsupported Content-Type: x/foo',
    );
  });

  it('is refused where too many are open', async () => {
    await using greeter = await startGreeter(greetAll, { maxConcurrency: 1 });
    const socket = await greeter.dial();
    await openStream(socket, 'Greeter.Stream', '1');
    await openStream(socket, 'Greeter.Stream', '2');
    const refused = await next(socket);
    expect(refused.headers['Micro-Stream']).toBe('2');
    expect(errorOf(refused)).toMatchObject({ id: 'ts-micro.server', code: 503 });
    expect(errorOf(await ask(socket, endOf('Greeter.Stream', '1')))).toBe('EOS');
  });
});

describe('what comes late', () => {
  it('opens no second stream, and the end of the client then ends the socket', async () => {
    let opened = 0;
    await using greeter = await startGreeter((service) => {
      service.handleStream('Greeter.Stream', () => {
        opened++;
      });
    });
    const socket = await greeter.dial();
    expect(await ask(socket, golden('S1'))).toEqual(golden('S4'));
    await socket.send(golden('S2'));
    await socket.send(golden('S2'));
    await socket.send(end);
    expect(await socket.receive({ signal: AbortSignal.timeout(5000) })).toBeUndefined();
    expect(opened).toBe(1);
  });

  it('for a stream that never was ends the socket after what is in flight', async () => {
    const gate = deferred();
    await using greeter = await startGreeter((service) => {
      service.handle('Greeter.Wait', () => gate.promise);
    });
    const socket = await greeter.dial();
    await socket.send(request('Greeter.Wait', {}));
    await until('it runs', () => greeter.service.health().running === 1);
    await socket.send(end);
    gate.resolve();
    expect(json(await next(socket))).toEqual({});
    expect(await socket.receive({ signal: AbortSignal.timeout(5000) })).toBeUndefined();
  });
});

describe('a client that vanishes', () => {
  it("ends the handler's receive with an error and aborts its signal", async () => {
    const seen = deferred<{ error: MicroError; aborted: boolean; sent: unknown }>();
    await using greeter = await startGreeter((service) => {
      service.handleStream('Greeter.Stream', async (stream, context) => {
        expect(context.signal.aborted).toBe(false);
        await stream.receive();
        const error = (await stream.receive().catch((reason: unknown) => reason)) as MicroError;
        const sent = await stream.send({}).catch((reason: unknown) => reason);
        seen.resolve({ error, aborted: context.signal.aborted, sent });
      });
    });
    const socket = await greeter.dial();
    await openStream(socket, 'Greeter.Stream');
    await socket.send(message({ name: 'x' }));
    await until('it runs', () => greeter.service.health().running === 1);
    await socket.close();
    const { error, aborted, sent } = await seen.promise;
    expect(error).toMatchObject({ code: 'unavailable' });
    expect(aborted).toBe(true);
    expect(sent).toMatchObject({ code: 'closed' });
    await until('nothing runs', () => greeter.service.health().running === 0);
    expect(greeter.log.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('stops a handler that only sends', async () => {
    await using greeter = await startGreeter((service) => {
      service.handleStream('Greeter.Stream', async (stream) => {
        for (;;) {
          await stream.send({ tick: true });
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
      });
    });
    const socket = await greeter.dial();
    await openStream(socket, 'Greeter.Stream');
    await next(socket);
    await socket.close();
    await until('nothing runs', () => greeter.service.health().running === 0);
  });
});

describe('a slow handler', () => {
  it('slows its client down and loses nothing', async () => {
    const gate = deferred();
    await using greeter = await startGreeter((service) => {
      service.handleStream<number, number>('Greeter.Stream', async (stream) => {
        await gate.promise;
        let received = 0;
        for await (const value of stream) if (value === received) received++;
        await stream.send(received);
      });
    });
    const socket = await greeter.dial();
    await openStream(socket, 'Greeter.Stream');
    let sent = 0;
    const sending = (async () => {
      for (; sent < 12_000; sent++) await socket.send(message(sent));
      await socket.send(end);
    })();
    // The queue of the stream holds 1024 messages, the pipe of the memory transport 10,000.
    await until('the client waits', () => sent >= 11_000);
    for (let turn = 0; turn < 10; turn++) await greeter.ask(request('Debug.Health', {}));
    expect(sent).toBeLessThan(11_100);
    gate.resolve();
    await sending;
    expect(json(await next(socket))).toBe(12_000);
  });

  it('is sent no more bytes than its stream holds', async () => {
    const gate = deferred();
    await using greeter = await startGreeter((service) => {
      service.handleStream<number, string>('Greeter.Stream', async (stream) => {
        await gate.promise;
        let bytes = 0;
        for await (const value of stream) bytes += value.length;
        await stream.send(bytes);
      });
    });
    const socket = await greeter.dial();
    await openStream(socket, 'Greeter.Stream');
    const large = message('x'.repeat(11_000));
    // The pipe of the memory transport holds 64 MiB.
    const pipe = Math.ceil((64 * 1024 * 1024) / bytesOfMessage(large));
    let sent = 0;
    const sending = (async () => {
      for (; sent < pipe + 200; sent++) await socket.send(large);
      await socket.send(end);
    })();
    // 93 of them make a mebibyte.
    await until('the client waits', () => sent >= pipe + 90);
    for (let turn = 0; turn < 10; turn++) await greeter.ask(request('Debug.Health', {}));
    expect(sent).toBeLessThanOrEqual(pipe + 100);
    gate.resolve();
    await sending;
    expect(json(await next(socket))).toBe((pipe + 200) * 11_000);
  });

  it('fails where the streams of its client hold too much, the one first to which nothing came for longest', async () => {
    await using greeter = await startGreeter(
      (service) => {
        service.handleStream('Greeter.Stream', async (_stream, { signal }) => {
          await aborted(signal);
        });
      },
      { maxUnreadBytes: 1_000_000 },
    );
    const sockets = [await greeter.dial(), await greeter.dial(), await greeter.dial()];
    for (const socket of sockets) {
      await openStream(socket, 'Greeter.Stream');
      await socket.send(message('x'.repeat(200_000)));
      await greeter.ask(request('Debug.Health', {}));
    }
    expect(errorOf(await next(sockets[0] as Socket))).toMatchObject({ code: 503, status: 'Service Unavailable' });
    expect(greeter.service.health()).toMatchObject({ running: 2, refused: 1 });
    expect(greeter.log.filter(({ message: line }) => line === 'stream ended for others')).toHaveLength(1);
  });

  it('on a shared socket fails its stream and holds up nobody else', async () => {
    const gate = deferred();
    await using greeter = await startGreeter((service) => {
      service.handle('Greeter.Wait', () => gate.promise);
      service.handleStream('Greeter.Stream', (_stream, { signal }) => aborted(signal));
    });
    const socket = await greeter.dial();
    await socket.send(request('Greeter.Wait', {}));
    await openStream(socket, 'Greeter.Stream');
    for (let index = 0; index < 1100; index++) await socket.send(message(index));
    const failed = await next(socket);
    expect(errorOf(failed)).toMatchObject({ code: 503, status: 'Service Unavailable' });
    gate.resolve();
    expect(json(await next(socket))).toEqual({});
  });
});
