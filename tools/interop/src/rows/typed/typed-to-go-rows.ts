import assert from 'node:assert/strict';
import { MicroError } from '@ts-micro/core';
import {
  clientStream,
  defineService,
  definitionOf,
  serverStream,
  typedClient,
  unary,
  unchecked,
} from '@ts-micro/definition';
import { z } from 'zod';
import { compiledDefinition } from '../../matrix/compiled-definition.ts';
import type { Row } from '../../matrix/row.ts';
import { eventually } from '../../matrix/wait.ts';
import { greeter } from './typed-greeter.ts';

const direction = 'ts->go';

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

/** Typed clients of Go services. */
export const typedToGoRows: readonly Row[] = [
  {
    id: 'typed-client',
    title: 'a typed client calls and streams, a client stream among them',
    direction,
    run: async (stage) => {
      await stage.goServer();
      const { client } = await stage.tsClient();
      const { Greeter } = typedClient(client, greeter, { service: stage.goService });
      assert.deepEqual(await Greeter.Hello({ name: 'John' }), { msg: 'Hello John' });
      const values: number[] = [];
      for await (const { value } of Greeter.Count({ to: 3 })) values.push(value);
      assert.equal(values.length, 3);
      assert.deepEqual(await Greeter.Sum([1, 2, 3].map((value) => ({ value }))), { value: 6 });
      assert.deepEqual(await Greeter.Sum([]), { value: 0 });
      await using chat = await Greeter.Chat();
      await chat.send({ text: 'a' });
      assert.deepEqual(await chat.receive(), { text: 'A' });
    },
  },
  {
    id: 'typed-client-checks',
    title: 'what does not fit: a request is not sent, a response or message of a Go service is malformed',
    direction,
    run: async (stage) => {
      await stage.goServer();
      const { client } = await stage.tsClient();
      const service = { service: stage.goService };
      await assert.rejects(typedClient(client, greeter, service).Greeter.Hello({ name: '' }), { code: 'invalid' });
      // What Go cannot read it says by itself.
      const trusting = typedClient(client, greeter, { ...service, validateRequests: false });
      await assert.rejects(trusting.Greeter.Hello({ name: 7 as never }), {
        code: 'remote',
        message: /cannot unmarshal/,
      });
      const wrong = defineService({
        name: stage.goService,
        endpoints: {
          'Greeter.Hello': unary({ request: unchecked<object>(), response: z.object({ msg: z.number() }) }),
          'Greeter.Count': serverStream({ request: unchecked<object>(), response: z.object({ value: z.string() }) }),
          'Greeter.Sum': clientStream({ request: unchecked<object>(), response: z.object({ value: z.string() }) }),
        },
      });
      const { Greeter } = typedClient(client, wrong);
      const malformed = (path: string) => ({
        code: 'malformed',
        message: new RegExp(`the response does not fit: ${path}: .*expected`),
      });
      await assert.rejects(Greeter.Hello({ name: 'John' }), malformed('msg'));
      await assert.rejects(Greeter.Count({ to: 1 }).receive(), malformed('value'));
      await assert.rejects(Greeter.Sum([{ value: 1 }]), malformed('value'));
    },
  },
  {
    id: 'typed-client-error',
    title: 'an error of a Go handler is told apart where it has the name and data of the definition',
    direction,
    run: async (stage) => {
      await stage.goServer();
      const { client } = await stage.tsClient();
      const { 'Greeter.Hello': hello } = greeter.endpoints;
      const refusing = defineService({
        name: stage.goService,
        endpoints: { 'Greeter.Refuse': hello, 'Greeter.Fail': { ...hello, request: unchecked<object>() } },
      });
      const { Refuse, Fail } = typedClient(client, refusing).Greeter;
      const refused = await Refuse({ name: 'John' }).catch((error: unknown) => error);
      assert.deepEqual(Refuse.failure(refused), {
        name: 'name_too_long',
        data: { limit: 20 },
        detail: 'name too long',
      });
      const failed = await Fail({ code: 418, detail: 'teapot' }).catch((error: unknown) => error);
      assert.equal(Fail.failure(failed), undefined);
      const { code, remote } = MicroError.from(failed, 'internal', 'not a MicroError');
      assert.deepEqual([code, remote?.code, remote?.detail], ['remote', 418, 'teapot']);
    },
  },
  {
    id: 'typed-record',
    title: 'a definition written from the record of a Go service compiles and calls it, 64-bit integers exact',
    direction,
    needsNats: true,
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
];
