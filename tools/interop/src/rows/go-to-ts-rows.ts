import assert from 'node:assert/strict';
import { STATUS_CODES } from 'node:http';
import type { BareMessage } from '../bare-nats.ts';
import type { Row } from '../matrix/row.ts';
import type { Stage } from '../matrix/stage.ts';
import type { PeerLine } from '../peer-process.ts';
import { bodySizes, oddTexts } from './samples.ts';

const direction = 'go->ts';

interface GoAnswer {
  readonly ok: boolean;
  readonly ms: number;
  readonly body: unknown;
  readonly error: {
    readonly id: string;
    readonly code: number;
    readonly detail: string;
    readonly status: string;
    readonly text: string;
  };
}

async function call(stage: Stage, endpoint: string, body: unknown, more: PeerLine = {}): Promise<GoAnswer> {
  await stage.tsServer();
  const client = await stage.goClient();
  const answer = await client.command({ op: 'call', service: stage.tsService, endpoint, body, ...more });
  return answer as unknown as GoAnswer;
}

async function answered(stage: Stage, endpoint: string, body: unknown, more: PeerLine = {}): Promise<unknown> {
  const answer = await call(stage, endpoint, body, more);
  assert.ok(answer.ok, answer.error?.text);
  return answer.body;
}

async function refused(stage: Stage, endpoint: string, body: unknown, more: PeerLine = {}): Promise<GoAnswer> {
  const answer = await call(stage, endpoint, body, more);
  assert.ok(!answer.ok, `it succeeded with ${JSON.stringify(answer.body)}`);
  return answer;
}

/** What reaches the standing TypeScript greeter while `act` runs. */
async function countingRequests<T>(
  stage: Stage,
  act: () => Promise<T>,
): Promise<{ requests: BareMessage[]; result: T }> {
  const { service } = await stage.tsServer();
  const requests: BareMessage[] = [];
  const stop = stage.bare.subscribe(service.node?.address ?? '', (message) => void requests.push(message));
  await stage.bare.flush();
  try {
    const result = await act();
    await stage.bare.flush();
    return { requests, result };
  } finally {
    stop();
  }
}

