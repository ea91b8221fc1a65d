import { MicroError } from '@ts-micro/core';
import { abortable } from '@ts-micro/kit';
import { memoryNetwork, memoryRegistry, memoryTransport } from '@ts-micro/memory';
import { describe, expect, it, vi } from 'vitest';
import { createService } from '../../src/server/create-service.ts';
import {
  ask,
  deferred,
  errorOf,
  json,
  makeGreeter,
  next,
  registryWith,
  request,
  startGreeter,
  until,
} from './fixture.ts';

describe('a started service', () => {
  it('is registered with what Go clients choose by, and advertises its endpoints in order', async () => {
    await using greeter = await startGreeter(
      (service) => {
        service.handle('Greeter.Hello', () => ({}), { metadata: { a: 'b' } });
        service.handle('Greeter.Bye', () => ({}), { internal: true });
        service.handleStream('Greeter.Chat', () => {});
        service.handle('Admin.Stats', () => ({}), {
          request: { name: 'Request', type: 'Request', values: [{ name: 'name', type: 'string', values: [] }] },
        });
        service.subscribe('a', () => {});
        service.subscribe('b', () => {});
      },
      { version: '1.2.3', id: 'one', metadata: { zone: 'z', protocol: 'mine' }, advertise: 'elsewhere' },
    );
    const [record] = await greeter.registry.getService('greeter');
    expect(record).toEqual(greeter.service.record);
    expect(record).toMatchObject({ name: 'greeter', version: '1.2.3', metadata: {} });
    expect(record?.nodes).toEqual([
      {
        id: 'greeter-one',
        address: 'elsewhere',
        metadata: {
          zone: 'z',
          broker: 'memory',
          protocol: 'mucp',
          registry: 'memory',
          server: 'mucp',
          transport: 'memory',
          'ts-micro-rpc': '1',
        },
      },
    ]);
    expect(record?.endpoints.map(({ name, metadata }) => [name, metadata])).toEqual([
      ['Admin.Stats', {}],
      ['Greeter.Chat', { stream: 'true' }],
      ['Greeter.Hello', { a: 'b' }],
      ['Func', { subscriber: 'true', topic: 'b' }],
      ['Func', { subscriber: 'true', topic: 'a' }],
    ]);
    expect(record?.endpoints[0]?.request?.values).toHaveLength(1);
    expect(record?.endpoints[1]).toMatchObject({ request: { name: 'Context' }, response: { name: 'Stream' } });
  });

  it('serves as soon as it can be found', async () => {
    await using greeter = makeGreeter((service) => service.handle('Greeter.Hello', () => ({ ok: true })));
    await using watcher = await greeter.registry.watch({ service: 'greeter' });
    const answered = (async () => {
      for await (const event of watcher) {
        if (event.type === 'resync') continue;
        const socket = await greeter.transport.dial(event.service.nodes[0]?.address as string);
        return json(await ask(socket, request('Greeter.Hello', {})));
      }
    })();
    await greeter.service.start();
    expect(await answered).toEqual({ ok: true });
  });

  it('listens where it is told to', async () => {
    await using greeter = await startGreeter(() => {}, { address: 'here' });
    expect(greeter.service.node?.address).toBe('here');
  });

  it('works without broker and registry', async () => {
    await using greeter = await startGreeter((service) => service.handle('Greeter.Hello', () => ({ ok: true })), {
      broker: undefined,
      registry: undefined,
    });
    expect(json(await greeter.ask(request('Greeter.Hello', {})))).toEqual({ ok: true });
    expect(greeter.service.node?.metadata).toEqual({
      'ts-micro-rpc': '1',
      protocol: 'mucp',
      server: 'mucp',
      transport: 'memory',
    });
    expect(greeter.service.health()).toMatchObject({ ready: true, registered: false, reasons: [] });
  });

  it('starts once, and takes no more handlers', async () => {
    await using greeter = await startGreeter(() => {});
    await expect(greeter.service.start()).rejects.toMatchObject({ code: 'conflict' });
    const { service } = greeter;
    for (const late of [
      () => service.handle('A.B', () => {}),
      () => service.handleStream('A.B', () => {}),
      () => service.subscribe('a', () => {}),
      () => service.use((_call, next) => next()),
    ])
      expect(late).toThrow(expect.objectContaining({ code: 'conflict' }));
  });

  it('goes through its states and tells its health', async () => {
    await using greeter = makeGreeter((service) => service.handle('Greeter.Hello', () => {}));
    const { service } = greeter;
    expect(service.state).toBe('new');
    expect(service.node).toBeUndefined();
    expect(service.health()).toMatchObject({ live: true, ready: false, registered: false });
    const started = service.start();
    expect(service.state).toBe('starting');
    await started;
    expect(service.state).toBe('running');
    expect(service.health()).toEqual({
      live: true,
      ready: true,
      connected: true,
      registered: true,
      draining: false,
      running: 0,
      refused: 0,
      reasons: [],
    });
    const stopped = service.stop();
    expect(service.health()).toMatchObject({ live: true, ready: false, draining: true });
    await stopped;
    expect(service.state).toBe('stopped');
    expect(service.health()).toMatchObject({ live: false, ready: false, registered: false, draining: false });
  });
});

