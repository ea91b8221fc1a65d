import { type LookupOptions, MicroError, serviceRecord } from '@ts-micro/core';
import { describe, expect, it } from 'vitest';
import { createClient } from '../../src/client/create-client.ts';
import type { Middleware } from '../../src/middleware.ts';
import { bodyOf, codeOf, goError, goMetadata, goReply, openWorld, prefer } from './world.ts';

describe('a call', () => {
  it('sends what a Go Micro server expects and resolves with its answer', async () => {
    await using world = openWorld();
    const node = await world.node({ answer: (message) => goReply(message, { msg: 'Hello John' }) });
    const client = world.client({ timeoutMs: 4000 });
    expect(await client.call('greeter', 'Greeter.Hello', { name: 'John' })).toEqual({ msg: 'Hello John' });
    const [message] = node.messages;
    expect(message?.headers).toEqual({
      Accept: 'application/json',
      'Content-Type': 'application/json',
      'Micro-Endpoint': 'Greeter.Hello',
      'Micro-ID': '0',
      'Micro-Id': '0',
      'Micro-Method': 'Greeter.Hello',
      'Micro-Service': 'greeter',
      Timeout: expect.stringMatching(/^3\d{9}$/),
    });
    expect(Buffer.from(message?.body ?? []).toString()).toBe('{"name":"John"}\n');
  });

  it('without a request sends an empty object', async () => {
    await using world = openWorld();
    const node = await world.node();
    await world.client().call('greeter', 'Greeter.Hello');
    expect(bodyOf(node.messages[0])).toEqual({});
  });

  it('numbers requests', async () => {
    await using world = openWorld();
    const node = await world.node();
    const client = world.client();
    await Promise.all(Array.from({ length: 20 }, () => client.call('greeter', 'Greeter.Hello')));
    const ids = node.messages.map(({ headers }) => Number(headers['Micro-ID'])).sort((a, b) => a - b);
    expect(ids).toEqual(Array.from({ length: 20 }, (_, id) => id));
  });

  it('spreads over all nodes', async () => {
    await using world = openWorld();
    const nodes = [await world.node(), await world.node(), await world.node()];
    const client = world.client({ selector: 'roundRobin' });
    await client.call('greeter', 'Greeter.Hello');
    for (let call = 0; call < 30; call++) await client.call('greeter', 'Greeter.Hello');
    for (const { messages } of nodes) expect(messages.length).toBeGreaterThanOrEqual(9);
  });

  it('goes where a strategy of your own says', async () => {
    await using world = openWorld();
    await world.node({ id: 'a' });
    await world.node({ id: 'b' });
    const client = world.client({
      selector: (candidates, { service, endpoint }) => {
        expect([service, endpoint]).toEqual(['greeter', 'Greeter.Hello']);
        return prefer('b')(candidates, { service, endpoint });
      },
    });
    await expect.poll(() => client.call('greeter', 'Greeter.Hello')).toEqual({ node: 'b' });
    for (let call = 0; call < 5; call++) expect(await client.call('greeter', 'Greeter.Hello')).toEqual({ node: 'b' });
  });

  it('fails as invalid where a strategy chooses nothing, and as internal where it throws', async () => {
    await using world = openWorld();
    await world.node();
    const nothing = world.client({ selector: () => undefined as never });
    expect(await codeOf(nothing.call('greeter', 'Greeter.Hello'))).toBe('invalid');
    const throwing = world.client({
      selector: () => {
        throw new Error('no');
      },
    });
    expect(await codeOf(throwing.call('greeter', 'Greeter.Hello'))).toBe('internal');
  });

  it('goes to the version and label asked for', async () => {
    await using world = openWorld();
    await world.node({ id: 'old', version: '1' });
    await world.node({ id: 'new', version: '2', metadata: { ...goMetadata, zone: 'x' } });
    const client = world.client();
    for (let call = 0; call < 5; call++) {
      expect(await client.call('greeter', 'Greeter.Hello', {}, { version: '1' })).toEqual({ node: 'old' });
      expect(await client.call('greeter', 'Greeter.Hello', {}, { label: ['zone', 'x'] })).toEqual({ node: 'new' });
    }
    expect(await codeOf(client.call('greeter', 'Greeter.Hello', {}, { version: '3' }))).toBe('not_found');
    expect(await codeOf(client.call('greeter', 'Greeter.Hello', {}, { label: ['zone', 'y'], retries: 0 }))).toBe(
      'unavailable',
    );
  });

  it('skips nodes of other transports and of gRPC', async () => {
    await using world = openWorld();
    await world.node({ id: 'grpc', metadata: { protocol: 'grpc', transport: 'grpc' } });
    await world.node({ id: 'http', metadata: { ...goMetadata, transport: 'http' } });
    const client = world.client();
    expect(await codeOf(client.call('greeter', 'Greeter.Hello', {}, { retries: 0 }))).toBe('unavailable');
    await world.node({ id: 'good' });
    await expect.poll(() => client.call('greeter', 'Greeter.Hello').catch(() => undefined)).toEqual({ node: 'good' });
    for (let call = 0; call < 10; call++)
      expect(await client.call('greeter', 'Greeter.Hello')).toEqual({ node: 'good' });
  });

  it('calls an address without asking the registry', async () => {
    await using world = openWorld();
    const node = await world.node({ service: 'other' });
    const client = createClient({ transport: world.transport });
    expect(await client.call('greeter', 'Debug.Health', {}, { address: node.address })).toEqual({ node: node.id });
    expect(node.messages[0]?.headers['Content-Type']).toBe('application/json');
    expect(await codeOf(client.call('greeter', 'Greeter.Hello'))).toBe('unsupported');
    await client.close();
  });

  it('waits for all nodes to be known where the first does not advertise the endpoint', async () => {
    await using world = openWorld();
    await world.node({ id: 'old', version: '1', endpoints: ['Greeter.Hello'] });
    await world.node({ id: 'new', version: '2', endpoints: ['Greeter.Hello', 'Greeter.New'] });
    let answer: () => void = () => {};
    const isAnswered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const registry = new Proxy(world.registry, {
      get: (target, name) => {
        if (name === 'supports') return { ttl: true, watch: false };
        const value = Reflect.get(target, name, target);
        if (name !== 'getService') return typeof value === 'function' ? value.bind(target) : value;
        return async (service: string, options: LookupOptions) => {
          const records = await target.getService(service, options);
          if (options.quorum === 1) return records.filter(({ version }) => version === '1');
          await isAnswered;
          return records;
        };
      },
    });
    const [one, other] = [world.client({ registry }), world.client({ registry })];
    await one.call('greeter', 'Greeter.Hello');
    const calls = [one.call('greeter', 'Greeter.New'), other.call('greeter', 'Greeter.New')];
    answer();
    expect(await Promise.all(calls)).toEqual([{ node: 'new' }, { node: 'new' }]);
  });

  it('calls an endpoint that no node advertises', async () => {
    await using world = openWorld();
    const node = await world.node();
    expect(await world.client().call('greeter', 'Debug.Health')).toEqual({ node: node.id });
  });

  it('carries bytes as they are', async () => {
    await using world = openWorld();
    await world.node({
      answer: (message) => ({ ...goReply(message, undefined), body: message.body }),
    });
    const client = world.client({ contentType: 'application/octet-stream' });
    const bytes = new Uint8Array([0, 1, 255]);
    expect(new Uint8Array(await client.call<Uint8Array>('greeter', 'Greeter.Hello', bytes))).toEqual(bytes);
    expect(
      new Uint8Array(
        await client.call<Uint8Array>('greeter', 'Greeter.Hello', bytes, { contentType: 'application/protobuf' }),
      ),
    ).toEqual(bytes);
  });

  it('uses a codec of your own', async () => {
    await using world = openWorld();
    const node = await world.node({ answer: (message) => ({ ...goReply(message, null), body: message.body }) });
    const client = world.client({
      codecs: [
        {
          contentType: 'text/upper',
          encode: (value) => Buffer.from(String(value).toUpperCase()),
          decode: (body, { name }) => `${name} ${Buffer.from(body).toString()}`,
        },
      ],
      contentType: 'text/upper',
    });
    expect(await client.call('greeter', 'Greeter.Hello', 'hi')).toBe('Greeter.Hello HI');
    expect(node.messages[0]?.headers['Content-Type']).toBe('text/upper');
  });

  it('wraps bodies for a node without protocol metadata', async () => {
    await using world = openWorld();
    const node = await world.node({
      metadata: {},
      answer: (message) => ({
        headers: { 'Content-Type': 'application/json-rpc', 'Micro-Id': message.headers['Micro-Id'] as string },
        body: Buffer.from(`{"id":"0","result":{"msg":"Hello John"},"error":null}\n`),
      }),
    });
    expect(await world.client().call('greeter', 'Greeter.Hello', { name: 'John' })).toEqual({ msg: 'Hello John' });
    expect(node.messages[0]?.headers).toMatchObject({
      Accept: 'application/json',
      'Content-Type': 'application/json-rpc',
    });
    expect(bodyOf(node.messages[0])).toEqual({ params: [{ name: 'John' }], id: '0', method: 'Greeter.Hello' });
  });

  it('sends the metadata of client, context and call, without what belongs to the transport', async () => {
    await using world = openWorld();
    const node = await world.node();
    const client = world.client({ callMetadata: { Tenant: 'client', Region: 'eu' } });
    const context = {
      metadata: { Tenant: 'context', 'Trace-Id': '7', Timeout: '1', 'Micro-Stream': '9', 'Micro-From-Service': 'me' },
      deadline: undefined,
      signal: new AbortController().signal,
    };
    await client.call('greeter', 'Greeter.Hello', {}, { context, metadata: { Tenant: 'call', 'Content-Type': 'x' } });
    expect(node.messages[0]?.headers).toMatchObject({
      Tenant: 'call',
      Region: 'eu',
      'Trace-Id': '7',
      'Content-Type': 'application/json',
      Timeout: expect.stringMatching(/^4\d{9}$/),
    });
    expect(node.messages[0]?.headers).not.toHaveProperty('Micro-Stream');
    expect(node.messages[0]?.headers).not.toHaveProperty('Micro-From-Service');
  });
});

