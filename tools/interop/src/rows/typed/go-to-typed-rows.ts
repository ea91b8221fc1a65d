import assert from 'node:assert/strict';
import type { Row } from '../../matrix/row.ts';
import type { Stage } from '../../matrix/stage.ts';
import { eventually } from '../../matrix/wait.ts';
import type { PeerLine } from '../../peer-process.ts';
import { command, withTyped } from './typed-greeter.ts';

const direction = 'go->ts';

const stream = (stage: Stage, service: string, endpoint: string, ...steps: PeerLine[]) =>
  command(stage, { op: 'stream', service, endpoint, steps });

/** Go clients of a typed service. */
export const goToTypedRows: readonly Row[] = [
  {
    id: 'typed-unary',
    title: 'a typed service answers, and refuses a Go client what does not fit, in words',
    direction,
    run: (stage) =>
      withTyped(stage, async (service) => {
        const hello = (body: unknown) => command(stage, { op: 'call', service, endpoint: 'Greeter.Hello', body });
        assert.deepEqual((await hello({ name: 'John' })).body, { msg: 'Hello John' });
        const { error } = await hello({ name: 12_345 });
        assert.equal(error.code, 400);
        assert.match(error.detail, /Greeter.Hello: the request does not fit: name: .*string/);
        assert.doesNotMatch(error.detail, /12345/);
        const odd = await hello({ name: 'odd' });
        assert.equal(odd.error.code, 500);
      }),
  },
  {
    id: 'typed-error',
    title: 'a Go client reads an error of the definition as words, and finds its name and data in the text',
    direction,
    run: (stage) =>
      withTyped(stage, async (service) => {
        const body = { name: 'a name of more than twenty characters' };
        const { error } = await command(stage, { op: 'call', service, endpoint: 'Greeter.Hello', body });
        assert.deepEqual([error.code, error.detail, error.id], [400, 'name too long', service]);
        const { name, data } = JSON.parse(error.text);
        assert.deepEqual({ name, data }, { name: 'name_too_long', data: { limit: 20 } });
      }),
  },
  {
    id: 'typed-streams',
    title: 'typed streams: the values, an error of the definition, a message that does not fit',
    direction,
    needsNats: true,
    run: (stage) =>
      withTyped(stage, async (service) => {
        const count = await stream(stage, service, 'Greeter.Count', { send: { to: 3 } }, { receiveAll: true });
        assert.deepEqual([count.end, count.received], ['eof', [{ value: 1 }, { value: 2 }, { value: 3 }]]);
        const far = await stream(stage, service, 'Greeter.Count', { send: { to: 101 } }, { receiveAll: true });
        assert.deepEqual([far.error.code, far.error.detail], [400, 'too far']);
        const chat = await stream(
          stage,
          service,
          'Greeter.Chat',
          { send: { text: 'a' } },
          { receive: 1 },
          { close: true },
        );
        assert.deepEqual(chat.received, [{ text: 'A' }]);
        const unfit = await stream(stage, service, 'Greeter.Chat', { send: { text: 7 } }, { receiveAll: true });
        assert.equal(unfit.error.code, 400);
        assert.match(unfit.error.detail, /the request does not fit: text: .*string/);
      }),
  },
  {
    id: 'typed-client-stream',
    title: 'a client stream arrives to its end; as a Go client cannot half-close, it hears what is answered before',
    direction,
    needsNats: true,
    run: async (stage) => {
      const sums: number[] = [];
      const sends = [1, 2, 3].map((value) => ({ send: { value } }));
      await withTyped(
        stage,
        async (service) => {
          // Closing is all it can do at the end, and is no longer there for the response.
          const { ok, received, error } = await stream(stage, service, 'Greeter.Sum', ...sends, { close: true });
          assert.ok(ok, error?.text);
          assert.deepEqual(received, []);
          assert.equal(await eventually('the sum', async () => sums[0]), 6);
        },
        {
          'Greeter.Sum': async (values) => {
            let sum = 0;
            for await (const { value } of values) sum += value;
            sums.push(sum);
            return { value: sum };
          },
        },
      );
      await withTyped(stage, async (service) => {
        const steps = [...sends, { send: { value: 0 } }, { receive: 1 }, { close: true }];
        assert.deepEqual((await stream(stage, service, 'Greeter.Sum', ...steps)).received, [{ value: 6 }]);
        const unfit = await stream(stage, service, 'Greeter.Sum', { send: { value: 'x' } }, { receiveAll: true });
        assert.equal(unfit.error.code, 400);
      });
    },
  },
];