describe('a heartbeat', () => {
  it('keeps the lease and brings back what the registry lost', async () => {
    await using greeter = await startGreeter(() => {}, { registerIntervalMs: 20, registerTtlMs: 5000 });
    await greeter.registry.deregister(greeter.service.record);
    await until('it is back', async () => (await greeter.registry.getService('greeter')).length === 1);
  });

  it('announces once more shortly after the start', async () => {
    const registered: number[] = [];
    await using inner = makeGreeter(() => {});
    const registry = registryWith(inner.registry, (...given) => {
      registered.push(Date.now());
      return inner.registry.register(...given);
    });
    await using greeter = await startGreeter(() => {}, { registry });
    await until('it is announced again', () => registered.length === 2);
    expect((registered[1] as number) - (registered[0] as number)).toBeLessThan(5000);
    expect(greeter.service.health().registered).toBe(true);
  });

  it('that fails is logged, shown, and tried again', async () => {
    await using inner = makeGreeter(() => {});
    let isDown = false;
    const registry = registryWith(inner.registry, async (...given) => {
      if (isDown) throw new MicroError('unavailable', 'no registry today');
      return inner.registry.register(...given);
    });
    await using greeter = await startGreeter(() => {}, { registry, registerIntervalMs: 10, registerTtlMs: 60 });
    isDown = true;
    const told = () => greeter.log.some(({ message }) => message === 'heartbeat failed');
    await until('the lease has run out, and it is told', () => !greeter.service.health().registered && told());
    expect(greeter.service.health()).toMatchObject({
      live: true,
      ready: true,
      reasons: ['the last heartbeat failed: no registry today'],
    });
    isDown = false;
    await until('it is registered', () => greeter.service.health().registered);
    expect(greeter.log.map(({ message }) => message)).toContain('service registered again');
  });
});

