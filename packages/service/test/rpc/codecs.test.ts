import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { bytesCodec } from '../../src/rpc/codec/bytes.ts';
import { type Codec, decodeBody, encodeBody } from '../../src/rpc/codec/codec.ts';
import { codecForNode, createCodecs } from '../../src/rpc/codec/codecs.ts';

const request = { kind: 'request', name: 'A.B' } as const;
const response = { kind: 'response', name: 'A.B' } as const;
const event = { kind: 'event', name: 'topic' } as const;

function codecOf(type: string, extra: readonly Codec[] = []): Codec {
  return codecForNode(createCodecs(extra), type, { protocol: 'mucp' }).codec;
}

describe('json', () => {
  const json = codecOf('application/json');

  it('stands for nothing with an empty object', () => {
    expect(Buffer.from(json.encode(undefined, response)).toString()).toBe('{}\n');
    expect(json.decode(new Uint8Array(), request)).toEqual({});
    expect(json.decode(new Uint8Array(), event)).toEqual({});
  });

  it('of more than a million objects and lists is refused before any is made', () => {
    for (const text of [`[${'{},'.repeat(1_000_000)}{}]`, '['.repeat(2_500_000), `[${'[[],'.repeat(700_000)}`])
      expect(() => json.decode(Buffer.from(text), request)).toThrow('more than 1000000 objects and lists');
    const brackets = '[{'.repeat(1_500_000);
    expect(json.decode(Buffer.from(JSON.stringify([brackets])), request)).toEqual([brackets]);
  });

  it('keeps null, text of every script and what Go escapes', () => {
    const value = { a: null, b: 'ü 漢 🎉 \u2028 <&>', c: [1.5, true, ''] };
    const body = json.encode(value, request);
    expect(json.decode(body, request)).toEqual(value);
    expect(Buffer.from(body).toString()).toContain('\\u2028 \\u003c\\u0026\\u003e');
  });

  it('refuses what has no JSON form', () => {
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    for (const value of [circle, 1n, () => 0, Symbol('x')])
      expect(() => json.encode(value, request)).toThrow(expect.objectContaining({ code: 'invalid' }));
  });

  it.each([
    [new Map([['a', 1]]), 'json codec: a Map has no JSON form'],
    [runInNewContext('new Map()'), 'json codec: a Map has no JSON form'],
    [{ users: [{ tags: new Set(['a']) }] }, 'json codec: users[0].tags: a Set has no JSON form'],
    [{ photo: new Uint8Array([1]) }, 'json codec: photo: bytes have no JSON form'],
    [{ photo: new Uint8Array() }, 'json codec: photo: bytes have no JSON form'],
    [[new ArrayBuffer(1)], 'json codec: [0]: bytes have no JSON form'],
    [{ user: Promise.resolve(1) }, 'json codec: user: a Promise that was not awaited has no JSON form'],
    [{ a: {}, seen: new WeakSet() }, 'json codec: seen: a weak collection has no JSON form'],
    [new TypeError('returned, not thrown'), 'json codec: an Error has no JSON form'],
    [{ reason: runInNewContext('new Error("a")') }, 'json codec: reason: an Error has no JSON form'],
    [{ pattern: /a/ }, 'json codec: pattern: a RegExp has no JSON form'],
    [{ query: new URLSearchParams('a=b') }, 'json codec: query: an iterable has no JSON form'],
  ])('says where a value would be emptied in silence (%#)', (value, words) => {
    expect(() => json.encode(value, request)).toThrow(expect.objectContaining({ code: 'invalid', message: words }));
  });

  it('takes objects that are empty, count from 0, or have a form of their own', () => {
    class Tags extends Map<string, number> {
      toJSON(): object {
        return Object.fromEntries(this);
      }
    }
    class Empty {}
    const throwing = Object.defineProperty({}, 'hidden', { get: () => [].at(0) });
    const value = {
      a: {},
      b: { 0: 'x' },
      c: new Tags([['a', 1]]),
      d: new Empty(),
      e: Object(''),
      f: throwing,
      g: [{}],
    };
    expect(Buffer.from(json.encode(value, request)).toString()).toBe(
      '{"a":{},"b":{"0":"x"},"c":{"a":1},"d":{},"e":"","f":{},"g":[{}]}\n',
    );
  });
});

describe('bytes', () => {
  it.each(['application/octet-stream', 'application/protobuf'])('pass through %s', (type) => {
    const codec = codecOf(type);
    const body = new Uint8Array([1, 2, 3]);
    expect(codec.encode(body, request)).toBe(body);
    expect(codec.decode(body, response)).toBe(body);
    expect(() => codec.encode({ a: 1 }, request)).toThrow(expect.objectContaining({ code: 'invalid' }));
    expect(() => codec.encode(null, request)).toThrow('not null');
  });
});

