import { getEventListeners } from 'node:events';
import { type Closable, MicroError, silentLogger } from '@ts-micro/core';
import { memoryNetwork, memoryRegistry } from '@ts-micro/memory';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { KeptOpen } from '../../src/server/lifecycle/kept-open.ts';
import { Registration } from '../../src/server/lifecycle/registration.ts';
import {
  aborted,
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

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const record = {
  name: 's',
  version: '1',
  metadata: {},
  endpoints: [],
  nodes: [{ id: 'n', address: 'a', metadata: {} }],
};

/** How long was waited before each of a number of tries, in milliseconds of a clock that the test moves. */
async function gaps(count: number, tries: number[]): Promise<number[]> {
  while (tries.length < count) await vi.advanceTimersToNextTimerAsync();
  return tries.slice(1, count).map((at, index) => at - (tries[index] as number));
}

describe('what fails is tried again with growing pauses', () => {
  it('as a heartbeat is, up to its interval', async () => {
    vi.useFakeTimers();
    await using inner = memoryRegistry({ network: memoryNetwork() });
    const tries: number[] = [];
    const registry = registryWith(inner, async (...given) => {
      tries.push(performance.now());
      if (tries.length > 1) throw new MicroError('unavailable', 'no registry today');
      return inner.register(...given);
    });
    const registration = new Registration({ registry, intervalMs: 3000, ttlMs: 9000, logger: silentLogger }, record);
    await registration.begin({});
    expect(await gaps(7, tries)).toEqual([1000, 500, 1000, 2000, 3000, 3000]);
    await registration.end({});
    expect(vi.getTimerCount()).toBe(0);
  });

  it('as what was lost is, up to half a minute, and not all at once', async () => {
    vi.useFakeTimers();
    const random = vi.spyOn(Math, 'random').mockReturnValue(1);
    const tries: number[] = [];
    const lost = deferred<MicroError | undefined>();
    const first: Closable = { closed: lost.promise, close: async () => {}, [Symbol.asyncDispose]: async () => {} };
    const kept = new KeptOpen<Closable>({
      what: 'the listener',
      service: 's',
      open: async () => {
        tries.push(performance.now());
        if (tries.length > 1) throw new MicroError('unauthorized', 'not here');
        return first;
      },
      onChange: () => {},
      logger: silentLogger,
    });
    await kept.begin({});
    lost.resolve(new MicroError('unauthorized', 'taken away'));
    expect(await gaps(11, tries)).toEqual([0, 250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
    random.mockReturnValue(0);
    await gaps(12, tries);
    expect((await gaps(13, tries)).at(-1)).toBe(15_000);
    await kept.end({});
    expect(vi.getTimerCount()).toBe(0);
  });

  it('unless its plugin was closed', async () => {
    const lost = deferred<MicroError | undefined>();
    let changes = 0;
    let opened = 0;
    const kept = new KeptOpen<Closable>({
      what: 'the listener',
      service: 's',
      open: async () => {
        if (opened++ > 0) throw new MicroError('closed', 'the transport is closed');
        return { closed: lost.promise, close: async () => {}, [Symbol.asyncDispose]: async () => {} };
      },
      onChange: () => void changes++,
      logger: silentLogger,
    });
    await kept.begin({});
    lost.resolve(undefined);
    await until('it is lost for good', () => kept.isLostForGood);
    expect([opened, changes, kept.problem]).toEqual([2, 1, expect.stringContaining('the transport is closed')]);
  });
});

describe('a stop', () => {
  it('gives handlers that obey their signal the time to answer', async () => {
    await using greeter = await startGreeter(
      (service) =>
        service.handle('Greeter.Wait', async (_request, { signal }) => {
          await aborted(signal);
          await new Promise((resolve) => setTimeout(resolve, 20));
          return { ok: true };
        }),
      { stopTimeoutMs: 0 },
    );
    const socket = await greeter.dial();
    await socket.send(request('Greeter.Wait', {}));
    await until('it runs', () => greeter.service.health().running === 1);
    const stopped = greeter.service.stop();
    expect(json(await next(socket))).toEqual({ ok: true });
    expect(await stopped).toEqual({ abandoned: ['Greeter.Wait'] });
  });

  it('refuses what waits for room where it waits no longer', async () => {
    await using greeter = await startGreeter((service) => service.handle('Greeter.Hang', () => new Promise(() => {})), {
      stopTimeoutMs: 0,
      maxConcurrency: 1,
    });
    const socket = await greeter.dial();
    for (const id of ['1', '2']) await socket.send(request('Greeter.Hang', {}, { 'Micro-ID': id }));
    await until('one runs', () => greeter.service.health().running === 1);
    const stopped = greeter.service.stop();
    const refused = await next(socket);
    expect([refused.headers['Micro-ID'], errorOf(refused)]).toEqual(['2', expect.objectContaining({ code: 503 })]);
    expect(await stopped).toEqual({ abandoned: ['Greeter.Hang'] });
  });

  it('leaves no listener at the signals it was given', async () => {
    await using greeter = makeGreeter(() => {});
    const { signal } = new AbortController();
    await greeter.service.start({ signal });
    await Promise.all([greeter.service.stop({ signal }), greeter.service.stop({ signal })]);
    await greeter.service.stop({ signal });
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});

describe('the deadline of a caller', () => {
  it('that is further away than a timer can measure does not abort at once', async () => {
    const isAborted = deferred<boolean>();
    await using greeter = await startGreeter((service) => {
      service.handle('Greeter.Wait', async (_request, { signal }) => {
        expect(signal.aborted).toBe(false);
        await new Promise((resolve) => setTimeout(resolve, 20));
        isAborted.resolve(signal.aborted);
      });
    });
    const month = String(31 * 24 * 60 * 60 * 1e9);
    await greeter.ask(request('Greeter.Wait', {}, { Timeout: month }));
    expect(await isAborted.promise).toBe(false);
  });
});

describe('a record', () => {
  it('is withdrawn once, whatever is said in between, and comes back as it is now', async () => {
    const network = memoryNetwork();
    await using inner = memoryRegistry({ network });
    const said: string[] = [];
    const registry = registryWith(inner, async (given, options) => {
      said.push(`register ${given.nodes[0]?.address}`);
      return inner.register(given, options);
    });
    registry.deregister = async (...given) => {
      said.push(`deregister ${given[0].nodes[0]?.address}`);
      return inner.deregister(...given);
    };
    const init = { registry, intervalMs: 60_000, ttlMs: 90_000, logger: silentLogger };
    const registration = new Registration(init, record);
    await registration.begin({});
    registration.withdraw();
    registration.withdraw();
    expect(registration.isWithdrawn).toBe(true);
    registration.renew({ ...record, nodes: [{ id: 'n', address: 'b', metadata: {} }] });
    await until('it is registered again', () => registration.isRegistered && said.length === 3);
    await registration.end({});
    await registration.end({});
    registration.renew(record);
    expect(said).toEqual(['register a', 'deregister a', 'register b', 'deregister b']);
    expect(await inner.listServices()).toEqual([]);
  });
});
