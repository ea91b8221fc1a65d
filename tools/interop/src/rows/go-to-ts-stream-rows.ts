import assert from 'node:assert/strict';
import type { Row } from '../matrix/row.ts';
import type { Stage } from '../matrix/stage.ts';
import type { PeerLine } from '../peer-process.ts';

const direction = 'go->ts';

interface GoStream {
  readonly ok: boolean;
  readonly end: 'eof' | 'open' | 'error' | 'send failed';
  readonly received: readonly unknown[];
  readonly error?: { readonly code: number; readonly detail: string; readonly text: string };
}

async function stream(
  stage: Stage,
  endpoint: string,
  steps: readonly PeerLine[],
  more: PeerLine = {},
): Promise<GoStream> {
  await stage.tsServer();
  const client = await stage.goClient();
  const answer = await client.command({ op: 'stream', service: stage.tsService, endpoint, steps, ...more });
  return answer as unknown as GoStream;
}

/** Streams of a Go client to a TypeScript server. */
export const goToTsStreamRows: readonly Row[] = [
  {
    id: 'server-stream',
    title: 'a server stream: one request, 300 answers in order, the end',
    direction,
    needsNats: true,
    run: async (stage) => {
      const { end, received, error } = await stream(stage, 'Greeter.Count', [
        { send: { to: 300 } },
        { receiveAll: true },
      ]);
      assert.equal(end, 'eof', error?.text);
      assert.deepEqual(
        received,
        Array.from({ length: 300 }, (_, n) => ({ value: n + 1 })),
      );
    },
  },
  {
    id: 'bidirectional',
    title: 'a bidirectional stream answers each message, and the client ends it',
    direction,
    run: async (stage) => {
      const texts = Array.from({ length: 50 }, (_, n) => `message ${n}`);
      const steps = [...texts.flatMap((text) => [{ send: { text } }, { receive: 1 }]), { close: true }];
      const { ok, received, error } = await stream(stage, 'Greeter.Chat', steps);
      assert.ok(ok, error?.text);
      assert.deepEqual(
        received,
        texts.map((text) => ({ text: text.toUpperCase() })),
      );
    },
  },
  {
    id: 'stream-ahead',
    title: 'messages sent ahead of their answers all get one, in order',
    direction,
    needsNats: true,
    run: async (stage) => {
      const texts = Array.from({ length: 100 }, (_, n) => `m${n}`);
      const steps = [...texts.map((text) => ({ send: { text } })), { receive: 100 }, { close: true }];
      const { received, error } = await stream(stage, 'Greeter.Chat', steps);
      assert.deepEqual(
        received,
        texts.map((text) => ({ text: text.toUpperCase() })),
        error?.text,
      );
    },
  },
  {
    id: 'stream-opener',
    title: 'the body of the opener is not the first message',
    direction,
    run: async (stage) => {
      const steps = [{ send: { to: 2 } }, { receiveAll: true }];
      const { received } = await stream(stage, 'Greeter.Count', steps, { body: { to: 9 } });
      assert.deepEqual(received, [{ value: 1 }, { value: 2 }]);
    },
  },
  {
    id: 'stream-error',
    title: 'a stream handler that fails ends the stream with its error, after what it has sent',
    direction,
    needsNats: true,
    run: async (stage) => {
      const steps = [{ send: { text: 'one' } }, { receiveAll: true }];
      const { end, received, error } = await stream(stage, 'Greeter.FailAfter', steps);
      assert.deepEqual([end, received, error?.code, error?.detail], ['error', [{ text: 'one' }], 409, 'enough']);
    },
  },
  {
    id: 'stream-unknown',
    title: 'a stream to an unknown method fails with the words of a Go server',
    direction,
    run: async (stage) => {
      const { end, error } = await stream(stage, 'Greeter.Nope', [{ receiveAll: true }]);
      assert.equal(end, 'error');
      assert.match(error?.detail ?? '', /rpc: can't find method Nope/);
    },
  },
  {
    id: 'stream-many',
    title: 'twenty streams at once never mix',
    direction,
    run: async (stage) => {
      await Promise.all(
        Array.from({ length: 20 }, async (_, n) => {
          const steps = [
            { send: { text: `a${n}` } },
            { receive: 1 },
            { send: { text: `b${n}` } },
            { receive: 1 },
            { close: true },
          ];
          const { received, error } = await stream(stage, 'Greeter.Chat', steps);
          assert.deepEqual(received, [{ text: `A${n}` }, { text: `B${n}` }], error?.text);
        }),
      );
    },
  },
  {
    id: 'stream-abandoned',
    title: 'a client that closes mid-stream leaves both sides usable',
    direction,
    run: async (stage) => {
      await stream(stage, 'Greeter.Count', [{ send: { to: 5_000 } }, { receive: 1 }, { close: true }]);
      const { received } = await stream(stage, 'Greeter.Chat', [
        { send: { text: 'next' } },
        { receive: 1 },
        { close: true },
      ]);
      assert.deepEqual(received, [{ text: 'NEXT' }]);
    },
  },
];