describe('proto-rpc', () => {
  const codec = createCodecs().legacy('application/protobuf');
  if (codec === undefined) throw new Error('there is a codec');

  it('keeps long names, large ids and errors', () => {
    const name = `A.${'b'.repeat(300)}`;
    const body = codec.encode(new Uint8Array([1]), { kind: 'request', name, id: '18446744073709551615' });
    expect(codec.inspect(body)).toEqual({ endpoint: name, id: '18446744073709551615', error: '' });
    expect(codec.inspect(codec.encodeError('boom'))).toEqual({ endpoint: '', id: '', error: 'boom' });
  });

  it('leaves an id out that is not a number', () => {
    expect(codec.inspect(codec.encode(undefined, { ...request, id: 'x' })).id).toBe('');
  });

  it('passes over fields it does not know', () => {
    const envelope = Buffer.from([0x20, 0x96, 0x01, 0x2a, 0x01, 0x61, 0x35, 1, 2, 3, 4, 0x0a, 0x03, 0x41, 0x2e, 0x42]);
    const body = Buffer.concat([Buffer.from([0, 0, 0, envelope.length]), envelope, Buffer.from([0, 0, 0, 0])]);
    expect(codec.inspect(body).endpoint).toBe('A.B');
  });

  it.each([
    '',
    '00',
    'ffffffff',
    '00000001',
    '0000000aff',
    '000000020aff00000000',
    '00000002ffff00000000',
    '0000000211000000000000',
    '000000010b00000000',
    '0000000300000000',
  ])('refuses %s as malformed', (hex) => {
    expect(() => codec.inspect(Buffer.from(hex, 'hex'))).toThrow(expect.objectContaining({ code: 'malformed' }));
  });
});

describe('codecs', () => {
  it('of the application replace built-in ones, inside the legacy wrappers too', () => {
    const upper: Codec = {
      contentType: 'application/json',
      encode: (value) => Buffer.from(JSON.stringify(String(value).toUpperCase())),
      decode: (body) => `<${JSON.parse(Buffer.from(body).toString())}>`,
    };
    const { codec, contentType } = codecForNode(createCodecs([upper]), 'application/json', undefined);
    expect(contentType).toBe('application/json-rpc');
    const body = codec.encode('a', { ...request, id: '1' });
    expect(Buffer.from(body).toString()).toBe('{"params":["A"],"id":"1","method":"A.B"}\n');
    expect(codec.decode(body, request)).toBe('<A>');
  });

  it('unknown are refused by name, and compared exactly', () => {
    for (const type of ['application/x-foo', 'Application/Json', 'application/json;charset=utf-8'])
      expect(() => codecOf(type)).toThrow(expect.objectContaining({ code: 'unsupported' }));
    expect(() => createCodecs([{ ...codecOf('application/json'), contentType: '' }])).toThrow('contentType');
  });

  it('that throw are the caller’s mistake when encoding and the peer’s when decoding', () => {
    const broken: Codec = {
      contentType: 'application/x-broken',
      encode() {
        throw new Error('no');
      },
      decode() {
        throw new Error('no');
      },
    };
    expect(() => encodeBody(broken, 1, request)).toThrow(expect.objectContaining({ code: 'invalid' }));
    expect(() => decodeBody(broken, new Uint8Array(), request)).toThrow(expect.objectContaining({ code: 'malformed' }));
  });

  it('that are async are told so, and what they reject with ends no process', async () => {
    const fail = async () => {
      throw new Error('no');
    };
    const broken = { contentType: 'application/x-broken', encode: fail, decode: fail } as unknown as Codec;
    expect(() => encodeBody(broken, 1, request)).toThrow('the codec returned a promise and no bytes');
    expect(() => decodeBody(broken, new Uint8Array(), request)).toThrow(
      'application/x-broken: request of "A.B" cannot be decoded: the codec returned a promise',
    );
    await new Promise((resolve) => setImmediate(resolve));
  });
});

it('bytes of another realm are bytes, and other views are none', () => {
  const codec = bytesCodec('application/octet-stream');
  const encoded = codec.encode(runInNewContext('new Uint8Array([9, 1, 2, 200]).subarray(1)'), request);
  expect(encoded).toBeInstanceOf(Uint8Array);
  expect([...encoded]).toEqual([1, 2, 200]);
  expect(() => codec.encode(runInNewContext('new Uint16Array(2)'), request)).toThrow(
    expect.objectContaining({ code: 'invalid' }),
  );
});
