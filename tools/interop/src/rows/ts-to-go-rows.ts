import assert from 'node:assert/strict';
import { MicroError } from '@ts-micro/core';
import type { Row } from '../matrix/row.ts';
import type { Stage } from '../matrix/stage.ts';
import { stringOf, stringValue } from '../matrix/string-value.ts';
import { bodySizes, oddTexts } from './samples.ts';

const direction = 'ts->go';

/** A call of the standing Go greeter by the standing client. */
async function call<T>(stage: Stage, endpoint: string, body: unknown, options: object = {}): Promise<T> {
  await stage.goServer();
  const { client } = await stage.tsClient();
  return client.call<T>(stage.goService, endpoint, body, options);
}

async function failure(promise: Promise<unknown>): Promise<MicroError> {
  const error = await promise.then(
    (value) => assert.fail(`it succeeded with ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  );
  if (!MicroError.is(error)) throw error;
  return error;
}

/** Calls of a TypeScript client, answered by a Go server. */
export const tsToGoRows: readonly Row[] = [
  {
    id: 'unary',
    title: 'a call is answered',
    direction,
    run: async (stage) => {
      assert.deepEqual(await call(stage, 'Greeter.Hello', { name: 'John' }), { msg: 'Hello John' });
    },
  },
  {
    id: 'error',
    title: 'an error arrives with id, code and detail',
    direction,
    run: async (stage) => {
      for (const code of [400, 401, 403, 404, 409, 500, 799]) {
        const error = await failure(call(stage, 'Greeter.Fail', { code, detail: 'user "bob" <b>' }));
        assert.equal(error.code, 'remote');
        const { id, detail } = error.remote ?? {};
        assert.deepEqual({ id, detail, code: error.remote?.code }, { id: 'greeter', detail: 'user "bob" <b>', code });
      }
    },
  },
  {
    id: 'unknown-service',
    title: 'an unknown service is not found',
    direction,
    run: async (stage) => {
      const { client } = await stage.tsClient();
      assert.equal((await failure(client.call('no.such.service', 'Greeter.Hello', {}))).code, 'not_found');
    },
  },
  {
    id: 'unknown-method',
    title: 'unknown handlers and methods, and an ill-formed endpoint',
    direction,
    run: async (stage) => {
      for (const [endpoint, text] of [
        ['Greeter.Nope', "rpc: can't find method Nope"],
        ['Nope.Hello', "rpc: can't find service Nope"],
      ] as const) {
        const error = await failure(call(stage, endpoint, {}));
        assert.ok(
          error.message.includes(text) || error.remote?.detail.includes(text),
          `${error.code}: ${error.message}`,
        );
        assert.ok(['not_found', 'remote'].includes(error.code), error.code);
      }
    },
  },
  {
    id: 'undecodable',
    title: 'a body of the wrong type is an error of the server',
    direction,
    run: async (stage) => {
      const error = await failure(call(stage, 'Greeter.Hello', { name: 7 }));
      assert.match(`${error.message} ${error.remote?.detail}`, /cannot unmarshal number/);
    },
  },
  {
    id: 'panic',
    title: 'a handler that panics ends the call by its deadline, and the next call is right',
    direction,
    run: async (stage) => {
      const started = Date.now();
      assert.equal((await failure(call(stage, 'Greeter.Crash', {}, { timeoutMs: 700 }))).code, 'timeout');
      assert.ok(Date.now() - started < 3_000);
      assert.deepEqual(await call(stage, 'Greeter.Hello', { name: 'next' }), { msg: 'Hello next' });
    },
  },
  {
    id: 'concurrent',
    title: '300 concurrent calls of mixed latency each get their own answer',
    direction,
    run: async (stage) => {
      await Promise.all(
        Array.from({ length: 300 }, async (_, n) => {
          if (n % 3 === 0) {
            const ms = n % 60;
            assert.deepEqual(await call(stage, 'Greeter.Sleep', { ms }), { ms });
          } else assert.deepEqual(await call(stage, 'Greeter.Echo', { n }), { n });
        }),
      );
    },
  },
  {
    id: 'sizes',
    title: 'bodies from 0 B to 700 KiB arrive and come back',
    direction,
    run: async (stage) => {
      for (const size of bodySizes) {
        const text = 'x'.repeat(size);
        assert.equal(await call(stage, 'Greeter.Echo', text, { timeoutMs: 15_000 }), text);
      }
    },
  },
  {
    id: 'empty-body',
    title: 'a call without a body is the zero request',
    direction,
    run: async (stage) => {
      assert.deepEqual(await call(stage, 'Greeter.Hello', undefined), { msg: 'Hello ' });
    },
  },
  {
    id: 'unicode',
    title: 'unicode and what Go escapes arrive unchanged',
    direction,
    run: async (stage) => {
      assert.deepEqual(await call(stage, 'Greeter.Echo', oddTexts), oddTexts);
    },
  },
  {
    id: 'protobuf',
    title: 'content type application/protobuf, as bytes: an answer and an error',
    direction,
    run: async (stage) => {
      const protobuf = { contentType: 'application/protobuf' };
      assert.equal(stringOf(await call(stage, 'Greeter.Proto', stringValue('John'), protobuf)), 'Hello John');
      const error = await failure(call(stage, 'Greeter.Proto', stringValue('fail'), { ...protobuf, timeoutMs: 1_000 }));
      // A v2 server leaves an error in protobuf unsent, to Go clients as well.
      const expected = stage.generation.name === 'v2' ? ['timeout', undefined] : ['remote', 404];
      assert.deepEqual([error.code, error.remote?.code], expected);
    },
  },
  {
    id: 'metadata',
    title: 'metadata arrives in the handler',
    direction,
    run: async (stage) => {
      const metadata = { foo: 'bar', 'X-Mixed': '<é> "日本"', Tenant: '7' };
      const seen = await call<{ metadata: Record<string, string> }>(stage, 'Greeter.Context', {}, { metadata });
      const lower = Object.fromEntries(
        Object.entries(seen.metadata).map(([name, value]) => [name.toLowerCase(), value]),
      );
      for (const [name, value] of Object.entries(metadata)) assert.equal(lower[name.toLowerCase()], value);
    },
  },
  {
    id: 'deadline',
    title: 'the handler has the deadline of the call, which ends in time',
    direction,
    run: async (stage) => {
      const { remainingMs } = await call<{ remainingMs: number }>(stage, 'Greeter.Context', {}, { timeoutMs: 3_000 });
      assert.ok(remainingMs > 1_500 && remainingMs <= 3_000, `${remainingMs} ms left`);
      const started = Date.now();
      const error = await failure(call(stage, 'Greeter.Sleep', { ms: 5_000 }, { timeoutMs: 400 }));
      assert.ok(
        error.code === 'timeout' || /deadline/.test(error.remote?.detail ?? ''),
        `${error.code}: ${error.message}`,
      );
      assert.ok(Date.now() - started < 2_000);
    },
  },
  {
    id: 'abort',
    title: 'an aborted call is over at once, and the next call is right',
    direction,
    run: async (stage) => {
      const started = Date.now();
      const signal = AbortSignal.timeout(100);
      assert.equal((await failure(call(stage, 'Greeter.Sleep', { ms: 2_000 }, { signal }))).code, 'timeout');
      assert.ok(Date.now() - started < 1_000);
      assert.deepEqual(await call(stage, 'Greeter.Echo', 'after'), 'after');
    },
  },
  {
    id: 'stream-endpoint',
    title: 'a unary call of a stream endpoint ends by its deadline',
    direction,
    run: async (stage) => {
      const error = await failure(call(stage, 'Greeter.Count', { to: 1 }, { timeoutMs: 500 }));
      assert.equal(error.code, 'timeout');
    },
  },
  {
    id: 'too-large',
    title: 'a request larger than the server takes is too_large at once',
    direction,
    needsNats: true,
    run: async (stage) => {
      assert.equal((await failure(call(stage, 'Greeter.Echo', 'x'.repeat(1_100_000)))).code, 'too_large');
      assert.deepEqual(await call(stage, 'Greeter.Echo', 'after'), 'after');
    },
  },
];
