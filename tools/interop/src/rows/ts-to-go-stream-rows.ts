import assert from 'node:assert/strict';
import { MicroError } from '@ts-micro/core';
import type { MessageStream } from '@ts-micro/service';
import type { Row } from '../matrix/row.ts';
import type { Stage } from '../matrix/stage.ts';
import { eventually } from '../matrix/wait.ts';

const direction = 'ts->go';

async function open(stage: Stage, endpoint: string, options: object = {}): Promise<MessageStream> {
  await stage.goServer();
  const { client } = await stage.tsClient();
  return client.stream(stage.goService, endpoint, options);
}

/** Streams of a TypeScript client to a Go server. */
export const tsToGoStreamRows: readonly Row[] = [
  {
    id: 'server-stream',
    title: 'a server stream: one request, 100 answers in order, the end',
    direction,
    run: async (stage) => {
      await using stream = await open(stage, 'Greeter.Count');
      await stream.send({ to: 100 });
      const values: number[] = [];
      for await (const message of stream) values.push((message as { value: number }).value);
      assert.equal(values.length, 100);
      // Under load a Go server overwrites even a paced message with a later one; never with an earlier one.
      values.forEach((value, at) => {
        assert.ok(value > at && value <= 100, `answer ${at} is ${value}`);
      });
    },
  },
  {
    id: 'bidirectional',
    title: 'a bidirectional stream answers each message, and the client ends it',
    direction,
    run: async (stage) => {
      const server = await stage.goServer();
      const chatsOver = (): unknown[] =>
        server.lines.filter(({ event }) => event === 'chat over').map(({ error }) => error);
      const before = chatsOver().length;
      await using stream = await open(stage, 'Greeter.Chat');
      for (let n = 0; n < 50; n++) {
        await stream.send({ text: `message ${n}` });
        assert.deepEqual(await stream.receive(), { text: `MESSAGE ${n}` });
      }
      await stream.end();
      await eventually('the end in the handler', () => chatsOver().length > before);
      assert.equal(chatsOver()[before], 'EOF');
    },
  },
  {
    id: 'stream-burst',
    title: 'a Go server that overwrites its own stream messages does us no harm: as many arrive, and the end',
    direction,
    run: async (stage) => {
      await using stream = await open(stage, 'Greeter.Burst');
      await stream.send({ to: 20 });
      let received = 0;
      for (;;) {
        try {
          if ((await stream.receive()) === undefined) break;
        } catch (error) {
          if (!MicroError.is(error, 'malformed')) throw error;
        }
        received += 1;
      }
      assert.equal(received, 20);
    },
  },
  {
    id: 'stream-error',
    title: 'a stream handler that fails ends the stream with its error',
    direction,
    run: async (stage) => {
      await using stream = await open(stage, 'Greeter.Count');
      await stream.send({ to: -1 });
      const error = await stream.receive().then(
        () => assert.fail('it received something'),
        (reason: unknown) => reason as MicroError,
      );
      assert.equal(error.remote?.code, 400);
      assert.equal(error.remote?.detail, 'to is -1');
    },
  },
  {
    id: 'stream-unknown',
    title: 'a stream to an unknown method fails with its words',
    direction,
    run: async (stage) => {
      await using stream = await open(stage, 'Greeter.Nope');
      await assert.rejects(stream.receive(), /can't find method Nope/);
    },
  },
  {
    id: 'stream-many',
    title: 'fifty streams at once never mix',
    direction,
    run: async (stage) => {
      await Promise.all(
        Array.from({ length: 50 }, async (_, n) => {
          await using stream = await open(stage, 'Greeter.Chat');
          for (let m = 0; m < 10; m++) {
            await stream.send({ text: `s${n} m${m}` });
            assert.deepEqual(await stream.receive(), { text: `S${n} M${m}` });
          }
        }),
      );
    },
  },
  {
    id: 'stream-abandoned',
    title: 'a stream that is closed unread leaves both sides usable',
    direction,
    run: async (stage) => {
      const stream = await open(stage, 'Greeter.Count');
      await stream.send({ to: 500 });
      await stream.receive();
      await stream.close();
      await using next = await open(stage, 'Greeter.Chat');
      await next.send({ text: 'next' });
      assert.deepEqual(await next.receive(), { text: 'NEXT' });
    },
  },
];