/** Calls of a Go client, answered by a TypeScript server. */
export const goToTsRows: readonly Row[] = [
  {
    id: 'unary',
    title: 'a call is answered',
    direction,
    run: async (stage) => {
      assert.deepEqual(await answered(stage, 'Greeter.Hello', { name: 'John' }), { msg: 'Hello John' });
    },
  },
  {
    id: 'error',
    title: 'an error arrives with id, code, detail and status',
    direction,
    run: async (stage) => {
      for (const code of [400, 401, 403, 404, 409, 500, 799]) {
        const { error } = await refused(stage, 'Greeter.Fail', { code, detail: 'user "bob" <b>' });
        assert.deepEqual([error.id, error.code, error.detail], ['greeter', code, 'user "bob" <b>']);
        assert.equal(error.status, STATUS_CODES[code] ?? '', `status of ${code}`);
      }
    },
  },
  {
    id: 'unknown-service',
    title: 'an unknown service is not found, with a TypeScript registry on the line',
    direction,
    run: async (stage) => {
      await stage.tsServer();
      const client = await stage.goClient();
      const ask = { op: 'call', service: 'no.such.service', endpoint: 'Greeter.Hello', body: {}, retries: 0 };
      const { ok, error } = await client.command(ask);
      assert.equal(ok, false);
      assert.match((error as GoAnswer['error']).detail, /no\.such\.service.*not found/);
    },
  },
  {
    id: 'unknown-method',
    title: 'unknown handlers and methods, and an ill-formed endpoint, in the words of a Go server',
    direction,
    run: async (stage) => {
      for (const [endpoint, text] of [
        ['Greeter.Nope', "rpc: can't find method Nope"],
        ['Nope.Hello', "rpc: can't find service Nope"],
        ['Hello', 'rpc: service/endpoint request ill-formed: Hello'],
      ] as const) {
        const { error } = await refused(stage, endpoint, {});
        assert.ok(error.detail.includes(text), error.text);
      }
    },
  },
  {
    id: 'crash',
    title: 'a handler that throws is an error 500 at once, not a timeout',
    direction,
    run: async (stage) => {
      const { error, ms } = await refused(stage, 'Greeter.Crash', {});
      assert.equal(error.code, 500, error.text);
      assert.ok(ms < 2_000, `${ms} ms`);
      assert.deepEqual(await answered(stage, 'Greeter.Echo', 'after'), 'after');
    },
  },
  {
    id: 'retries',
    title: "Go's own retries: a 500 is asked again by v2 only, and the last answer counts",
    direction,
    needsNats: true,
    run: async (stage) => {
      const { requests, result: error } = await countingRequests(stage, async () => {
        return (await refused(stage, 'Greeter.Fail', { code: 500, detail: 'again' })).error;
      });
      assert.deepEqual([error.code, error.detail], [500, 'again']);
      assert.equal(requests.length, stage.generation.name === 'v2' ? 2 : 1);
      assert.deepEqual(await answered(stage, 'Greeter.Echo', 'after'), 'after');
    },
  },
  {
    id: 'retry-after-408',
    title: 'a Go client asks once, as a timeout and a 408 of our handlers go out as 504',
    direction,
    needsNats: true,
    run: async (stage) => {
      // For a 408 it would run the request again.
      const relayed = await countingRequests(stage, async () => {
        return (await refused(stage, 'Greeter.Fail', { code: 408, detail: 'late' }, { retries: 1 })).error;
      });
      assert.deepEqual([relayed.result.code, relayed.requests.length], [504, 1]);
      const once = await countingRequests(stage, async () => {
        return (await refused(stage, 'Greeter.TimeOut', {}, { retries: 1 })).error;
      });
      assert.deepEqual([once.result.code, once.requests.length], [504, 1]);
    },
  },
  {
    id: 'concurrent',
    title: '400 calls, 50 at once, of mixed latency each get their own answer, over reused sockets',
    direction,
    run: async (stage) => {
      await stage.tsServer();
      const client = await stage.goClient();
      const many = { op: 'callMany', service: stage.tsService, count: 400, concurrency: 50 };
      const bodies = Array.from({ length: 100 }, (_, n) => ({ n }));
      const { requests, result } = await countingRequests(stage, () =>
        Promise.all([
          client.command({ ...many, endpoint: 'Greeter.Echo', bodies }),
          client.command({
            ...many,
            count: 100,
            endpoint: 'Greeter.Sleep',
            bodies: [{ ms: 1 }, { ms: 40 }, { ms: 7 }],
          }),
        ]),
      );
      const [echoes, sleeps] = result;
      assert.deepEqual([echoes.failures, echoes.echoed], [{}, 400]);
      assert.deepEqual([sleeps.failures, sleeps.echoed], [{}, 100]);
      if (stage.generation.isWithoutNats) return;
      const inboxes = new Set(requests.map(({ reply }) => reply));
      assert.ok(requests.length === 500 && inboxes.size <= 200, `${requests.length} requests, ${inboxes.size} sockets`);
    },
  },
  {
    id: 'sizes',
    title: 'bodies from 0 B to 700 KiB arrive and come back',
    direction,
    run: async (stage) => {
      for (const size of bodySizes) {
        const text = 'x'.repeat(size);
        assert.equal(await answered(stage, 'Greeter.Echo', text, { timeoutMs: 15_000 }), text);
      }
    },
  },
  {
    id: 'unicode',
    title: 'unicode and what Go escapes arrive unchanged',
    direction,
    run: async (stage) => {
      assert.deepEqual(await answered(stage, 'Greeter.Echo', oddTexts), oddTexts);
    },
  },
  {
    id: 'metadata',
    title: 'metadata arrives in the handler',
    direction,
    run: async (stage) => {
      const sent = { foo: 'bar', 'X-Mixed': '<é> "日本"', Tenant: '7' };
      const { metadata } = (await answered(stage, 'Greeter.Context', {}, { metadata: sent })) as {
        metadata: Record<string, string>;
      };
      const lower = Object.fromEntries(Object.entries(metadata).map(([name, value]) => [name.toLowerCase(), value]));
      for (const [name, value] of Object.entries(sent)) assert.equal(lower[name.toLowerCase()], value);
    },
  },
  {
    id: 'deadline',
    title: 'the handler has the deadline of the call, which ends in time',
    direction,
    run: async (stage) => {
      const context = (await answered(stage, 'Greeter.Context', {}, { timeoutMs: 3_000 })) as { remainingMs: number };
      assert.ok(context.remainingMs > 1_500 && context.remainingMs <= 3_000, `${context.remainingMs} ms left`);
      const { error, ms } = await refused(stage, 'Greeter.Sleep', { ms: 5_000 }, { timeoutMs: 400, retries: 0 });
      // Both sides have the same deadline: either may be the first to say so.
      assert.ok(error.code === 408 || /deadline/.test(error.detail), error.text);
      assert.ok(ms < 2_000, `${ms} ms`);
      assert.deepEqual(await answered(stage, 'Greeter.Echo', 'after'), 'after');
    },
  },
  {
    id: 'connection-close',
    title: '`Connection: close`, as metadata and as the option of the client',
    direction,
    run: async (stage) => {
      for (const more of [{ metadata: { Connection: 'close' } }, { closeConnection: true }]) {
        assert.deepEqual(await answered(stage, 'Greeter.Sleep', { ms: 150 }, more), { ms: 150 });
        assert.deepEqual(await answered(stage, 'Greeter.Echo', 'after'), 'after');
      }
    },
  },
  {
    id: 'json-rpc',
    title: 'content type application/json-rpc: an answer and an error',
    direction,
    run: async (stage) => {
      const contentType = 'application/json-rpc';
      const hello = await answered(stage, 'Greeter.Hello', { name: 'rpc' }, { contentType });
      assert.deepEqual(hello, { msg: 'Hello rpc' });
      const { error } = await refused(stage, 'Greeter.Fail', { code: 404, detail: 'gone' }, { contentType });
      assert.deepEqual([error.id, error.code, error.detail], ['greeter', 404, 'gone']);
    },
  },
  {
    id: 'protobuf',
    title: 'content type application/protobuf, as bytes: an answer and an error',
    direction,
    run: async (stage) => {
      const protobuf = { proto: true, contentType: 'application/protobuf' };
      assert.equal(await answered(stage, 'Greeter.Proto', 'John', protobuf), 'Hello John');
      const { error } = await refused(stage, 'Greeter.Proto', 'fail', protobuf);
      assert.deepEqual([error.code, error.detail], [404, 'told to fail']);
    },
  },
  {
    id: 'legacy',
    title: 'a client that takes our node for one of the oldest: JSON-RPC by itself',
    direction,
    needsNats: true,
    run: async (stage) => {
      const { service } = await stage.tsServer();
      const client = await stage.goClient();
      const nodes = [{ id: 'legacy-1', address: service.node?.address, metadata: {} }];
      const record = { name: 'legacy', version: '1', metadata: {}, endpoints: [], nodes };
      await client.command({ op: 'register', record });
      const ask = { op: 'call', service: 'legacy', retries: 0 };
      const hello = await client.command({ ...ask, endpoint: 'Greeter.Hello', body: { name: 'old' } });
      assert.deepEqual(hello.body, { msg: 'Hello old' }, JSON.stringify(hello.error));
      const failed = await client.command({ ...ask, endpoint: 'Greeter.Fail', body: { code: 404, detail: 'gone' } });
      assert.equal((failed.error as { detail: string }).detail, 'gone');
      await client.command({ op: 'deregister', record });
    },
  },
  {
    id: 'too-large',
    title: 'a response too large to send is an error at once, not a timeout',
    direction,
    needsNats: true,
    run: async (stage) => {
      const { error, ms } = await refused(
        stage,
        'Greeter.Large',
        { size: 2_000_000 },
        { timeoutMs: 2_000, retries: 0 },
      );
      assert.equal(error.code, 413, error.text.slice(0, 200));
      assert.ok(ms < 1_500, `${ms} ms`);
    },
  },
  {
    id: 'too-large-error',
    title: 'an error too large to send is an error at once, not a timeout',
    direction,
    needsNats: true,
    run: async (stage) => {
      const more = { timeoutMs: 2_000, retries: 0 };
      const { error, ms } = await refused(stage, 'Greeter.Fail', { code: 400, detail: 'x'.repeat(700_000) }, more);
      assert.ok(error.code !== 408, error.text.slice(0, 200));
      assert.ok(ms < 1_500, `${ms} ms`);
    },
  },
];
