import { runInNewContext } from 'node:vm';
import { memoryBroker, memoryNetwork, memoryRegistry, memoryTransport } from '@ts-micro/memory';
import type { CodecUse } from '@ts-micro/service';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineService, implement, subscribe, typedClient, unary, unchecked } from '../src/index.ts';
import { exactCodecs } from '../src/json/exact-json.ts';
import { unfitForJson } from '../src/json/unfit-for-json.ts';
import { type OpenPlugins, rejection, startWorld } from './world.ts';

const open: OpenPlugins = async () => {
  const network = memoryNetwork();
  const plugins = {
    transport: memoryTransport({ network }),
    broker: memoryBroker({ network }),
    registry: memoryRegistry({ network }),
  };
  const close = async () => {
    await Promise.all(Object.values(plugins).map((plugin) => plugin.close()));
  };
  return { ...plugins, [Symbol.asyncDispose]: close };
};

const use: CodecUse = { kind: 'request', name: 'A.B' };
const codec = exactCodecs.get('application/json');
const decode = (text: string): unknown => codec?.decode(Buffer.from(text), use);
const encode = (value: unknown): string => Buffer.from(codec?.encode(value, use) ?? []).toString();

describe('exact integers', () => {
  it('beside more than a million objects and lists are refused before any is made', () => {
    expect(() => decode(`[12345678901234567890,${'{},'.repeat(1_000_000)}{}]`)).toThrow('objects and lists');
  });

  it('are bigint where a number cannot hold them, wherever they stand', () => {
    expect(decode('{"a":9223372036854775807,"b":[-9223372036854775808,1],"c":9007199254740991}')).toEqual({
      a: 9223372036854775807n,
      b: [-9223372036854775808n, 1],
      c: 9007199254740991,
    });
    expect(decode('18446744073709551615\n')).toBe(18446744073709551615n);
  });

  it('are no texts, fractions or powers', () => {
    const text = String.raw`{"9223372036854775807":"9223372036854775807 \" 9223372036854775807","x":9223372036854775807.5,"y":1e30}`;
    expect(decode(text)).toEqual(JSON.parse(text));
  });

  it('are written as integers, beside texts as Go writes them', () => {
    expect(encode({ a: 9223372036854775807n, b: '<é>', c: [1n] })).toBe(
      '{"a":9223372036854775807,"b":"\\u003cé\\u003e","c":[1]}\n',
    );
    expect(encode({ a: 1 })).toBe('{"a":1}\n');
    expect(encode(undefined)).toBe('{}\n');
  });

  it('leave what is no JSON malformed', () => {
    for (const text of ['{"a":9223372036854775807', '-', '01234567890123456789', '{"a":-}', '"9223372036854775807']) {
      expect(() => decode(text), text).toThrow(expect.objectContaining({ code: 'malformed' }));
    }
  });

  it('go both ways through calls and events of a definition that says so, and only of one', async () => {
    const integer = z.union([z.number(), z.bigint()]);
    const endpoints = { 'A.B': unary({ request: z.object({ id: integer }), response: z.object({ id: integer }) }) };
    const exact = defineService({
      name: 'greeter',
      exactIntegers: true,
      endpoints,
      events: { 'a.b': z.object({ id: integer }) },
    });
    const plain = defineService({ name: 'greeter', endpoints: { 'A.C': endpoints['A.B'] } });
    const events: unknown[] = [];
    await using world = await startWorld(open, 'auto', (service) => {
      implement(service, exact, { 'A.B': ({ id }) => ({ id: BigInt(id) + 1n }) });
      implement(service, plain, { 'A.C': ({ id }) => ({ id }) });
      subscribe(service, exact, 'a.b', (event) => void events.push(event));
    });
    const client = typedClient(world.client, exact);
    expect(await client.A.B({ id: 9223372036854775806n })).toEqual({ id: 9223372036854775807n });
    await client.events['a.b'].publish({ id: 9223372036854775807n });
    await expect.poll(() => events).toEqual([{ id: 9223372036854775807n }]);
    const error = await rejection(typedClient(world.client, plain).A.C({ id: 9223372036854775806n }));
    expect(error).toMatchObject({ code: 'invalid' });
    expect(error.message).toContain('id: a bigint has no JSON form');
  });
});

