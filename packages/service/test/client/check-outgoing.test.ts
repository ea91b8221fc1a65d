import { type Broker, MicroError } from '@ts-micro/core';
import { memoryBroker, memoryNetwork, memoryTransport } from '@ts-micro/memory';
import { describe, expect, it } from 'vitest';
import type { CallOptions } from '../../src/client/client-options.ts';
import { createClient } from '../../src/client/create-client.ts';
import type { Middleware } from '../../src/middleware.ts';

const signal = new AbortController().signal;
const thrower = () => {
  throw new Error('trap');
};
const wrong: readonly (readonly [string, unknown])[] = [
  ['null', null],
  ['a text', 'retries'],
  ['metadata null', { metadata: null }],
  ['a Map of metadata', { metadata: new Map([['a', 'b']]) }],
  ['a signal that is none', { signal: {} }],
  ['a context null', { context: null }],
  ['a context that is none', { context: {} }],
  ['a context without metadata', { context: { signal, metadata: null } }],
  [
    'metadata with a getter that throws',
    { metadata: Object.defineProperty({}, 'a', { enumerable: true, get: thrower }) },
  ],
  ['metadata with a number', { metadata: { a: 1 } }],
  ['metadata with a symbol', { metadata: { a: Symbol('a') } }],
  ['metadata with a name that is no token', { metadata: { 'a b': '' } }],
  ['a content type that is a number', { contentType: 5 }],
  ['a context whose deadline is no number', { context: { signal, metadata: {}, deadline: Number.NaN } }],
  ['abortSignal', { abortSignal: signal }],
  ['headers', { headers: {} }],
  ['metadata that is a proxy which throws', { metadata: new Proxy({}, { ownKeys: thrower }) }],
  ['codecs that are a list', { codecs: [] }],
  ['a getter that throws', Object.defineProperty({}, 'metadata', { get: thrower })],
  ['a proxy', new Proxy({}, { get: thrower })],
];

describe.each([
  ['plain', []],
  ['with middleware', [async (_call: unknown, next: () => Promise<unknown>) => next()]],
])('a client, %s', (_, middleware) => {
  function open() {
    const network = memoryNetwork();
    return createClient({ transport: memoryTransport({ network }), broker: memoryBroker({ network }), middleware });
  }

  it.each(['Greeter.Hello\r\n', ' Greeter.Hello', 'Greeter.\0', ' '])('rejects an endpoint %j', async (endpoint) => {
    await using client = open();
    await expect(client.call('greeter', endpoint, {}, { address: 'a' })).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringMatching(/^client: option endpoint is ".*, not a text/),
    });
  });

  it.each(wrong)(
    'rejects with `invalid` for options that are %s, in calls, streams and events',
    async (_name, given) => {
      await using client = open();
      const options = given as CallOptions;
      for (const outcome of [
        client.call('greeter', 'Greeter.Hello', {}, options),
        client.stream('greeter', 'Greeter.Chat', options),
        client.publish('greeter.say', {}, options),
      ])
        await expect(outcome).rejects.toMatchObject({ code: 'invalid', message: expect.stringMatching(/^client: /) });
    },
  );

  it.each(['', ' ', undefined, 5, {}])('rejects with `invalid` for the endpoint %j', async (endpoint) => {
    await using client = open();
    const to = { address: 'svc.greeter' };
    for (const outcome of [
      client.call('greeter', endpoint as string, {}, to),
      client.stream('greeter', endpoint as string, to),
    ])
      await expect(outcome).rejects.toSatisfy((error) => MicroError.is(error, 'invalid'));
  });
});

it.each([
  ['a service that is a symbol', Symbol('greeter'), {}],
  ['a version that is a number', 'greeter', { version: 5 }],
  ['an address that is a number', 'greeter', { address: 5 }],
  ['a label that is null', 'greeter', { label: null }],
  ['a label that is a list of three', 'greeter', { label: ['a', 'b', 'c'] }],
  ['a label with a number', 'greeter', { label: { zone: 5 } }],
  ['a Map of labels', 'greeter', { label: new Map([['zone', 'x']]) }],
  ['labels of a query', 'greeter', { label: new URLSearchParams('zone=x') }],
  ['a call that is idempotent by a text', 'greeter', { idempotent: 'yes' }],
  ['a time that is a text', 'greeter', { timeoutMs: '100' }],
  ['retries that are a text', 'greeter', { retries: '3' }],
  ['a filter that is an object', 'greeter', { where: {} }],
])('rejects with `invalid` for %s', async (_, service, options) => {
  await using client = createClient({ transport: memoryTransport({ network: memoryNetwork() }) });
  for (const outcome of [
    client.call(service as string, 'Greeter.Hello', {}, options as CallOptions),
    client.stream(service as string, 'Greeter.Chat', options as CallOptions),
  ])
    await expect(outcome).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringMatching(/^client: (option |the options are )/),
    });
});

it.each([
  ['null', null],
  ['without a transport', {}],
  ['with a broker that is none', { transport: memoryTransport(), broker: {} }],
  ['with a registry that is none', { transport: memoryTransport(), registry: {} }],
  [
    'with half an observer',
    { transport: memoryTransport(), selector: Object.assign(() => undefined, { observer: { began: () => {} } }) },
  ],
])('a client is not made of options that are %s', (_, options) => {
  expect(() => createClient(options as never)).toThrow(
    expect.objectContaining({ code: 'invalid', message: expect.stringMatching(/^client: (option |the options are )/) }),
  );
});