describe('stopping', () => {
  it('deregisters, answers what runs, and refuses what comes meanwhile', async () => {
    const gate = deferred();
    await using greeter = await startGreeter((service) => {
      service.handle('Greeter.Wait', () => gate.promise);
    });
    const busy = await greeter.dial();
    const idle = await greeter.dial();
    await ask(idle, request('Debug.Health', {}));
    await busy.send(request('Greeter.Wait', {}, { 'Micro-ID': '1' }));
    await until('it runs', () => greeter.service.health().running === 1);
    const stopped = greeter.service.stop();
    expect(await idle.receive({ signal: AbortSignal.timeout(5000) })).toBeUndefined();
    expect(await greeter.registry.getService('greeter')).toEqual([]);
    for (const socket of [busy, await greeter.dial()]) {
      const refused = await ask(socket, request('Greeter.Wait', {}, { 'Micro-ID': '2' }));
      expect(errorOf(refused)).toMatchObject({ id: 'ts-micro.server', code: 503 });
    }
    gate.resolve();
    expect((await next(busy)).headers['Micro-ID']).toBe('1');
    expect(await stopped).toEqual({ abandoned: [] });
    await expect(greeter.ask(request('Debug.Health', {}))).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('handles what waits for room too', async () => {
    const gate = deferred();
    await using greeter = await startGreeter(
      (service) => {
        service.handle('Greeter.Wait', () => gate.promise);
      },
      { maxConcurrency: 1 },
    );
    const socket = await greeter.dial();
    for (const id of ['1', '2', '3']) await socket.send(request('Greeter.Wait', {}, { 'Micro-ID': id }));
    await until('one runs', () => greeter.service.health().running === 1);
    const stopped = greeter.service.stop();
    await until('it is not found', async () => (await greeter.registry.getService('greeter')).length === 0);
    gate.resolve();
    for (const id of ['1', '2', '3']) expect((await next(socket)).headers['Micro-ID']).toBe(id);
    expect(await stopped).toEqual({ abandoned: [] });
  });

  it('abandons by name what does not end in time, after telling it to stop', async () => {
    const aborted: string[] = [];
    await using greeter = await startGreeter(
      (service) => {
        service.handle('Greeter.Obey', (_request, { signal }) => {
          return new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => reject(new MicroError('unavailable', 'stopping')));
          });
        });
        service.handle('Greeter.Ignore', (_request, { signal }) => {
          signal.addEventListener('abort', () => aborted.push((signal.reason as MicroError).code));
          return new Promise(() => {});
        });
        service.handleStream('Greeter.Chat', async (stream) => {
          for await (const _ of stream);
        });
        service.subscribe('events', () => new Promise(() => {}));
      },
      { stopTimeoutMs: 100 },
    );
    const socket = await greeter.dial();
    const chat = await greeter.dial();
    await socket.send(request('Greeter.Obey', {}));
    await socket.send(request('Greeter.Ignore', {}));
    await chat.send(request('Greeter.Chat', {}, { 'Micro-Stream': '1' }));
    await greeter.broker.publish('events', { headers: {}, body: new Uint8Array() });
    await until('all run', () => greeter.service.health().running === 4);
    const report = await greeter.service.stop();
    expect([...report.abandoned].sort()).toEqual(['Greeter.Chat', 'Greeter.Ignore', 'Greeter.Obey', 'events']);
    expect(errorOf(await next(socket))).toMatchObject({ code: 503, detail: 'stopping' });
    expect(errorOf(await next(chat))).toMatchObject({ id: 'ts-micro.server', code: 503 });
    expect(aborted).toEqual(['canceled']);
  });

  it('waits no longer than the signal it is given', async () => {
    await using greeter = await startGreeter(
      (service) => {
        service.handle('Greeter.Hang', () => new Promise(() => {}));
      },
      { stopTimeoutMs: 60_000 },
    );
    const socket = await greeter.dial();
    await socket.send(request('Greeter.Hang', {}));
    await until('it runs', () => greeter.service.health().running === 1);
    expect(await greeter.service.stop({ signal: AbortSignal.timeout(50) })).toEqual({ abandoned: ['Greeter.Hang'] });
  });

  it('is one stop however often it is asked for, and needs no start', async () => {
    await using greeter = await startGreeter(() => {});
    const first = greeter.service.stop();
    expect(greeter.service.stop()).toBe(first);
    expect(await first).toEqual({ abandoned: [] });
    await using never = makeGreeter(() => {});
    expect(await never.service.stop()).toEqual({ abandoned: [] });
    await expect(never.service.start()).rejects.toMatchObject({ code: 'conflict' });
  });

  it('while starting ends the start and leaves nothing open', async () => {
    await using greeter = makeGreeter((service) => service.subscribe('a', () => {}));
    const started = greeter.service.start();
    const stopped = greeter.service.stop();
    await expect(started).rejects.toMatchObject({ code: 'canceled' });
    expect(await stopped).toEqual({ abandoned: [] });
    expect(greeter.service.state).toBe('stopped');
    expect(await greeter.registry.listServices()).toEqual([]);
  });

  it('leaves the plugins open', async () => {
    await using greeter = await startGreeter(() => {});
    await greeter.service.stop();
    await (await greeter.transport.listen()).close();
    await greeter.broker.publish('a', { headers: {}, body: new Uint8Array() });
    expect(await greeter.registry.listServices()).toEqual([]);
  });
});

