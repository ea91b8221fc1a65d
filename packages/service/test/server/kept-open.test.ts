import { type Broker, type Listener, MicroError, type Subscriber, type Transport } from '@ts-micro/core';
import { memoryBroker, memoryTransport } from '@ts-micro/memory';
import { describe, expect, it } from 'vitest';
import { json, makeGreeter, request, until } from './fixture.ts';

const lost = new MicroError('unauthorized', 'the permission was taken away');

/** What ends it from outside, as a backend does that takes a subscription away. */
function losable<T extends Listener | Subscriber>(inner: T): { outer: T; lose: () => Promise<void> } {
  let end: (cause: MicroError) => void = () => {};
  const ended = new Promise<MicroError>((resolve) => {
    end = resolve;
  });
  const closed = Promise.race([ended, inner.closed]);
  const outer = new Proxy(inner, {
    get(target, property) {
      if (property === 'closed') return closed;
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const lose = async () => {
    await inner.close();
    end(lost);
  };
  return { outer, lose };
}

function over<T extends Transport | Broker>(inner: T, methods: Partial<T>): T {
  return new Proxy(inner, {
    get(target, property) {
      const value: unknown = Reflect.get(methods, property) ?? Reflect.get(target, property, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

describe('a listener that is lost in mid-life', () => {
  it('is made again at the same address, and the service is neither ready nor found meanwhile', async () => {
    await using greeter = makeGreeter(() => {});
    const inner = memoryTransport({ network: greeter.network });
    let isDenied = false;
    let lose = async () => {};
    const transport = over(inner, {
      listen: async (...given) => {
        if (isDenied) throw lost;
        const made = losable(await inner.listen(...given));
        lose = made.lose;
        return made.outer;
      },
    });
    await using other = makeGreeter((service) => service.handle('Greeter.Hello', () => ({ ok: true })), {
      transport,
      registry: greeter.registry,
    });
    await other.service.start();
    const address = other.service.node?.address;
    isDenied = true;
    await lose();
    await until('it is not found', async () => (await greeter.registry.getService('greeter')).length === 0);
    expect(other.service.health()).toMatchObject({ live: true, ready: false, registered: false });
    expect(other.service.health().reasons.join()).toContain('the permission was taken away');
    isDenied = false;
    await until('it is found again', async () => (await greeter.registry.getService('greeter')).length === 1);
    expect(other.service.health()).toMatchObject({ ready: true, registered: true, reasons: [] });
    expect(other.service.node?.address).toBe(address);
    const socket = await inner.dial(address as string);
    await socket.send(request('Greeter.Hello', {}));
    expect(json((await socket.receive()) as never)).toEqual({ ok: true });
    await socket.close();
    await other.service.stop();
    await inner.close();
  });
});

describe('a subscription that is lost in mid-life', () => {
  it('is made again, and the service is neither ready nor found meanwhile', async () => {
    await using greeter = makeGreeter(() => {});
    const inner = memoryBroker({ network: greeter.network });
    let isDenied = false;
    let lose = async () => {};
    const broker = over(inner, {
      subscribe: async (...given) => {
        if (isDenied) throw lost;
        const made = losable(await inner.subscribe(...given));
        lose = made.lose;
        return made.outer;
      },
    });
    let heard = 0;
    await using other = makeGreeter((service) => service.subscribe('a', () => void heard++), {
      broker,
      transport: greeter.transport,
      registry: greeter.registry,
    });
    await other.service.start();
    isDenied = true;
    await lose();
    await until('it is not found', async () => (await greeter.registry.getService('greeter')).length === 0);
    expect(other.service.health()).toMatchObject({ live: true, ready: false });
    isDenied = false;
    await until('it is found again', async () => (await greeter.registry.getService('greeter')).length === 1);
    await inner.publish('a', { headers: { 'Content-Type': 'application/json' }, body: Buffer.from('{}') });
    await until('it hears', () => heard === 1);
    isDenied = true;
    await lose();
    // Stopped while it tries, it tries no more.
    expect(await other.service.stop()).toEqual({ abandoned: [] });
    await inner.close();
  });
});