it.each([['0.1'], [''], [null], [true], [[]], [Symbol('0.1')], [Number.NaN]])(
  'a retryBudget is a number, and not %s',
  (given) => {
    expect(() => createClient({ transport: memoryTransport(), retryBudget: given as never })).toThrow(
      'client: option retryBudget is',
    );
  },
);

it('a client is not made with a Map of metadata', () => {
  const callMetadata = new Map([['a', 'b']]) as unknown as Record<string, string>;
  expect(() => createClient({ transport: memoryTransport(), callMetadata })).toThrow('client: option callMetadata is');
});

it.each([
  [{ timeout: 100 }, 'there is no option "timeout", and timeoutMs may be meant'],
  [{ retry: 1 }, 'there is no option "retry", and retries may be meant'],
  [{ idempotant: true }, 'there is no option "idempotant", and idempotent may be meant'],
  [{ attemptTimeout: 1 }, 'there is no option "attemptTimeout", and attemptTimeoutMs may be meant'],
])('a call with the slip %j says which option is meant', async (options, words) => {
  await using client = createClient({ transport: memoryTransport({ network: memoryNetwork() }) });
  await expect(client.call('greeter', 'Greeter.Hello', {}, options as CallOptions)).rejects.toThrow(
    new MicroError('invalid', `client: ${words}`),
  );
});

it('a stream with a slip says which option is meant', async () => {
  await using client = createClient({ transport: memoryTransport({ network: memoryNetwork() }) });
  await expect(client.stream('greeter', 'Greeter.Chat', { streamIdle: 5 } as object)).rejects.toThrow(
    'client: there is no option "streamIdle", and streamIdleMs may be meant',
  );
});

it('one object of options serves calls, streams and events', async () => {
  const network = memoryNetwork();
  await using client = createClient({ transport: memoryTransport({ network }), broker: memoryBroker({ network }) });
  const options: CallOptions = { timeoutMs: 50, retries: 0, idempotent: true, metadata: { a: 'b' }, address: 'a' };
  await client.publish('greeter.say', {}, options);
  for (const outcome of [client.call('greeter', 'A.B', {}, options), client.stream('greeter', 'A.B', options)])
    await expect(outcome).rejects.toMatchObject({ code: 'unavailable' });
});

describe('a header that cannot be read', () => {
  const metadata = () => Object.defineProperty({}, 'X-Tenant', { enumerable: true, get: thrower });

  it.each([
    ['given with the call', undefined, 'client: option metadata: header "X-Tenant" cannot be read: trap'],
    ['given to the client', metadata(), 'client: option callMetadata: header "X-Tenant" cannot be read: trap'],
  ])('and was %s is named, in calls, streams and events', async (_, callMetadata, words) => {
    const network = memoryNetwork();
    const plugins = { transport: memoryTransport({ network }), broker: memoryBroker({ network }) };
    const options = callMetadata === undefined ? { metadata: metadata(), address: 'a' } : { address: 'a' };
    for (const middleware of [[], [(_call: unknown, next: () => Promise<unknown>) => next()]]) {
      await using client = createClient({ ...plugins, middleware, callMetadata });
      for (const outcome of [
        client.call('greeter', 'Greeter.Hello', {}, options),
        client.stream('greeter', 'Greeter.Chat', options),
        client.publish('greeter.say', {}, options),
      ])
        await expect(outcome).rejects.toThrow(new MicroError('invalid', words));
    }
  });

  it('and is in the metadata of a context is `invalid`', async () => {
    const network = memoryNetwork();
    await using client = createClient({ transport: memoryTransport({ network }), broker: memoryBroker({ network }) });
    const context = { signal, metadata: metadata(), deadline: undefined };
    await expect(client.publish('greeter.say', {}, { context })).rejects.toThrow(
      new MicroError('invalid', 'client: the metadata cannot be read: trap'),
    );
  });
});

it.each(['addEventListener', 'removeEventListener'])(
  'a call whose signal throws in %s ends as others do',
  async (method) => {
    const network = memoryNetwork();
    await using client = createClient({ transport: memoryTransport({ network }) });
    const broken = Object.assign(new EventTarget(), { aborted: false }) as unknown as AbortSignal;
    Object.defineProperty(broken, method, { value: thrower });
    const calling = client.call('greeter', 'Greeter.Hello', {}, { signal: broken, address: 'a', retries: 0 });
    await expect(calling).rejects.toMatchObject({ code: 'unavailable' });
  },
);

it('headers that middleware spoils are `invalid`', async () => {
  const network = memoryNetwork();
  const middleware: Middleware = (call, next) => {
    Object.defineProperty(call.headers, 'X-Tenant', { enumerable: true, get: thrower });
    return next();
  };
  const plugins = { transport: memoryTransport({ network }), broker: memoryBroker({ network }) };
  await using client = createClient({ ...plugins, middleware: [middleware] });
  const words = 'client: the headers of its middleware: header "X-Tenant" cannot be read: trap';
  for (const outcome of [
    client.call('greeter', 'Greeter.Hello', {}, { address: 'a' }),
    client.stream('greeter', 'Greeter.Chat', { address: 'a' }),
    client.publish('greeter.say'),
  ])
    await expect(outcome).rejects.toThrow(new MicroError('invalid', words));
});

it('a broker that throws where it should reject fails the publish alone', async () => {
  const broker = { name: 'broken', supports: {}, publish: thrower } as unknown as Broker;
  await using client = createClient({ transport: memoryTransport({ network: memoryNetwork() }), broker });
  await expect(client.publish('greeter.say')).rejects.toThrow(
    new MicroError('internal', 'client: publishing on "greeter.say": trap'),
  );
});
