import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import {
  bidiStream,
  clientStream,
  defineService,
  definitionOf,
  implement,
  serverStream,
  typedClient,
  unary,
  unchecked,
} from '@ts-micro/definition';
import { fromProto } from '@ts-micro/protobuf';
import { createService } from '@ts-micro/service';
import { z } from 'zod';
import { Greeter as GreeterService } from '../gen/greeter_pb.ts';
import { compiledDefinition } from '../matrix/compiled-definition.ts';
import type { Row } from '../matrix/row.ts';
import type { Stage } from '../matrix/stage.ts';
import { eventually } from '../matrix/wait.ts';
import type { PeerLine } from '../peer-process.ts';

const greeter = defineService({
  name: 'typed.greeter',
  endpoints: {
    'Greeter.Hello': unary({
      request: z.object({ name: z.string().min(1) }),
      response: z.object({ msg: z.string() }),
      errors: { name_too_long: z.object({ limit: z.number() }) },
      description: 'Greets somebody by name.',
    }),
    'Greeter.Count': serverStream({
      request: z.object({ to: z.number().int() }),
      response: z.object({ value: z.number() }),
      errors: { too_far: z.object({ limit: z.number() }) },
    }),
    'Greeter.Sum': clientStream({ request: z.object({ value: z.number() }), response: z.object({ sum: z.number() }) }),
    'Greeter.Chat': bidiStream({
      request: z.object({ text: z.string() }),
      response: z.object({ text: z.string() }),
    }),
  },
});

const proto = fromProto(GreeterService, { type: 'Greeter' });

/** Runs `ask` against a typed TypeScript service of its own name. */
async function withTyped(stage: Stage, ask: (service: string) => Promise<void>): Promise<void> {
  const { transport, broker, registry } = await stage.tsClient();
  const name = `typed.${randomUUID()}`;
  await using service = createService({ name, transport, broker, registry });
  implement(service, greeter, {
    'Greeter.Hello': ({ name }, _context, fail) => {
      if (name.length > 20) throw fail('name_too_long', { limit: 20 });
      return { msg: name === 'odd' ? (3 as never) : `Hello ${name}` };
    },
    'Greeter.Count': function* ({ to }, _context, fail) {
      if (to > 100) throw fail('too_far', { limit: 100 });
      for (let value = 1; value <= to; value++) yield { value };
    },
    'Greeter.Sum': async (values) => {
      let sum = 0;
      for await (const { value } of values) sum += value;
      return { sum };
    },
    'Greeter.Chat': async function* (stream) {
      for await (const { text } of stream) yield { text: text.toUpperCase() };
    },
  });
  await service.start();
  await ask(name);
}

interface GoAnswer {
  readonly ok: boolean;
  readonly body: unknown;
  readonly end: string;
  readonly received: readonly unknown[];
  readonly error: { readonly id: string; readonly code: number; readonly detail: string; readonly status: string };
}

async function command(stage: Stage, fields: PeerLine): Promise<GoAnswer> {
  const client = await stage.goClient();
  return (await client.command(fields)) as unknown as GoAnswer;
}

/** What a definition of the standing Go greeter is used for; compiled with it. */
const use = `import { typedClient } from '@ts-micro/definition';
import type { Client } from '@ts-micro/service';
import { type Everything, goGreeter } from './definition.ts';

export async function use(client: Client): Promise<bigint | number> {
  const { Greeter } = typedClient(client, goGreeter);
  const item = { id: 1, name: '' };
  const everything: Everything = {
    big: 1n, unsigned: 1, count: 1, ratio: 0.5, on: true, bytes: 'AQ==', at: '2026-01-02T03:04:05Z', took: 1,
    labels: {}, texts: null, items: [item], home: { street: '', parent: null }, first: item,
  };
  const { msg }: { msg: string } = await Greeter.Hello({ name: 'John' });
  // @ts-expect-error a misspelt field
  await Greeter.Hello({ nme: msg });
  return (await Greeter.Types(everything)).big;
}
`;

