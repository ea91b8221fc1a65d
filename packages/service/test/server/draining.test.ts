import { MicroError } from '@ts-micro/core';
import { untilAborted } from '@ts-micro/kit';
import { describe, expect, it } from 'vitest';
import { createClient } from '../../src/client/create-client.ts';
import type { StopReport } from '../../src/server/service.ts';
import {
  aborted,
  ask,
  deferred,
  errorOf,
  json,
  makeGreeter,
  registryWith,
  request,
  startGreeter,
  until,
  untilTerminal,
} from './fixture.ts';

const streamOpener = { 'Micro-Stream': '1' };

describe('a service that stops', () => {
  it('tells its streams at once, before it has left the registry, and lets them send and end', async () => {
    const left = deferred();
    await using inner = makeGreeter(() => {});
    const registry = registryWith(inner.registry, (...given) => inner.registry.register(...given));
    registry.deregister = async (...given) => {
      await left.promise;
      await inner.registry.deregister(...given);
    };
    await using greeter = await startGreeter(
      (service) => {
        service.handleStream('Greeter.Follow', async (stream, { signal }) => {
          await stream.send({ said: 'hello' });
          // The stop may have come while it was sent.
          await untilAborted(new Promise(() => {}), signal);
          await stream.send({ said: 'bye' });
          left.resolve();
        });
      },
      { registry },
    );
    const socket = await greeter.dial();
    await socket.send(request('Greeter.Follow', {}, streamOpener));
    await until('it runs', () => greeter.service.health().running === 1);
    const stopped = greeter.service.stop();
    const messages = await untilTerminal(socket);
    expect(messages.slice(0, -1).map(json)).toEqual([{ said: 'hello' }, { said: 'bye' }]);
    expect(messages.at(-1)?.headers['Micro-Error']).toBe('EOS');
    expect(await stopped).toEqual({ abandoned: [] });
  });

  it('goes on serving those who ask until it was quiet for a while, and opens no stream', async () => {
    await using greeter = await startGreeter(
      (service) => {
        service.handle('Greeter.Hello', () => ({ ok: true }));
        service.handleStream('Greeter.Follow', () => {});
      },
      { drainGraceMs: 60_000, stopTimeoutMs: 120_000 },
    );
    const socket = await greeter.dial();
    await ask(socket, request('Greeter.Hello', {}));
    const stopped = greeter.service.stop();
    expect(greeter.service.health()).toMatchObject({ ready: false, draining: true });
    let answered = 0;
    for (let hasLeft = false; !hasLeft || answered === 0; ) {
      hasLeft = (await greeter.registry.getService('greeter')).length === 0;
      expect(json(await ask(socket, request('Greeter.Hello', {})))).toEqual({ ok: true });
      if (hasLeft) answered++;
    }
    expect(errorOf(await ask(socket, request('Greeter.Follow', {}, streamOpener)))).toMatchObject({ code: 503 });
    expect(await stopped).toEqual({ abandoned: [] });
  });

  it('is served no longer than the grace by those who go on asking', async () => {
    await using greeter = await startGreeter((service) => service.handle('Greeter.Hello', () => ({ ok: true })), {
      drainGraceMs: 100,
    });
    const socket = await greeter.dial();
    const stopped = greeter.service.stop();
    const asking = (async () => {
      // It ends with a refusal, or with the socket.
      for (;;) {
        await socket.send(request('Greeter.Hello', {}));
        const answer = await socket.receive();
        if (answer === undefined || errorOf(answer) !== undefined) return;
      }
    })();
    expect(await stopped).toEqual({ abandoned: [] });
    await asking.catch((error) => expect(error).toMatchObject({ code: 'closed' }));
  });

  it('is shortened by a second, more impatient stop', async () => {
    await using greeter = await startGreeter((service) => service.handle('Greeter.Hang', () => new Promise(() => {})), {
      stopTimeoutMs: 600_000,
    });
    const socket = await greeter.dial();
    await socket.send(request('Greeter.Hang', {}));
    await until('it runs', () => greeter.service.health().running === 1);
    const first = greeter.service.stop();
    const impatience = new AbortController();
    const second = greeter.service.stop({ signal: impatience.signal });
    impatience.abort();
    expect(await second).toEqual({ abandoned: ['Greeter.Hang'] });
    expect(await first).toEqual({ abandoned: ['Greeter.Hang'] });
    expect(await greeter.service.stopped).toEqual({ abandoned: ['Greeter.Hang'] });
  });

  it('leaves the registry within a bound where the registry does not answer', async () => {
    await using inner = makeGreeter(() => {});
    const registry = registryWith(inner.registry, (...given) => inner.registry.register(...given));
    registry.deregister = (_record, options) =>
      new Promise((_resolve, reject) => {
        options?.signal?.addEventListener('abort', () => reject(new MicroError('timeout', 'no registry today')));
      });
    await using greeter = await startGreeter(() => {}, { registry, stopTimeoutMs: 50 });
    expect(await greeter.service.stop()).toEqual({ abandoned: [] });
    expect(greeter.log.map(({ message }) => message)).toContain('service not deregistered');
  });
});

