import { describe, expect, it } from 'vitest';
import type { EventContext } from '../../src/server/serve/handler-context.ts';
import { golden } from '../rpc/golden.ts';
import { deferred, errorOf, makeGreeter, startGreeter, until } from './fixture.ts';

describe('an event', () => {
  it.each(['V1', 'V4'])('reaches every subscriber of its topic, decoded (%s)', async (name) => {
    const seen: unknown[] = [];
    await using greeter = await startGreeter((service) => {
      service.subscribe('greeter.events', (event) => void seen.push(event));
      service.subscribe('greeter.*', (event, { topic }) => void seen.push(topic, event));
    });
    await greeter.broker.publish('greeter.events', golden(name));
    await until('both have it', () => seen.length === 3);
    expect(seen).toEqual(expect.arrayContaining([{ name: 'John' }, 'greeter.events', { name: 'John' }]));
  });

  it('reaches one member of a queue', async () => {
    const seen: number[] = [];
    await using greeter = await startGreeter((service) => {
      for (let member = 0; member < 3; member++)
        service.subscribe('greeter.say', () => void seen.push(member), { queue: 'greeter' });
      service.subscribe('greeter.say', () => void seen.push(3));
    });
    for (let index = 0; index < 10; index++) await greeter.broker.publish('greeter.say', golden('V1'));
    await until('all are handled', () => seen.length === 20);
    expect(seen.filter((member) => member === 3)).toHaveLength(10);
  });

  it('shows its context', async () => {
    const seen = deferred<EventContext>();
    await using greeter = await startGreeter((service) => {
      service.subscribe('greeter.>', (_event, context) => seen.resolve(context));
    });
    const event = golden('V1');
    await greeter.broker.publish('greeter.a.b', {
      ...event,
      headers: { ...event.headers, 'X-Tenant': 'a', Timeout: '1' },
    });
    const context = await seen.promise;
    expect(context).toMatchObject({
      service: 'greeter',
      topic: 'greeter.a.b',
      contentType: 'application/json',
      metadata: { 'X-Tenant': 'a' },
      deadline: undefined,
    });
    expect(context.signal.aborted).toBe(false);
  });

  it('without a content type is bytes', async () => {
    const seen = deferred<unknown>();
    await using greeter = await startGreeter((service) => {
      service.subscribe('events', (event) => seen.resolve(event));
    });
    await greeter.broker.publish('events', { headers: {}, body: Buffer.from('hello') });
    expect(Buffer.from((await seen.promise) as Uint8Array).toString()).toBe('hello');
  });

  it.each([
    { 'Content-Type': 'application/json; charset=utf-8' },
    { 'Content-Type': 'Application/JSON' },
    { 'content-type': 'application/json;charset=utf-8' },
  ])('of a plain client is read by its media type: %o', async (headers) => {
    const seen = deferred<unknown>();
    await using greeter = await startGreeter((service) => {
      service.subscribe('events', (event, context) => seen.resolve([event, context.contentType]));
    });
    await greeter.broker.publish('events', { headers, body: Buffer.from('{"id":7}') });
    expect(await seen.promise).toEqual([{ id: 7 }, Object.values(headers)[0]]);
  });

  it('that cannot be handled is logged once a second, counted, and delivery goes on', async () => {
    const seen: unknown[] = [];
    await using greeter = await startGreeter((service) => {
      service.subscribe<{ fail?: boolean }>('events', (event) => {
        if (event.fail) throw new Error('boom');
        seen.push(event);
      });
    });
    const publish = (text: string, type = 'application/json') =>
      greeter.broker.publish('events', { headers: { 'Content-Type': type }, body: Buffer.from(text) });
    await publish('{"fail":true}');
    await publish('{');
    await publish('{}', 'application/x-foo');
    await publish('{}');
    await until('the last is handled', () => seen.length === 1);
    await greeter.service.stop();
    const errors = greeter.log.filter(({ level }) => level === 'error').map(({ fields }) => fields);
    expect(errors).toMatchObject([
      { error: { message: 'boom' } },
      { error: { code: 'unsupported', message: 'unsupported Content-Type: application/x-foo' }, leftOut: 1 },
    ]);
  });

  it('is still handled while the service stops', async () => {
    const gate = deferred();
    let finished = false;
    await using greeter = await startGreeter((service) => {
      service.subscribe('events', async () => {
        await gate.promise;
        finished = true;
      });
    });
    await greeter.broker.publish('events', golden('V1'));
    await until('it runs', () => greeter.service.health().running === 1);
    const stopped = greeter.service.stop();
    await until('intake has stopped', async () => (await greeter.registry.listServices()).length === 0);
    gate.resolve();
    expect(await stopped).toEqual({ abandoned: [] });
    expect(finished).toBe(true);
  });
});

describe('an event over the transport', () => {
  it('runs the subscribers one after the other and comes back', async () => {
    const seen: string[] = [];
    await using greeter = await startGreeter((service) => {
      for (const name of ['a', 'b'])
        service.subscribe('greeter.events', async () => {
          seen.push(`${name} begins`);
          await Promise.resolve();
          seen.push(`${name} ends`);
        });
      service.subscribe('other', () => void seen.push('other'));
    });
    expect(await greeter.ask(golden('V1'))).toEqual(golden('V2'));
    expect(seen).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
  });

  it('comes back with the error of a subscriber', async () => {
    await using greeter = await startGreeter((service) => {
      service.subscribe('greeter.events', () => {
        throw new Error('boom');
      });
    });
    expect(await greeter.ask(golden('V1'))).toEqual(golden('V3'));
  });

  it('that nobody subscribed to is acknowledged, with the content type that was taken', async () => {
    await using greeter = await startGreeter(() => {});
    const reply = await greeter.ask({ headers: { 'Micro-Topic': 'nobody' }, body: new Uint8Array() });
    expect(reply.headers).toEqual({ 'Content-Type': 'application/protobuf', 'Micro-Topic': 'nobody' });
    expect(errorOf(reply)).toBeUndefined();
  });
});

describe('a subscriber', () => {
  it('needs a broker and a handler', async () => {
    await using greeter = makeGreeter(() => {}, { broker: undefined });
    expect(() => greeter.service.subscribe('a', () => {})).toThrow(expect.objectContaining({ code: 'invalid' }));
    await using other = makeGreeter(() => {});
    expect(() => other.service.subscribe('a', 'b' as never)).toThrow('option handler is "b", not a function');
  });

  it('of an impossible topic fails the start, which leaves nothing open', async () => {
    await using greeter = makeGreeter((service) => service.subscribe('a b', () => {}));
    await expect(greeter.service.start()).rejects.toMatchObject({ code: 'invalid' });
    expect(greeter.service.state).toBe('new');
    expect(await greeter.registry.listServices()).toEqual([]);
    await expect(greeter.ask(golden('T1'))).rejects.toMatchObject({ code: 'unavailable' });
  });
});