const setTenant: Middleware = (call, next) => {
  call.headers['x-tenant'] = 'b';
  return next();
};

describe('metadata', () => {
  it.each([
    ['of a call', {}, { metadata: { 'X-Tenant': 'a', 'x-tenant': 'b' } }],
    ['of a client', { callMetadata: { 'X-Tenant': 'a', 'x-tenant': 'b' } }, {}],
    [
      'of a middleware',
      { middleware: [setTenant], callMetadata: { 'X-Tenant': 'a' } },
      { metadata: { 'Trace-Id': '7' } },
    ],
  ])('%s has each name once, in any case: the last one counts', async (_whose, options, given) => {
    await using world = openWorld();
    const node = await world.node();
    await world.client(options).call('greeter', 'Greeter.Hello', {}, given);
    const tenants = Object.entries(node.messages[0]?.headers ?? {}).filter(([name]) => /^x-tenant$/i.test(name));
    expect(tenants).toEqual([['x-tenant', 'b']]);
  });
});

describe('an answer', () => {
  it('with an error of a handler is remote, with its own words, and never tried again', async () => {
    await using world = openWorld();
    const text = '{"id":"greeter","code":404,"detail":"user \\"bob\\" not found","status":"Not Found"}';
    const nodes = [
      await world.node({ answer: (m) => goError(m, text) }),
      await world.node({ answer: (m) => goError(m, text) }),
    ];
    const client = world.client();
    await expect(client.call('greeter', 'Greeter.Hello', {}, { idempotent: true })).rejects.toMatchObject({
      code: 'remote',
      retrySafe: false,
      remote: { id: 'greeter', code: 404, detail: 'user "bob" not found', status: 'Not Found' },
    });
    expect(nodes.flatMap(({ messages }) => messages)).toHaveLength(1);
  });

  it('that there is no such endpoint is not_found', async () => {
    await using world = openWorld();
    await world.node({ answer: (message) => goError(message, "rpc: can't find service Nope") });
    expect(await codeOf(world.client().call('greeter', 'Nope.Hello'))).toBe('not_found');
  });

  it('that does not parse is malformed', async () => {
    await using world = openWorld();
    const node = await world.node({ answer: (m) => ({ ...goReply(m, 1), body: Buffer.from('{') }) });
    expect(await codeOf(world.client().call('greeter', 'Greeter.Hello', {}, { idempotent: true }))).toBe('malformed');
    expect(node.messages).toHaveLength(1);
  });

  it('without an id is taken, and one with a wrong id is not', async () => {
    await using world = openWorld();
    await world.node({
      answer: async (_message, socket) => {
        await socket.send({ headers: { 'Micro-ID': 'other' }, body: Buffer.from('"wrong"') });
        return { headers: {}, body: Buffer.from('"right"') };
      },
    });
    expect(await world.client().call('greeter', 'Greeter.Hello')).toBe('right');
  });

  it('that came twice does not reach the next call', async () => {
    await using world = openWorld();
    await world.node({
      answer: async (message, socket) => {
        await socket.send(goReply(message, message.headers['Micro-ID']));
        return goReply(message, message.headers['Micro-ID']);
      },
    });
    const client = world.client();
    for (let call = 0; call < 10; call++) expect(await client.call('greeter', 'Greeter.Hello')).toBe(String(call));
  });
});