describe('what JSON cannot carry', () => {
  const strict = { allowsBigInt: false, allowsUndefined: false };
  const circular: Record<string, unknown> = { a: {} };
  (circular.a as Record<string, unknown>).b = circular;
  const throwing = {
    get secret(): string {
      throw new Error('secret value');
    },
  };
  const cases: readonly [string, unknown, string][] = [
    ['a bigint', { a: [1, 2n] }, 'a[1]: a bigint'],
    ['a Date', { when: new Date(0) }, 'when: a Date arrives as text'],
    ['undefined', { a: undefined }, 'a: undefined'],
    ['an undefined element', [1, undefined], '[1]: undefined'],
    ['a hole', new Array(1), '[0]: undefined'],
    ['NaN', { a: { b: Number.NaN } }, 'a.b: NaN'],
    ['Infinity', { 'a b': -Infinity }, '["a b"]: -Infinity'],
    ['a circle', circular, 'a.b: is circular'],
    ['a function', { f: () => {} }, 'f: a function'],
    ['a symbol', { s: Symbol('s') }, 's: a symbol'],
    ['a Map', { m: new Map() }, 'm: a Map'],
    ['a Set', { m: new Set() }, 'm: a Set'],
    ['bytes', { b: new Uint8Array(1) }, 'b: bytes'],
    ['a regular expression', { r: /a/ }, 'r: a RegExp'],
    ['an error', new Error('x'), 'value: an Error'],
    ['a getter that throws', { a: throwing }, 'a.secret: cannot be read'],
    ['a Date of another realm', { at: runInNewContext('new Date()') }, 'at: a Date arrives as text'],
    ['a Map of another realm', runInNewContext('new Map()'), 'value: a Map'],
    ['shared bytes', new SharedArrayBuffer(1), 'value: bytes'],
    ['search parameters', { query: new URLSearchParams('a=b') }, 'query: an iterable'],
    ['a generator', { ids: (function* () {})() }, 'ids: an iterable'],
    ['NaN in an object', { n: Object(Number.NaN) }, 'n: NaN'],
    ['a bigint in an object', { n: Object(1n) }, 'n: a bigint'],
    ['what toJSON gives', { a: { toJSON: () => Number.NaN } }, 'a: NaN'],
  ];
  for (const [name, value, words] of cases) {
    it(`is ${name}, with its path`, () => {
      expect(unfitForJson(value, strict)).toMatch(new RegExp(`^${words.replaceAll(/[[\]\\."]/g, '\\$&')}`));
    });
  }

  it('is no plain value, and no object of a class', () => {
    class Point {
      readonly x = 1;
    }
    const shared = { a: 1 };
    const boxed = [Object('a'), Object(1), Object(true)];
    const value = {
      boxed,
      n: null,
      s: '',
      t: true,
      list: [shared, shared, -0],
      point: new Point(),
      o: Object.create(null),
    };
    expect(unfitForJson(value, strict)).toBeUndefined();
    expect(unfitForJson({ url: new URL('http://localhost') }, strict)).toBeUndefined();
  });

  it('is what is nested without end', () => {
    let deep: unknown = 1;
    for (let depth = 0; depth < 100_000; depth++) deep = [deep];
    expect(unfitForJson(deep, strict)).toMatch(/^\[0\].*nested more than 1000 deep$/);
  });

  it('is refused where the caller sends it, and a response may leave a field undefined', async () => {
    const greeter = defineService({
      name: 'greeter',
      endpoints: { 'A.B': unary({ request: unchecked<unknown>(), response: unchecked<unknown>() }) },
      events: { 'a.b': unchecked<unknown>() },
    });
    await using world = await startWorld(open, 'auto', (service) => {
      implement(service, greeter, { 'A.B': (odd) => (odd === 'odd' ? { at: new Date() } : { a: 1, b: undefined }) });
    });
    const client = typedClient(world.client, greeter);
    for (const value of [{ a: undefined }, { a: Number.NaN }, { a: new Date() }, circular]) {
      expect(await rejection(client.A.B(value))).toMatchObject({ code: 'invalid' });
      expect(await rejection(client.events['a.b'].publish(value))).toMatchObject({ code: 'invalid' });
    }
    expect(await client.A.B({})).toEqual({ a: 1 });
    expect(await rejection(client.A.B('odd'))).toMatchObject({ code: 'remote', remote: { code: 500 } });
  });
});
