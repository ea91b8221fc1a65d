import { create, type DescMessage } from '@bufbuild/protobuf';
import { StructSchema, ValueSchema } from '@bufbuild/protobuf/wkt';
import { handle, implement, typedClient } from '@ts-micro/definition';
import { memoryBroker, memoryNetwork, memoryRegistry, memoryTransport } from '@ts-micro/memory';
import { type Codec, createClient, createService } from '@ts-micro/service';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { fromProto } from '../src/index.ts';
import { messageCodecs } from '../src/message-codecs.ts';
import { Greeter, HelloRequestSchema, type HelloResponse, HelloResponseSchema } from './gen/greeter_pb.ts';

const greeter = fromProto(Greeter, { type: 'Greeter' });

async function start(dialect: 'auto' | 'go') {
  const network = memoryNetwork();
  const transport = memoryTransport({ network });
  const broker = memoryBroker({ network });
  const registry = memoryRegistry({ network });
  const service = createService({ name: 'greeter', transport, broker, registry });
  implement(service, greeter, {
    'Greeter.Hello': ({ name, titles }) => ({ msg: ['Hello', ...titles, name].join(' '), at: 9223372036854775807n }),
    'Greeter.Count': function* ({ to }) {
      for (let value = 1; value <= to; value++) yield { value: BigInt(value) };
    },
    'Greeter.Sum': async (values) => {
      let sum = 0n;
      for await (const { value } of values) sum += value;
      return { value: sum };
    },
    'Greeter.Chat': async function* (stream) {
      for await (const { msg } of stream) yield create(HelloResponseSchema, { msg: msg.toUpperCase() });
    },
    'Greeter.Proto': ({ value }) => ({ value: `Hello ${value}` }),
  });
  await service.start();
  const client = createClient({ transport, broker, registry, dialect });
  return {
    service,
    client,
    greet: typedClient(client, greeter).Greeter,
    [Symbol.asyncDispose]: async () => {
      await client.close();
      await service.stop();
      await Promise.all([transport.close(), broker.close(), registry.close()]);
    },
  };
}

describe.each(['auto', 'go'] as const)('a generated service, in the %s dialect', (dialect) => {
  it.each(['application/protobuf', 'application/json'])('answers calls and streams as %s', async (contentType) => {
    await using world = await start(dialect);
    const { Hello, Count, Sum, Chat, Proto } = world.greet;
    const hello = await Hello({ name: 'John', titles: ['Dr'] }, { contentType });
    expect(hello).toEqual(create(HelloResponseSchema, { msg: 'Hello Dr John', at: 9223372036854775807n }));
    const values: bigint[] = [];
    for await (const { value } of Count({ to: 3 }, { contentType })) values.push(value);
    expect(values).toEqual([1n, 2n, 3n]);
    expect((await Sum([{ value: 1n }, { value: 2n }], { contentType })).value).toBe(3n);
    await using chat = await Chat({ contentType });
    await chat.send({ msg: 'a' });
    expect((await chat.receive())?.msg).toBe('A');
    expect((await Proto({ value: 'John' }, { contentType })).value).toBe('Hello John');
  });

  it('refuses what is no such message, at the sender and at the service', async () => {
    await using world = await start(dialect);
    await expect(world.greet.Hello({ name: 12_345 as never })).rejects.toMatchObject({
      code: 'invalid',
      message: 'client: greeter Greeter.Hello: the request does not fit: name: Invalid input: expected string',
    });
    const titles = ['Dr', 5 as never];
    await expect(world.greet.Hello({ titles })).rejects.toThrow('titles[1]: Invalid input: expected string');
    await expect(world.greet.Hello({ nme: 'x' } as never)).rejects.toThrow('nme: Invalid input: no such field');
    await expect(world.greet.Hello('John' as never)).rejects.toMatchObject({ code: 'invalid' });
    const bytes = Uint8Array.of(0xff);
    const contentType = 'application/protobuf';
    await expect(world.client.call('greeter', 'Greeter.Hello', bytes, { contentType })).rejects.toMatchObject({
      code: 'invalid',
    });
  });
});

describe('bytes of a hostile peer', () => {
  const use = { kind: 'request', name: 'A.B' } as const;
  const codecOf = (schema: DescMessage, type: string) =>
    messageCodecs(schema, schema).get(`application/${type}`) as Codec;
  /** As many bytes as repeat these. */
  const many = (bytes: readonly number[], count: number) => Buffer.alloc(bytes.length * count, Buffer.from(bytes));

  it('leave nothing of fields that are not known', () => {
    const message = codecOf(HelloRequestSchema, 'protobuf').decode(many([0x78, 1], 100_000), use);
    expect(message).toEqual(create(HelloRequestSchema));
  });

  it('that nest without end, or say that they are longer than they are, are refused', () => {
    const binary = codecOf(HelloRequestSchema, 'protobuf');
    for (const bytes of [many([0x7b], 100_000), Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f, 1])])
      expect(() => binary.decode(bytes, use)).toThrow();
    const deep = Buffer.from(`${'['.repeat(20_000)}${']'.repeat(20_000)}`);
    expect(() => codecOf(ValueSchema, 'json').decode(deep, use)).toThrow('recursion');
  });

  it('put nothing into a prototype', () => {
    const text = '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":2}}}';
    for (const schema of [StructSchema, HelloRequestSchema]) codecOf(schema, 'json').decode(Buffer.from(text), use);
    const field = Buffer.from('\u000a\u000d\u000a\u0009__proto__\u0012\u0000');
    codecOf(StructSchema, 'protobuf').decode(field, use);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });
});

describe('a definition of a generated service', () => {
  it('has its names, kinds and idempotency', () => {
    expect(greeter.name).toBe('greeter');
    expect(Object.entries(greeter.endpoints).map(([name, { kind }]) => [name, kind])).toEqual([
      ['Greeter.Hello', 'unary'],
      ['Greeter.Count', 'serverStream'],
      ['Greeter.Sum', 'clientStream'],
      ['Greeter.Chat', 'bidiStream'],
      ['Greeter.Proto', 'unary'],
    ]);
    expect(greeter.endpoints['Greeter.Hello'].idempotent).toBe(true);
    expect(greeter.endpoints['Greeter.Proto'].idempotent).toBe(false);
    expect(fromProto(Greeter, { name: 'go.greeter' }).name).toBe('go.greeter');
    expect(() => fromProto(Greeter, { type: 'Greter' })).toThrow(expect.objectContaining({ code: 'invalid' }));
    for (const service of [undefined, null, {}, 'Greeter', { methods: null }])
      expect(() => fromProto(service as never)).toThrow(expect.objectContaining({ code: 'invalid' }));
  });

  it('has the types of its messages', async () => {
    await using world = await start('auto');
    expectTypeOf(world.greet.Hello).returns.resolves.toEqualTypeOf<HelloResponse>();
    const service = createService({ name: 'greeter', transport: memoryTransport() });
    // @ts-expect-error a field of another type
    handle(service, greeter, 'Greeter.Hello', () => ({ msg: 1 }));
    // @ts-expect-error a misspelt field
    await expect(world.greet.Hello({ nme: 'John' })).rejects.toMatchObject({ code: 'invalid' });
  });
});