describe('a service that cannot start', () => {
  it('releases what it opened, and says in its health why', async () => {
    await using greeter = makeGreeter(() => {}, { address: 'here' });
    await greeter.registry.close();
    await expect(greeter.service.start()).rejects.toMatchObject({ code: 'closed' });
    expect(greeter.service.state).toBe('new');
    expect(greeter.service.health()).toMatchObject({
      live: true,
      connected: false,
      reasons: ['the service is new', expect.stringContaining('the last start failed: ')],
    });
    await (await greeter.transport.listen('here')).close();
  });

  it('tells a taken address', async () => {
    await using greeter = await startGreeter(() => {}, { address: 'here' });
    await using other = makeGreeter(() => {}, { address: 'here', transport: greeter.transport });
    await expect(other.service.start()).rejects.toMatchObject({ code: 'conflict' });
  });

  it('gives up after 30 s, and can be started again', async () => {
    // A thousandth of each time.
    const timeout = AbortSignal.timeout.bind(AbortSignal);
    const timeouts = vi.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => timeout(Math.ceil(ms / 1000)));
    await using inner = memoryRegistry({ network: memoryNetwork() });
    let isSlow = true;
    const registry = registryWith(inner, async (record, options) => {
      if (isSlow) await abortable(new Promise<never>(() => {}), options?.signal, 'a registry that is never done');
      await inner.register(record, options);
    });
    await using greeter = makeGreeter(() => {}, { registry });
    const beganAt = performance.now();
    await expect(greeter.service.start()).rejects.toMatchObject({ code: 'timeout' });
    expect(performance.now() - beganAt).toBeGreaterThan(25);
    expect(timeouts).toHaveBeenCalledWith(30_000);
    isSlow = false;
    timeouts.mockRestore();
    await greeter.service.start();
  });

  it('stops where its signal aborts', async () => {
    await using greeter = makeGreeter(() => {});
    await expect(greeter.service.start({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'canceled' });
    expect(greeter.service.state).toBe('new');
  });

  it('starts where it is tried again', async () => {
    await using greeter = makeGreeter((service) => {
      service.handle('Greeter.Hello', () => ({ ok: true }));
      service.subscribe('a', () => {});
    });
    greeter.network.partition();
    await expect(greeter.service.start()).rejects.toMatchObject({ code: 'unavailable' });
    greeter.network.heal();
    await greeter.service.start();
    expect(greeter.service.health()).toMatchObject({ ready: true, registered: true, reasons: [] });
    expect(json(await greeter.ask(request('Greeter.Hello', {})))).toEqual({ ok: true });
  });
});

describe('a listener that is lost', () => {
  it('takes the service out of the registry and shows in its health', async () => {
    await using greeter = await startGreeter(() => {});
    await greeter.transport.close();
    await until('it is not found', async () => (await greeter.registry.getService('greeter')).length === 0);
    expect(greeter.service.health()).toMatchObject({ live: false, ready: false, registered: false });
    expect(greeter.log.map(({ message }) => message)).toContain('the listener is lost');
  });
});

describe('options', () => {
  it.each([
    [{ name: '' }, 'option name is ""'],
    [{ version: ' ' }, 'option version is " "'],
    [{ id: '' }, 'option id is ""'],
    [{ address: '' }, 'option address is ""'],
    [{ registerIntervalMs: 0 }, 'option registerIntervalMs is 0'],
    [{ registerTtlMs: Number.NaN }, 'option registerTtlMs is NaN'],
    [{ stopTimeoutMs: -1 }, 'option stopTimeoutMs is -1'],
    [{ maxConcurrency: 0 }, 'option maxConcurrency is 0'],
    [{ metadata: { a: 1 as never } }, 'option metadata.a is 1, not a string'],
    [{ metadata: new Map([['a', 'b']]) as never }, 'option metadata is an object'],
    [{ middleware: [5 as never] }, 'option middleware[0] is 5, not a function'],
    [{ logger: 5 as never }, 'option logger is of type number'],
    [{ codecs: 5 as never }, 'codecs: they are no list'],
    [{ codecs: [{ contentType: 'x/odd' } as never] }, 'codecs: the one of "x/odd" does not encode and decode'],
    [{ transport: undefined as never }, 'option transport is undefined'],
  ])('%o is invalid', (options, text) => {
    const make = () => createService({ name: 'greeter', transport: memoryTransport(), ...options });
    expect(make).toThrow(expect.objectContaining({ code: 'invalid', message: expect.stringContaining(text) }));
  });

  it.each(['Hello', 'A.B.C', '.B', 'A.', 'A.B C', ''])('endpoint "%s" is invalid', async (endpoint) => {
    await using greeter = makeGreeter(() => {});
    expect(() => greeter.service.handle(endpoint, () => {})).toThrow(expect.objectContaining({ code: 'invalid' }));
  });

  it('an endpoint is handled once', async () => {
    await using greeter = makeGreeter((service) => service.handle('A.B', () => {}));
    expect(() => greeter.service.handleStream('A.B', () => {})).toThrow(expect.objectContaining({ code: 'conflict' }));
  });
});