/** Definitions with a Go peer at the other end. */
export const typedRows: readonly Row[] = [
  {
    id: 'typed-unary',
    title: 'a typed service answers, and refuses a Go client what does not fit, in words',
    direction: 'go->ts',
    run: (stage) =>
      withTyped(stage, async (service) => {
        const hello = (body: unknown) => command(stage, { op: 'call', service, endpoint: 'Greeter.Hello', body });
        assert.deepEqual((await hello({ name: 'John' })).body, { msg: 'Hello John' });
        const { error } = await hello({ name: 12_345 });
        assert.equal(error.code, 400);
        assert.match(error.detail, /Greeter.Hello: the request does not fit: name: .*string/);
        assert.doesNotMatch(error.detail, /12345/);
        const typed = await hello({ name: 'a name of more than twenty characters' });
        assert.deepEqual([typed.error.code, typed.error.detail, typed.error.id], [400, 'name too long', service]);
        const odd = await hello({ name: 'odd' });
        assert.equal(odd.error.code, 500);
      }),
  },
  {
    id: 'typed-streams',
    title: 'typed streams: the values, an error of the definition, a message that does not fit',
    direction: 'go->ts',
    run: (stage) =>
      withTyped(stage, async (service) => {
        const stream = (endpoint: string, ...steps: PeerLine[]) =>
          command(stage, { op: 'stream', service, endpoint, steps });
        const count = await stream('Greeter.Count', { send: { to: 3 } }, { receiveAll: true });
        assert.deepEqual([count.end, count.received], ['eof', [{ value: 1 }, { value: 2 }, { value: 3 }]]);
        const far = await stream('Greeter.Count', { send: { to: 101 } }, { receiveAll: true });
        assert.deepEqual([far.error.code, far.error.detail], [400, 'too far']);
        const chat = await stream('Greeter.Chat', { send: { text: 'a' } }, { receive: 1 }, { close: true });
        assert.deepEqual(chat.received, [{ text: 'A' }]);
        const unfit = await stream('Greeter.Chat', { send: { text: 7 } }, { receiveAll: true });
        assert.equal(unfit.error.code, 400);
        assert.match(unfit.error.detail, /the request does not fit: text: .*string/);
      }),
  },
  {
    id: 'typed-client',
    title: 'a typed client calls and streams',
    direction: 'ts->go',
    run: async (stage) => {
      await stage.goServer();
      const { client } = await stage.tsClient();
      const { Greeter } = typedClient(client, greeter, { service: stage.goService });
      assert.deepEqual(await Greeter.Hello({ name: 'John' }), { msg: 'Hello John' });
      const values: number[] = [];
      for await (const { value } of Greeter.Count({ to: 3 })) values.push(value);
      assert.equal(values.length, 3);
      await using chat = await Greeter.Chat();
      await chat.send({ text: 'a' });
      assert.deepEqual(await chat.receive(), { text: 'A' });
      const wrong = defineService({
        name: stage.goService,
        endpoints: {
          'Greeter.Hello': unary({ request: unchecked<object>(), response: z.object({ msg: z.number() }) }),
        },
      });
      await assert.rejects(typedClient(client, wrong).Greeter.Hello({ name: 'John' }), {
        code: 'malformed',
        message: /the response does not fit: msg: .*number/,
      });
    },
  },
  {
    id: 'typed-record',
    title: 'a definition written from the record of a Go service compiles and calls it, 64-bit integers exact',
    direction: 'ts->go',
    run: async (stage) => {
      await stage.goServer();
      const { client, registry } = await stage.tsClient();
      const record = await eventually('the record', async () => (await registry.getService(stage.goService))[0]);
      const source = definitionOf(record);
      const definition = await compiledDefinition(source, 'goGreeter', use);
      const { Greeter } = typedClient(client, definition) as unknown as {
        Greeter: Record<string, (request: unknown) => Promise<unknown>>;
      };
      assert.deepEqual(await Greeter.Hello?.({ name: 'John' }), { msg: 'Hello John' });
      const everything = {
        big: 9223372036854775807n,
        unsigned: 18446744073709551615n,
        count: 1,
        ratio: 0.5,
        on: true,
        bytes: Buffer.from('bytes').toString('base64'),
        at: '2026-01-02T03:04:05Z',
        took: 1_000_000_000,
        labels: { a: 'b' },
        texts: null,
        items: [{ id: -9223372036854775808n, name: 'least' }],
        home: { street: 'x', parent: null },
        first: { id: 9007199254740993n, name: '' },
      };
      assert.deepEqual(await Greeter.Types?.(everything), everything);
    },
  },
  {
    id: 'typed-proto-client',
    title: 'a client by a .proto file calls, as protobuf and as JSON, and gets the error',
    direction: 'ts->go',
    run: async (stage) => {
      await stage.goServer();
      const { client } = await stage.tsClient();
      const { Greeter } = typedClient(client, proto, { service: stage.goService });
      // Go Micro before v5.14 reads the JSON of a message as Protocol Buffers has it, and writes it otherwise.
      const contentTypes =
        stage.generation.name === 'v5' ? ['application/protobuf', 'application/json'] : ['application/protobuf'];
      for (const contentType of contentTypes) {
        assert.equal((await Greeter.Proto({ value: 'John' }, { contentType })).value, 'Hello John');
        assert.equal((await Greeter.Proto({}, { contentType })).value, '');
      }
      await assert.rejects(Greeter.Proto({ value: 'fail' }), { code: 'remote', message: /told to fail/ });
    },
  },
  {
    id: 'typed-proto-service',
    title: 'a service by a .proto file answers a Go client that has the same',
    direction: 'go->ts',
    run: async (stage) => {
      const { transport, registry } = await stage.tsClient();
      const name = `proto.${randomUUID()}`;
      await using service = createService({ name, transport, registry });
      implement(service, proto, { 'Greeter.Proto': ({ value }) => ({ value: `Hello ${value}` }) });
      await service.start();
      const contentType = 'application/protobuf';
      const call = { op: 'call', service: name, endpoint: 'Greeter.Proto', body: 'John', proto: true, contentType };
      assert.deepEqual((await command(stage, call)).body, 'Hello John');
    },
  },
];
