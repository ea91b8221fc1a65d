import { MicroError } from '@ts-micro/core';
import { memoryBroker, memoryNetwork, memoryTransport } from '@ts-micro/memory';
import { describe, expect, it } from 'vitest';
import type { CallOptions } from '../../src/client/client-options.ts';
import { createClient } from '../../src/client/create-client.ts';

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

it('a client is not made with a Map of metadata', () => {
  const callMetadata = new Map([['a', 'b']]) as unknown as Record<string, string>;
  expect(() => createClient({ transport: memoryTransport(), callMetadata })).toThrow('client: option callMetadata is');
});