describe('a call that cannot be made', () => {
  it('of an unknown service is not_found, naming it', async () => {
    await using world = openWorld();
    await expect(world.client().call('nobody', 'Greeter.Hello')).rejects.toMatchObject({
      code: 'not_found',
      retrySafe: true,
      message: 'client: service "nobody" is not known to the registry',
    });
  });

  it('of a value without a JSON form is invalid and sends nothing', async () => {
    await using world = openWorld();
    const node = await world.node();
    expect(await codeOf(world.client().call('greeter', 'Greeter.Hello', { n: 1n }))).toBe('invalid');
    expect(node.messages).toEqual([]);
  });

  it('with a header that breaks the rules is invalid', async () => {
    await using world = openWorld();
    await world.node();
    const client = world.client();
    await expect(client.call('greeter', 'Greeter.Hello', {}, { metadata: { 'a b': 'c' } })).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringMatching(/^client: option metadata: .*"a b"/),
    });
    expect(await codeOf(client.call('greeter', 'Greeter.Hello', {}, { metadata: { a: 'c\r\nd' } }))).toBe('invalid');
    expect(await codeOf(client.call('gree\nter', 'Greeter.Hello'))).toMatch(/invalid|not_found/);
    await client.call('greeter', 'Greeter.Hello');
  });

  it('with a content type without a codec is unsupported', async () => {
    await using world = openWorld();
    await world.node();
    expect(await codeOf(world.client().call('greeter', 'Greeter.Hello', {}, { contentType: 'x/y' }))).toBe(
      'unsupported',
    );
  });

  it('during an outage of the registry is unavailable, and one of a known service goes on', async () => {
    await using world = openWorld();
    const broken = new MicroError('unavailable', 'no registry today', { retrySafe: true });
    let isDown = false;
    const registry = new Proxy(world.registry, {
      get: (target, name) => {
        if (name === 'getService' && isDown) return () => Promise.reject(broken);
        const value = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    await world.node();
    const client = world.client({ registry });
    await client.call('greeter', 'Greeter.Hello');
    isDown = true;
    await client.call('greeter', 'Greeter.Hello');
    await expect(client.call('other', 'Greeter.Hello', {}, { retries: 0 })).rejects.toMatchObject({
      code: 'unavailable',
      message: 'client: looking up service "other": no registry today',
    });
  });

  it.each([
    ['timeoutMs', 0],
    ['timeoutMs', Number.NaN],
    ['timeoutMs', Number.POSITIVE_INFINITY],
    ['attemptTimeoutMs', -1],
    ['retries', -1],
    ['retries', 1.5],
  ])('with %s %s is invalid', async (name, value) => {
    await using world = openWorld();
    await world.node();
    await expect(world.client().call('greeter', 'Greeter.Hello', {}, { [name]: value })).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringContaining(`option ${name} is ${value}`),
    });
    expect(() => world.client({ [name]: value })).toThrow(expect.objectContaining({ code: 'invalid' }));
  });

  it('on a closed client is closed', async () => {
    await using world = openWorld();
    await world.node();
    const client = world.client();
    await client.close();
    for (const attempt of [
      () => client.call('greeter', 'Greeter.Hello'),
      () => client.stream('greeter', 'Greeter.Hello'),
      () => client.publish('topic'),
    ])
      expect(await codeOf(attempt())).toBe('closed');
    expect(await client.closed).toBe(undefined);
  });
});

describe('a client', () => {
  it.each([
    ['transport', undefined],
    ['poolSize', -1],
    ['poolIdleMs', 0],
    ['streamIdleMs', 0],
    ['contentType', 'x/y'],
    ['selector', 'best'],
  ])('is refused with %s %s', (name, value) => {
    const world = openWorld();
    expect(() => createClient({ transport: world.transport, [name]: value } as never)).toThrow(
      expect.objectContaining({ code: 'invalid', message: expect.stringContaining(`client: option ${name} is `) }),
    );
  });

  it('leaves the plugins it was given open', async () => {
    await using world = openWorld();
    const node = await world.node();
    {
      await using client = createClient({ ...world });
      await client.call('greeter', 'Greeter.Hello');
    }
    await world.registry.register(serviceRecord(node.record));
    await world.broker.publish('topic', { headers: {}, body: new Uint8Array() });
    await (await world.transport.dial(node.address)).close();
  });
});
