import type { Headers, Message } from '@ts-micro/core';
import { describe, expect, it } from 'vitest';
import { createClient } from '../../src/client/create-client.ts';
import type { Service } from '../../src/server/service.ts';
import { ask, errorOf, json, next, request, startGreeter } from './fixture.ts';

function lean(headers: Headers, value: unknown = {}): Message {
  return { headers, body: Buffer.from(JSON.stringify(value)) };
}

function greeter(service: Service): void {
  service.handle('Greeter.Headers', (_request, { headers, metadata, contentType, deadline }) => {
    return { headers, metadata, contentType, remains: deadline === undefined ? null : deadline - Date.now() };
  });
  service.handleStream('Greeter.Echo', async (stream) => {
    for await (const value of stream) await stream.send(value);
  });
}

describe('a service', () => {
  it('answers each message of a socket in its own dialect', async () => {
    await using world = await startGreeter(greeter);
    const socket = await world.dial();
    const first = await ask(socket, lean({ '~e': 'Greeter.Headers', '~t': '3000000000', 'X-Tenant': 'a' }));
    expect(first.headers).toEqual({});
    expect(json(first)).toMatchObject({ metadata: { 'X-Tenant': 'a' }, contentType: 'application/json' });
    expect((json(first) as { remains: number }).remains).toBeGreaterThan(0);
    expect((json(first) as { remains: number }).remains).toBeLessThanOrEqual(3000);
    const second = await ask(socket, request('Greeter.Headers', {}));
    expect(second.headers).toMatchObject({ 'Micro-ID': '1' });
    const third = await ask(socket, lean({ '~e': 'Greeter.Headers', '~i': '9' }));
    expect(third.headers).toEqual({ '~i': '9' });
    expect(json(third)).toMatchObject({ remains: null });
    const fourth = await ask(socket, lean({ '~e': 'Greeter.Nope' }));
    expect(fourth.headers).toEqual({ '~x': "rpc: can't find method Nope" });
    const fifth = await ask(socket, lean({ '~e': 'Greeter.Headers', '~c': 'text/x' }));
    expect(fifth.headers).toEqual({ '~x': 'unsupported Content-Type: text/x' });
  });

  it('holds a stream and refuses messages of one that is not open', async () => {
    await using world = await startGreeter(greeter);
    const socket = await world.dial();
    await socket.send(lean({ '~e': 'Greeter.Echo', '~s': '1' }));
    expect(json(await ask(socket, lean({ '~s': '1' }, 7)))).toBe(7);
    await socket.send(lean({ '~s': '1', '~x': 'EOS', '~r': '1' }));
    expect((await next(socket)).headers).toEqual({ '~x': 'EOS' });
    const other = await world.dial();
    expect((await ask(other, lean({ '~s': '1' }, 7))).headers).toEqual({
      '~x': 'rpc: router cannot decode request: a message of a stream that is not open',
    });
  });

  it('says that it is lean unless it is told not to, and understands it all the same', async () => {
    await using world = await startGreeter(greeter, { dialect: 'go' });
    expect(world.service.node?.metadata).not.toHaveProperty('ts-micro-rpc');
    const socket = await world.dial();
    expect((await ask(socket, lean({ '~e': 'Greeter.Headers' }))).headers).toEqual({});
    expect(errorOf(await ask(socket, request('Greeter.Nope', {})))).toBe("rpc: can't find method Nope");
  });
});

describe('a client', () => {
  it.each([
    ['lean', 'auto', 'auto'],
    ["Go's where the service wants it", 'go', 'auto'],
    ["Go's where the client wants it", 'auto', 'go'],
  ] as const)('sends headers that are %s', async (_, ofService, ofClient) => {
    await using world = await startGreeter(greeter, { dialect: ofService });
    await using client = createClient({
      transport: world.transport,
      registry: world.registry,
      dialect: ofClient,
      timeoutMs: 4000,
    });
    const { headers } = await client.call<{ headers: Headers }>('greeter', 'Greeter.Headers');
    const isLean = ofService === 'auto' && ofClient === 'auto';
    expect(Object.keys(headers).sort()).toEqual(
      isLean
        ? ['~e', '~t']
        : [
            'Accept',
            'Content-Type',
            'Micro-Endpoint',
            'Micro-ID',
            'Micro-Id',
            'Micro-Method',
            'Micro-Service',
            'Timeout',
          ],
    );
  });

  it('refuses a dialect that is neither', async () => {
    await using world = await startGreeter(greeter);
    expect(() =>
      createClient({ transport: world.transport, registry: world.registry, dialect: 'lean' as 'go' }),
    ).toThrowError(/client: option dialect is "lean"/);
    await expect(startGreeter(greeter, { dialect: 'lean' as 'go' })).rejects.toThrowError(/option dialect is "lean"/);
  });
});
