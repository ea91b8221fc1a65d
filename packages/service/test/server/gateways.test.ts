import { MicroError } from '@ts-micro/core';
import { describe, expect, it } from 'vitest';
import type { ServiceGateway } from '../../src/server/lifecycle/gateways.ts';
import { makeGreeter, registryWith, startGreeter } from './fixture.ts';

interface NotedGateway extends ServiceGateway {
  readonly calls: string[];
}

/** A gateway that notes what it is told, in `calls`. */
function gateway(calls: string[] = [], changes: Partial<ServiceGateway> = {}): NotedGateway {
  const note = (what: string) => async () => {
    calls.push(what);
  };
  return { name: 'a gateway', calls, open: note('open'), leave: note('leave'), close: note('close'), ...changes };
}

const never = () => new Promise<void>(() => {});

describe('a gateway of a service', () => {
  it('opens before the registry lists the service, and leaves and closes with it', async () => {
    const calls: string[] = [];
    await using inner = makeGreeter(() => {});
    const registry = registryWith(inner.registry, async (...given) => {
      calls.push('register');
      await inner.registry.register(...given);
    });
    await using greeter = makeGreeter((service) => service.attach(gateway(calls)), { registry, drainGraceMs: 0 });
    expect(calls).toEqual([]);
    await greeter.service.start();
    expect(calls.slice(0, 2)).toEqual(['open', 'register']);
    await greeter.service.stop();
    expect(calls.slice(-2)).toEqual(['leave', 'close']);
  });

  it('can invoke while it opens and while it leaves', async () => {
    const answers: unknown[] = [];
    await using greeter = await startGreeter((service) => {
      service.handle('Greeter.Hello', () => 'hi');
      const ask = async () => {
        const { body } = await service.invoke('Greeter.Hello', { body: new Uint8Array(0) });
        answers.push(JSON.parse(Buffer.from(body).toString()));
      };
      service.attach(gateway([], { open: ask, leave: ask }));
    });
    await greeter.service.stop();
    expect(answers).toEqual(['hi', 'hi']);
  });

  it('that gives no promises opens, leaves and closes as well', async () => {
    const calls: string[] = [];
    const note = (what: string) => (): never => calls.push(what) as never;
    const plain = { open: note('open'), leave: note('leave'), close: note('close') };
    await using greeter = await startGreeter((service) => service.attach(gateway(calls, plain)));
    await greeter.service.stop();
    expect(calls).toEqual(['open', 'leave', 'close']);
  });

  it('that cannot open fails the start, is closed, and opens at the next one', async () => {
    let isBroken = true;
    const calls: string[] = [];
    const open = async () => {
      calls.push('open');
      if (isBroken) throw new MicroError('unauthorized', 'not here');
    };
    await using greeter = makeGreeter((service) => service.attach(gateway(calls, { open })));
    await expect(greeter.service.start()).rejects.toMatchObject({ code: 'unauthorized' });
    expect(calls).toEqual(['open', 'close']);
    expect(await greeter.registry.listServices()).toEqual([]);
    isBroken = false;
    await greeter.service.start();
    expect(calls).toEqual(['open', 'close', 'open']);
  });

  it('that never opens, leaves or closes is not waited for without end', async () => {
    await using greeter = makeGreeter((service) => service.attach(gateway([], { open: never })));
    await expect(greeter.service.start({ signal: AbortSignal.timeout(20) })).rejects.toMatchObject({ code: 'timeout' });
    await using other = await startGreeter((service) => service.attach(gateway([], { leave: never, close: never })));
    expect(await other.service.stop({ signal: AbortSignal.timeout(20) })).toEqual({ abandoned: [] });
  });

  it('that rejects at its end is logged and harms nothing', async () => {
    const fail = async () => {
      throw Object.create(null);
    };
    await using greeter = await startGreeter((service) => service.attach(gateway([], { leave: fail, close: fail })));
    expect(await greeter.service.stop()).toEqual({ abandoned: [] });
    expect(greeter.log.filter(({ message }) => message === 'gateway not closed')).toHaveLength(2);
  });

  it('is refused twice, after the start, and without its methods', async () => {
    const one = gateway();
    await using greeter = makeGreeter((service) => service.attach(one));
    expect(() => greeter.service.attach(one)).toThrow('a gateway is attached already');
    expect(() => greeter.service.attach({ name: 'x' } as never)).toThrow('has no method open');
    await greeter.service.start();
    expect(() => greeter.service.attach(gateway())).toThrow('attach was called after start');
  });
});
