import { AsyncLocalStorage } from 'node:async_hooks';
import vm from 'node:vm';
import { type Logger, MicroError } from '@ts-micro/core';
import { describe, expect, it } from 'vitest';
import { ask, errorOf, json, request, startGreeter, until, untilTerminal } from './fixture.ts';

/** One that fails in every way a logger can. */
const fail = () => {
  throw new Error('the log is full');
};
const hostileLogger: Logger = { debug: fail, info: fail, warn: fail, error: async () => fail() };

const hostile: Readonly<Record<string, () => unknown>> = {
  bigintMessage: () => Object.assign(new Error('x'), { message: 10n }),
  proxy: () => new Proxy({}, { get: fail, has: fail, getPrototypeOf: fail }),
  revoked: () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  },
  getters: () => ({
    get message() {
      return fail();
    },
    get name() {
      return fail();
    },
  }),
  symbol: () => Symbol('odd'),
  nothing: () => undefined,
  noPrototype: () => Object.create(null),
};

const streamOpener = { 'Micro-Stream': '1' };

describe('a logger that throws or rejects', () => {
  it('costs no caller an answer, no service a place, no subscriber an event', async () => {
    const seen: number[] = [];
    await using greeter = await startGreeter(
      (service) => {
        service.handle('Greeter.Sync', () => fail());
        service.handle('Greeter.Async', async () => fail());
        service.handle('Greeter.Unsendable', () => ({ at: 1n }));
        service.handleStream('Greeter.Stream', async () => fail());
        service.handle('Greeter.Hello', () => ({ ok: true }));
        service.subscribe('a', ({ value }: { value: number }) => {
          seen.push(value);
          fail();
        });
      },
      { logger: hostileLogger, maxConcurrency: 1, maxBacklog: 0, registerIntervalMs: 10 },
    );
    for (const endpoint of ['Greeter.Sync', 'Greeter.Async', 'Greeter.Unsendable']) {
      expect(errorOf(await greeter.ask(request(endpoint, {})))).toMatchObject({ code: 500 });
    }
    const socket = await greeter.dial();
    await socket.send(request('Greeter.Stream', {}, streamOpener));
    expect(errorOf((await untilTerminal(socket)).at(-1) as never)).toMatchObject({ code: 500 });
    for (const value of [1, 2]) {
      const body = Buffer.from(JSON.stringify({ value }));
      await greeter.broker.publish('a', { headers: { 'Content-Type': 'application/json' }, body });
    }
    await until('both events came', () => seen.length === 2);
    expect(json(await greeter.ask(request('Greeter.Hello', {})))).toEqual({ ok: true });
    await greeter.registry.deregister(greeter.service.record);
    await until('the heartbeat goes on', async () => (await greeter.registry.getService('greeter')).length === 1);
    expect(await greeter.service.stop()).toEqual({ abandoned: [] });
  });
});

describe('whatever a handler throws', () => {
  it.each(Object.keys(hostile))('%s is answered, and its place is given back', async (kind) => {
    const thrown = hostile[kind] as () => unknown;
    await using greeter = await startGreeter(
      (service) => {
        service.handle('Greeter.Sync', () => {
          throw thrown();
        });
        service.handle('Greeter.Async', async () => {
          throw thrown();
        });
        service.handle('Greeter.Json', () => ({
          toJSON() {
            throw thrown();
          },
        }));
        service.handleStream('Greeter.Stream', async () => {
          throw thrown();
        });
        service.handle('Greeter.Hello', () => ({ ok: true }));
      },
      { maxConcurrency: 1, maxBacklog: 0 },
    );
    for (const endpoint of ['Greeter.Sync', 'Greeter.Async', 'Greeter.Json']) {
      expect(errorOf(await greeter.ask(request(endpoint, {})))).toMatchObject({ code: 500 });
    }
    const socket = await greeter.dial();
    await socket.send(request('Greeter.Stream', {}, streamOpener));
    expect(errorOf((await untilTerminal(socket)).at(-1) as never)).toMatchObject({ code: 500 });
    expect(json(await greeter.ask(request('Greeter.Hello', {})))).toEqual({ ok: true });
    expect(await greeter.service.stop()).toEqual({ abandoned: [] });
  });

  it('keeps its words where it is an error of another realm or only looks like one', async () => {
    await using greeter = await startGreeter((service) => {
      service.handle('Greeter.Realm', () => {
        throw vm.runInNewContext("new TypeError('from another realm')");
      });
      service.handle('Greeter.Plain', () => {
        throw { message: 'no user 7' };
      });
    });
    expect(errorOf(await greeter.ask(request('Greeter.Realm', {})))).toMatchObject({ detail: 'from another realm' });
    expect(errorOf(await greeter.ask(request('Greeter.Plain', {})))).toMatchObject({ detail: 'no user 7' });
  });

  it('may come from what it returned as well', async () => {
    await using greeter = await startGreeter((service) => {
      service.handle('Greeter.Getter', () => Object.defineProperty({}, 'then', { get: fail }));
      service.handle('Greeter.Thenable', () => Object.defineProperty({}, 'then', { value: fail }));
    });
    for (const endpoint of ['Greeter.Getter', 'Greeter.Thenable']) {
      expect(errorOf(await greeter.ask(request(endpoint, {})))).toMatchObject({ code: 500 });
    }
    expect(greeter.service.health().running).toBe(0);
  });
});

