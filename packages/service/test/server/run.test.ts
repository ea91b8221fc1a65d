import { MicroError } from '@ts-micro/core';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { run } from '../../src/server/run.ts';
import { makeGreeter, request, until } from './fixture.ts';

afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
});

const listeners = () => process.listenerCount('SIGTERM') + process.listenerCount('SIGINT');

describe('running services', () => {
  it('starts them, and stops them at a signal, and leaves no listener behind', async () => {
    await using one = makeGreeter(() => {});
    await using two = makeGreeter(() => {});
    const before = listeners();
    const lines: string[] = [];
    const say = (message: string) => void lines.push(message);
    const logger = { debug: say, info: say, warn: say, error: say };
    const onRunning = () => {
      lines.push(`both are ${one.service.state} and ${two.service.state}`);
      throw new Error('whatever');
    };
    const running = run([one.service, two.service], { logger, onRunning });
    await until('both run', () => lines.length === 3);
    expect(listeners()).toBe(before + 2);
    process.emit('SIGTERM');
    expect(await running).toBe(0);
    expect([one.service.state, two.service.state]).toEqual(['stopped', 'stopped']);
    expect(process.exitCode).toBe(0);
    expect(listeners()).toBe(before);
    expect(lines).toEqual(['running', 'both are running and running', 'onRunning failed', 'stopping', 'stopped']);
  });

  it('takes nothing that is no service', async () => {
    for (const services of [undefined, null, {}, 'greeter', [null]])
      await expect(run(services as never)).rejects.toMatchObject({
        code: 'invalid',
        message: expect.stringContaining('run: option services[0] is'),
      });
  });

  it('takes no options that cannot be any, and leaves no listener behind', async () => {
    const before = listeners();
    await using one = makeGreeter(() => {});
    for (const options of [null, 5, { signal: {} }, { signal: 5 }, { onRunning: 5 }, { onRuning: () => {} }])
      await expect(run(one.service, options as never)).rejects.toMatchObject({
        code: 'invalid',
        message: expect.stringMatching(/^run: (option|the options are|there is no option)/),
      });
    expect(listeners()).toBe(before);
    expect(one.service.state).toBe('new');
  });

  it('outlives a callback that is async and rejects', async () => {
    await using one = makeGreeter(() => {});
    const stop = new AbortController();
    const told: unknown[] = [];
    const say = (message: string) => void told.push(message);
    const onRunning = async () => {
      throw new Error('whatever');
    };
    const running = run(one.service, {
      signal: stop.signal,
      logger: { debug: say, info: say, warn: say, error: say },
      onRunning,
    });
    await until('it is told', () => told.includes('onRunning failed'));
    stop.abort();
    expect(await running).toBe(0);
  });

  it('ends as well at its signal, and when a service is stopped by somebody else', async () => {
    await using one = makeGreeter(() => {});
    const stop = new AbortController();
    const running = run(one.service, { signal: stop.signal });
    await until('it runs', () => one.service.state === 'running');
    stop.abort();
    expect(await running).toBe(0);
    await using two = makeGreeter(() => {});
    const other = run(two.service);
    await until('it runs', () => two.service.state === 'running');
    await two.service.stop();
    expect(await other).toBe(0);
  });

  it('ends with 1 where a service cannot start, or handlers were abandoned, and with 0 where it is told while starting', async () => {
    const before = listeners();
    await using one = makeGreeter(() => {});
    await using closed = makeGreeter(() => {});
    await closed.transport.close();
    expect(await run([one.service, closed.service])).toBe(1);
    expect(one.service.state).toBe('stopped');
    expect(process.exitCode).toBe(1);

    await using two = makeGreeter((service) => service.handle('Greeter.Hang', () => new Promise(() => {})), {
      stopTimeoutMs: 1,
    });
    const running = run(two.service);
    await until('it runs', () => two.service.state === 'running');
    const socket = await two.dial();
    await socket.send(request('Greeter.Hang', {}));
    await until('the handler runs', () => two.service.health().running === 1);
    process.emit('SIGINT');
    expect(await running).toBe(1);

    await using three = makeGreeter(() => {});
    expect(await run(three.service, { signal: AbortSignal.abort() })).toBe(0);
    expect(listeners()).toBe(before);
  });

  it('ends at once at a second signal', async () => {
    const exits: unknown[] = [];
    vi.spyOn(process, 'exit').mockImplementation((code) => exits.push(code) as never);
    await using one = makeGreeter((service) => service.handle('Greeter.Hang', () => new Promise(() => {})), {
      stopTimeoutMs: 600_000,
    });
    const running = run(one.service);
    await until('it runs', () => one.service.state === 'running');
    const socket = await one.dial();
    await socket.send(request('Greeter.Hang', {}));
    await until('the handler runs', () => one.service.health().running === 1);
    process.emit('SIGTERM');
    expect(exits).toEqual([]);
    process.emit('SIGINT');
    expect(exits).toEqual([130]);
    await one.service.stop({ signal: AbortSignal.abort() });
    expect(await running).toBe(1);
  });

  it('survives a logger that throws', async () => {
    await using one = makeGreeter(() => {});
    const fail = () => {
      throw new MicroError('internal', 'the log is full');
    };
    const stop = new AbortController();
    const running = run(one.service, {
      signal: stop.signal,
      logger: { debug: fail, info: fail, warn: fail, error: fail },
    });
    await until('it runs', () => one.service.state === 'running');
    stop.abort();
    expect(await running).toBe(0);
  });
});
