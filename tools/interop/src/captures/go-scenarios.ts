import type { PeerLine, PeerProcess } from '../peer-process.ts';
import type { Scenario } from './scenario.ts';

const service = 'greeter';

/** What comes back from a Go client, without its timing. */
async function ask(client: PeerProcess, fields: PeerLine): Promise<unknown> {
  const { id, op, ms, ...rest } = await client.command(fields);
  return rest;
}

function call(endpoint: string, body: unknown, more: PeerLine = {}): Scenario['run'] {
  return ({ client }) => ask(client, { op: 'call', service, endpoint, body, retries: 0, ...more });
}

function stream(endpoint: string, steps: readonly unknown[], more: PeerLine = {}): Scenario['run'] {
  return ({ client }) => ask(client, { op: 'stream', service, endpoint, steps, ...more });
}

function eventOverTransport(body: unknown): Scenario['run'] {
  return ({ client, generation, address }) =>
    ask(client, {
      op: 'transport',
      address,
      receive: true,
      header: { 'Content-Type': 'application/json', 'Micro-Topic': 'greeter.say', [generation.idHeader]: 'event-1' },
      base64: Buffer.from(JSON.stringify(body)).toString('base64'),
    });
}

/** What a Go client can be made to say to a Go server. */
export const goScenarios: readonly Scenario[] = [
  {
    id: 'unary-first',
    title: 'lookup, request, event from the handler, response',
    between: 'go->go',
    run: call('Greeter.Hello', { name: 'John' }),
  },
  {
    id: 'unary-pooled',
    title: 'a second call over the pooled socket',
    between: 'go->go',
    run: call('Greeter.Hello', { name: 'Jane' }),
  },
  {
    id: 'unary-escaping',
    title: 'characters that Go escapes',
    between: 'go->go',
    run: call('Greeter.Echo', { text: '<b> & "é" \u2028 \u0001\b\f\t 日本 😀' }),
  },
  {
    id: 'metadata',
    title: 'metadata of the caller',
    between: 'go->go',
    run: call('Greeter.Context', {}, { metadata: { foo: 'bar', 'X-Mixed-Case': '<é>' } }),
  },
  {
    id: 'metadata-connection-close',
    title: 'metadata Connection: close',
    between: 'go->go',
    run: call('Greeter.Sleep', { ms: 200 }, { metadata: { Connection: 'close' } }),
  },
  {
    id: 'option-connection-close',
    title: 'the client option that closes the connection after the call',
    between: 'go->go',
    run: call('Greeter.Hello', { name: 'once' }, { closeConnection: true }),
  },
  {
    id: 'error-404',
    title: 'a Go Micro error',
    between: 'go->go',
    run: call('Greeter.Fail', { code: 404, detail: 'user "bob" not found' }),
  },
  {
    id: 'error-escaping',
    title: 'a Go Micro error whose detail Go escapes',
    between: 'go->go',
    run: call('Greeter.Fail', { code: 500, detail: 'a<b' }),
  },
  {
    id: 'error-unknown-code',
    title: 'a Go Micro error with a code that has no name',
    between: 'go->go',
    run: call('Greeter.Fail', { code: 799, detail: 'odd' }),
  },
  {
    id: 'error-zero',
    title: 'a Go Micro error without code and detail',
    between: 'go->go',
    run: call('Greeter.Fail', { code: 0, detail: '' }),
  },
  {
    id: 'error-deadline',
    title: 'the handler outlives the deadline',
    between: 'go->go',
    run: call('Greeter.Sleep', { ms: 600 }, { timeoutMs: 150 }),
  },
  { id: 'error-unknown-handler', title: 'unknown handler', between: 'go->go', run: call('Nope.Hello', {}) },
  { id: 'error-unknown-method', title: 'unknown method', between: 'go->go', run: call('Greeter.Nope', {}) },
  { id: 'error-ill-formed', title: 'an endpoint without a dot', between: 'go->go', run: call('Hello', {}) },
  { id: 'error-two-dots', title: 'an endpoint with two dots', between: 'go->go', run: call('A.Greeter.Hello', {}) },
  {
    id: 'error-body-type',
    title: 'a body that the handler cannot decode',
    between: 'go->go',
    run: call('Greeter.Hello', { name: 7 }),
  },
  {
    id: 'error-panic',
    title: 'a handler that panics',
    between: 'go->go',
    run: call('Greeter.Crash', {}, { timeoutMs: 600 }),
  },
  { id: 'empty-body', title: 'an empty result', between: 'go->go', run: call('Greeter.WhoAmI', {}) },
  {
    id: 'protobuf',
    title: 'content type application/protobuf',
    between: 'go->go',
    run: call('Greeter.Proto', 'John', { proto: true, contentType: 'application/protobuf' }),
  },
  {
    id: 'protobuf-empty',
    title: 'an empty protobuf message, answered by one',
    between: 'go->go',
    run: call('Greeter.Proto', '', { proto: true, contentType: 'application/protobuf' }),
  },
  {
    id: 'protobuf-error',
    title: 'an error to a protobuf request',
    between: 'go->go',
    run: call('Greeter.Proto', 'fail', { proto: true, contentType: 'application/protobuf', timeoutMs: 800 }),
  },
  {
    id: 'protobuf-as-json',
    title: 'a protobuf message with content type application/json',
    between: 'go->go',
    run: call('Greeter.Proto', 'John', { proto: true }),
  },
  {
    id: 'json-rpc-explicit',
    title: 'content type application/json-rpc',
    between: 'go->go',
    run: call('Greeter.Hello', { name: 'John' }, { contentType: 'application/json-rpc' }),
  },
  {
    id: 'legacy',
    title: 'calls to a node without the protocol in its metadata: JSON-RPC, and proto-rpc',
    between: 'go->go',
    run: async ({ client, address }) => {
      const record = {
        name: 'legacy',
        version: '1',
        metadata: null,
        endpoints: null,
        nodes: [{ id: 'legacy-1', address, metadata: {} }],
      };
      await ask(client, { op: 'register', record });
      const outcomes = [
        await ask(client, {
          op: 'call',
          service: 'legacy',
          endpoint: 'Greeter.Hello',
          body: { name: 'John' },
          retries: 0,
        }),
        await ask(client, {
          op: 'call',
          service: 'legacy',
          endpoint: 'Greeter.Fail',
          body: { code: 404, detail: 'user "bob" not found' },
          retries: 0,
        }),
        await ask(client, {
          op: 'call',
          service: 'legacy',
          endpoint: 'Greeter.Proto',
          body: 'John',
          proto: true,
          contentType: 'application/protobuf',
          retries: 0,
        }),
      ];
      await ask(client, { op: 'deregister', record });
      return outcomes;
    },
  },
  {
    id: 'stream-server',
    title: 'opener, one message, three answers, end',
    between: 'go->go',
    run: stream('Greeter.Count', [{ send: { to: 3 } }, { receiveAll: true }]),
  },
  {
    id: 'stream-burst',
    title: 'answers sent as fast as the handler can',
    between: 'go->go',
    run: stream('Greeter.Burst', [{ send: { to: 5 } }, { receiveAll: true }]),
  },
  {
    id: 'stream-bidirectional',
    title: 'two messages each way, ended by the client',
    between: 'go->go',
    run: stream('Greeter.Chat', [
      { send: { text: 'one' } },
      { receive: 1 },
      { send: { text: 'two' } },
      { receive: 1 },
      { close: true },
    ]),
  },
  {
    id: 'stream-opener-body',
    title: 'the request in the opener',
    between: 'go->go',
    run: stream('Greeter.Count', [{ send: { to: 1 } }, { receiveAll: true }], { body: { to: 9 } }),
  },
  {
    id: 'stream-error',
    title: 'a stream handler that fails',
    between: 'go->go',
    run: stream('Greeter.Count', [{ send: { to: -1 } }, { receiveAll: true }]),
  },
  {
    id: 'stream-unknown-method',
    title: 'a stream to a method that does not exist',
    between: 'go->go',
    run: stream('Greeter.Nope', [{ receiveAll: true }]),
  },
  {
    id: 'stream-timeout',
    title: 'a stream opened with a call timeout and metadata',
    between: 'go->go',
    run: stream('Greeter.Count', [{ send: { to: 1 } }, { receiveAll: true }], {
      timeoutMs: 4000,
      metadata: { foo: 'bar' },
    }),
  },
  {
    id: 'event',
    title: 'an event published by a Go client, and the Go subscriber',
    between: 'go->go',
    run: ({ client }) =>
      ask(client, { op: 'publish', topic: 'greeter.say', body: { text: 'hi' }, metadata: { foo: 'bar' } }),
  },
  {
    id: 'event-json-rpc',
    title: 'an event with content type application/json-rpc',
    between: 'go->go',
    run: ({ client }) =>
      ask(client, { op: 'publish', topic: 'greeter.say', body: { text: 'rpc' }, contentType: 'application/json-rpc' }),
  },
  {
    id: 'event-raw',
    title: 'a broker message with a body and no headers',
    between: 'go->go',
    run: ({ client }) =>
      ask(client, { op: 'publishRaw', topic: 'raw.events', base64: Buffer.from('hello').toString('base64') }),
  },
  {
    id: 'event-raw-headers',
    title: 'a broker message with headers and an empty body',
    between: 'go->go',
    run: ({ client }) =>
      ask(client, { op: 'publishRaw', topic: 'raw.events', header: { b: '2', a: '<1>' }, base64: '' }),
  },
  {
    id: 'event-raw-to-subscriber',
    title: 'a broker message without headers on the topic of a service subscriber',
    between: 'go->go',
    run: ({ client }) =>
      ask(client, {
        op: 'publishRaw',
        topic: 'greeter.say',
        base64: Buffer.from('{"text":"bare"}').toString('base64'),
      }),
  },
  {
    id: 'event-over-transport',
    title: "an event sent to the server's address, and its acknowledgement",
    between: 'go->go',
    run: eventOverTransport({ text: 'over transport' }),
  },
  {
    id: 'event-over-transport-undecodable',
    title: 'an event over the transport that its subscriber cannot decode',
    between: 'go->go',
    run: eventOverTransport({ text: 7 }),
  },
  {
    id: 'event-over-transport-failing',
    title: 'an event over the transport whose subscriber returns an error',
    between: 'go->go',
    run: eventOverTransport({ text: 'fail' }),
  },
  {
    id: 'event-over-transport-panicking',
    title: 'an event over the transport whose subscriber panics',
    between: 'go->go',
    run: eventOverTransport({ text: 'panic' }),
  },
  { id: 'registry-get', title: 'get', between: 'go->go', run: ({ client }) => ask(client, { op: 'get', service }) },
  {
    id: 'registry-get-unknown',
    title: 'get of an unknown name',
    between: 'go->go',
    run: ({ client }) => ask(client, { op: 'get', service: 'nobody' }),
  },
  { id: 'registry-list', title: 'list', between: 'go->go', run: ({ client }) => ask(client, { op: 'list' }) },
  {
    id: 'registry-without-nodes',
    title: 'a record without nodes: register, get, deregister, get',
    between: 'go->go',
    run: async ({ client }) => {
      const record = { name: 'bare.record', version: '1' };
      return [
        await ask(client, { op: 'register', record }),
        await ask(client, { op: 'get', service: 'bare.record' }),
        await ask(client, { op: 'deregister', record }),
        await ask(client, { op: 'get', service: 'bare.record' }),
      ];
    },
  },
];