describe('whatever a subscriber returns', () => {
  it.each([false, 0, '', Number.NaN, 0n, null, true, {}])('%s gives its place back', async (returned) => {
    let handled = 0;
    await using greeter = await startGreeter((service) => {
      service.subscribe('a', () => {
        handled++;
        return returned as unknown as undefined;
      });
    });
    for (let count = 0; count < 2; count++)
      await greeter.broker.publish('a', { headers: {}, body: new Uint8Array([1]) });
    await until('both events came', () => handled === 2 && greeter.service.health().running === 0);
    expect(await greeter.service.stop()).toEqual({ abandoned: [] });
  });
});

describe('promises that nobody awaited', () => {
  it('end no process as they reject, wherever they are in what is refused for them', async () => {
    const late = async () => fail();
    const values: readonly (() => unknown)[] = [
      () => ({ user: late(), items: [late(), { deep: late() }] }),
      () => [late()],
      () => ({ at: 1n, user: late() }),
    ];
    await using greeter = await startGreeter((service) => {
      for (const [index, make] of values.entries()) {
        service.handle(`Greeter.Unary${index}`, make);
        service.handleStream(`Greeter.Stream${index}`, async (stream) => stream.send(make()));
      }
    });
    for (const index of values.keys()) {
      expect(errorOf(await greeter.ask(request(`Greeter.Unary${index}`, {})))).toMatchObject({ code: 500 });
      const socket = await greeter.dial();
      await socket.send(request(`Greeter.Stream${index}`, {}, streamOpener));
      expect(errorOf((await untilTerminal(socket)).at(-1) as never)).toMatchObject({ code: 500 });
    }
    // What rejects unheard is told after the microtasks of a turn.
    await new Promise(setImmediate);
  });
});

describe('a value of a stream that cannot be encoded', () => {
  it('is the mistake of the service, as in a response, and is logged', async () => {
    let caught: unknown;
    await using greeter = await startGreeter((service) => {
      service.handleStream('Greeter.Fails', async (stream) => {
        await stream.send({ at: 1n });
      });
      service.handleStream('Greeter.Catches', async (stream) => {
        await stream.send(1n).catch((error) => {
          caught = error;
        });
        throw new MicroError('invalid', 'of its own');
      });
    });
    const endOf = async (endpoint: string) => {
      const socket = await greeter.dial();
      await socket.send(request(endpoint, {}, streamOpener));
      return errorOf((await untilTerminal(socket)).at(-1) as never);
    };
    expect(await endOf('Greeter.Fails')).toMatchObject({ code: 500, id: 'ts-micro.server' });
    expect(greeter.log).toContainEqual(
      expect.objectContaining({ level: 'error', message: 'response not encoded', fields: expect.anything() }),
    );
    expect(await endOf('Greeter.Catches')).toMatchObject({ code: 400, detail: 'of its own' });
    expect(caught).toMatchObject({ code: 'invalid' });
  });
});

describe('what a handler enters into an AsyncLocalStorage', () => {
  it('is seen by no other request, stream or event, running or waiting', async () => {
    const storage = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    const enter = (name: string) => {
      seen.push(storage.getStore());
      storage.enterWith(name);
    };
    await using greeter = await startGreeter(
      (service) => {
        service.handle('Greeter.Sync', () => enter('sync'));
        service.handle('Greeter.Async', async () => {
          enter('async');
          await new Promise((resolve) => setImmediate(resolve));
        });
        service.handleStream('Greeter.Stream', async () => enter('stream'));
        service.subscribe('sync', () => enter('event'));
        service.subscribe('async', async () => {
          enter('event');
          await new Promise((resolve) => setImmediate(resolve));
        });
      },
      { maxConcurrency: 1 },
    );
    // One socket, so that each comes in right after the one before; and all but the first wait for room.
    await storage.run('the client', async () => {
      const socket = await greeter.dial();
      for (const endpoint of ['Greeter.Sync', 'Greeter.Async', 'Greeter.Sync', 'Greeter.Async', 'Greeter.Async']) {
        await socket.send(request(endpoint, {}));
      }
      for (let count = 0; count < 5; count++) await socket.receive();
      for (let count = 0; count < 2; count++) {
        await socket.send(request('Greeter.Stream', {}, { 'Micro-Stream': String(count) }));
        await untilTerminal(socket);
      }
      for (const topic of ['sync', 'sync', 'async', 'async']) {
        await greeter.broker.publish(topic, {
          headers: { 'Content-Type': 'application/json' },
          body: Buffer.from('{}'),
        });
      }
    });
    await until('all have run', () => seen.length === 11);
    expect(seen).toEqual(Array.from({ length: 11 }));
  });
});

describe('handlers that never wait', () => {
  it('let the event loop turn', async () => {
    const work = () => {
      const end = performance.now() + 1;
      while (performance.now() < end);
      return {};
    };
    let ran = 0;
    let ranAtTurn = 0;
    await using greeter = await startGreeter((service) => {
      service.handle('Greeter.Work', () => {
        ran++;
        return work();
      });
    });
    const socket = await greeter.dial();
    await ask(socket, request('Greeter.Work', {}));
    ran = 0;
    const sent = Array.from({ length: 100 }, () => socket.send(request('Greeter.Work', {})));
    // On a loaded machine it also fires before the first of them runs.
    const timer = setInterval(() => {
      if (ranAtTurn === 0) ranAtTurn = ran;
    }, 1);
    await Promise.all(sent);
    await until('all have run', () => ran === 100);
    await until('the timer had its turn', () => ranAtTurn > 0);
    clearInterval(timer);
    expect(ranAtTurn).toBeLessThan(100);
  });
});