describe('a handler that awaits the stop of its own service', () => {
  it.each(['request', 'stream', 'event'])('of its %s is not waited for, others are', async (kind) => {
    const gate = deferred();
    const reported = deferred<StopReport>();
    await using greeter = makeGreeter(() => {}, { stopTimeoutMs: 600_000 });
    const { service } = greeter;
    const stop = async () => {
      const report = await service.stop();
      reported.resolve(report);
      return report;
    };
    service.handle('Greeter.Stop', stop);
    service.handleStream('Greeter.StopStream', async (stream) => {
      await stream.send(await stop());
    });
    service.subscribe('stop', async () => void (await stop()));
    service.handle('Greeter.Wait', () => gate.promise);
    await service.start();
    const busy = await greeter.dial();
    await busy.send(request('Greeter.Wait', {}));
    await until('it runs', () => service.health().running === 1);
    const socket = await greeter.dial();
    if (kind === 'event') await greeter.broker.publish('stop', { headers: {}, body: new Uint8Array() });
    else if (kind === 'stream') await socket.send(request('Greeter.StopStream', {}, streamOpener));
    else await socket.send(request('Greeter.Stop', {}));
    await until('it stops', () => service.state === 'stopping');
    gate.resolve();
    expect(await reported.promise).toEqual({ abandoned: [] });
    if (kind !== 'event') expect(json((await socket.receive()) as never)).toEqual({ abandoned: [] });
    expect(await service.stop()).toEqual({ abandoned: [] });
  });

  it('may say so by its context after an await', async () => {
    await using greeter = makeGreeter(() => {}, { stopTimeoutMs: 600_000 });
    greeter.service.handle('Greeter.Stop', async (_request, context) => {
      await new Promise((resolve) => setImmediate(resolve));
      return greeter.service.stop({ context });
    });
    await greeter.service.start();
    expect(json(await greeter.ask(request('Greeter.Stop', {})))).toEqual({ abandoned: [] });
    expect(await greeter.service.stop()).toEqual({ abandoned: [] });
  });
});

describe('start, stop and their failures in any order', () => {
  it('say what is the matter', async () => {
    await using greeter = makeGreeter(() => {});
    const { service } = greeter;
    const first = service.start();
    await expect(service.start()).rejects.toMatchObject({ code: 'conflict', message: /is starting already/ });
    await first;
    await expect(service.start()).rejects.toMatchObject({ code: 'conflict', message: /has started already/ });
    const stopped = service.stop();
    await expect(service.start()).rejects.toMatchObject({ code: 'conflict', message: /it was stopped/ });
    await stopped;
    await expect(service.start()).rejects.toMatchObject({ code: 'conflict', message: /it was stopped/ });
  });
});

describe('a caller that leaves', () => {
  it.each(['auto', 'go'] as const)(
    'is heard of by the handler and by what it called in turn, in dialect %s',
    async (dialect) => {
      const told: string[] = [];
      await using greeter = makeGreeter(() => {});
      const plugins = { transport: greeter.transport, registry: greeter.registry, dialect };
      await using inner = createClient({ ...plugins, timeoutMs: 60_000 });
      await using client = createClient({ ...plugins, timeoutMs: 60_000 });
      const hear = (name: string, signal: AbortSignal) => signal.addEventListener('abort', () => told.push(name));
      greeter.service.handle('Greeter.Leaf', async (_request, { signal }) => {
        hear('leaf', signal);
        await aborted(signal);
        throw signal.reason;
      });
      greeter.service.handle('Greeter.Top', (_request, context) => {
        hear('top', context.signal);
        return inner.call('greeter', 'Greeter.Leaf', {}, { context });
      });
      await greeter.service.start();
      const leaving = new AbortController();
      const called = client.call('greeter', 'Greeter.Top', {}, { signal: leaving.signal });
      await until('both run', () => greeter.service.health().running === 2);
      leaving.abort();
      await expect(called).rejects.toMatchObject({ code: 'canceled' });
      await until('nothing runs', () => greeter.service.health().running === 0);
      expect(told).toEqual(['top', 'leaf']);
    },
  );
});
