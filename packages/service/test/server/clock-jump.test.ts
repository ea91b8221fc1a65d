import { createClient } from '@ts-micro/service';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { DeadlineClock } from '../../src/client/call/deadline-clock.ts';
import type { RequestContext } from '../../src/server/serve/handler-context.ts';
import { aborted, deferred, errorOf, json, next, request, startGreeter } from './fixture.ts';

const hourMs = 3_600_000;

/** Sets the wall clock; timers and `performance.now()` go on. */
function jump(byMs: number): void {
  const nowMs = Date.now();
  vi.useFakeTimers({ toFake: ['Date'] });
  vi.setSystemTime(nowMs + byMs);
}

afterEach(() => void vi.useRealTimers());

describe.each([
  ['an hour ahead', hourMs],
  ['an hour back', -hourMs],
])('a wall clock that is set %s', (_, byMs) => {
  it('changes nothing about how long a handler has, nor about the calls it makes', async () => {
    const arrived = deferred<RequestContext>();
    const gate = deferred();
    await using greeter = await startGreeter((service) => {
      service.handle('Greeter.Inner', (_request, context) => ({ leftMs: (context.deadline ?? 0) - Date.now() }));
      service.handle('Greeter.Outer', async (_request, context) => {
        arrived.resolve(context);
        await gate.promise;
        return client.call('greeter', 'Greeter.Inner', {}, { context });
      });
    });
    await using client = createClient({ transport: greeter.transport, registry: greeter.registry });
    const answer = greeter.ask(request('Greeter.Outer', {}, { Timeout: '10000000000' }));
    const { signal } = await arrived.promise;
    jump(byMs);
    gate.resolve();
    const { leftMs } = json(await answer) as { leftMs: number };
    expect(leftMs).toBeGreaterThan(1000);
    expect(leftMs).toBeLessThanOrEqual(10_000);
    expect(signal.aborted).toBe(false);
  });

  it('does not keep a deadline from passing', async () => {
    const arrived = deferred();
    await using greeter = await startGreeter((service) => {
      service.handle('Greeter.Wait', async (_request, { signal }) => {
        arrived.resolve();
        await aborted(signal);
        throw signal.reason;
      });
    });
    const answer = greeter.ask(request('Greeter.Wait', {}, { Timeout: '200000000' }));
    await arrived.promise;
    jump(byMs);
    expect(errorOf(await answer)).toMatchObject({ code: 504 });
  });

  it('does not refuse a request that waits for room', async () => {
    const gate = deferred();
    await using greeter = await startGreeter(
      (service) => {
        service.handle('Greeter.Wait', () => gate.promise);
        service.handle('Greeter.Hello', () => ({ msg: 'Hello' }));
      },
      { maxConcurrency: 1 },
    );
    const socket = await greeter.dial();
    await socket.send(request('Greeter.Wait', {}, { 'Micro-ID': '1' }));
    await socket.send(request('Greeter.Hello', {}, { 'Micro-ID': '2', Timeout: '10000000000' }));
    await expect.poll(() => greeter.service.health().running).toBe(1);
    jump(byMs);
    gate.resolve();
    const answers = [await next(socket), await next(socket)];
    expect(answers.map(errorOf)).toEqual([undefined, undefined]);
  });

  it('neither ends a call of a client early nor lets it run for longer', async () => {
    const gates = [deferred(), deferred()];
    let asked = 0;
    await using greeter = await startGreeter((service) => {
      service.handle('Greeter.Wait', () => gates[asked++]?.promise);
    });
    await using client = createClient({ transport: greeter.transport, registry: greeter.registry });
    const first = client.call('greeter', 'Greeter.Wait', {}, { timeoutMs: 10_000 });
    const second = client.call('greeter', 'Greeter.Wait', {}, { timeoutMs: 300 });
    await expect.poll(() => asked).toBe(2);
    jump(byMs);
    await expect(second).rejects.toMatchObject({ code: 'timeout' });
    gates[0]?.resolve();
    expect(await first).toBeUndefined();
    gates[1]?.resolve();
  });

  it('is not the one by which a client keeps nodes that failed out of its choice', () => {
    const clock = new DeadlineClock();
    const beforeMs = clock.now();
    jump(byMs);
    expect(Math.abs(clock.now() - beforeMs)).toBeLessThan(60_000);
  });
});
