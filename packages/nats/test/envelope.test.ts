import { readFileSync } from 'node:fs';
import { type Message, MicroError } from '@ts-micro/core';
import { decodeEnvelope, encodeEnvelope, tryDecodeEnvelope } from '@ts-micro/nats';
import { describe, expect, test } from 'vitest';
import { thrownBy } from './thrown-by.ts';

interface Golden {
  readonly samples: readonly {
    readonly id: string;
    readonly name: string;
    readonly message: { readonly headers: Record<string, string>; readonly text?: string; readonly base64?: string };
    readonly wire: string;
    readonly ourWire?: string;
  }[];
}

interface Malformed {
  readonly samples: readonly { readonly name: string; readonly wire: string }[];
}

const golden: Golden = read('envelope.json');
const malformed: Malformed = read('malformed.json');

describe('golden envelopes of Go Micro', () => {
  for (const { id, name, message, wire, ourWire = wire } of golden.samples) {
    const body = Buffer.from(message.text ?? message.base64 ?? '', message.text === undefined ? 'base64' : 'utf8');

    test(`${id} ${name}: is written byte for byte`, () => {
      expect(text(encodeEnvelope({ headers: message.headers, body }))).toBe(ourWire);
    });

    test(`${id} ${name}: is read`, () => {
      expect(plain(decodeEnvelope(bytes(wire)))).toEqual({ headers: message.headers, body: [...body] });
      expect(plain(tryDecodeEnvelope(bytes(wire)))).toEqual({ headers: message.headers, body: [...body] });
    });
  }
});

describe('malformed envelopes', () => {
  for (const { name, wire } of malformed.samples) {
    test(`${name} is refused`, () => {
      const error = thrownBy(() => decodeEnvelope(bytes(wire)));
      expect(MicroError.is(error, 'malformed')).toBe(true);
      expect(tryDecodeEnvelope(bytes(wire))).toBeUndefined();
    });

    // Where there is a header object to put a filler into, the large envelope is read another way.
    const large = wire.replace(/"Header":\{(?=[^,]*\})/i, (found) => `${found}"filler":"${'x'.repeat(8192)}",`);
    if (large === wire) continue;
    test(`${name} is refused in a large envelope as well`, () => {
      const error = thrownBy(() => decodeEnvelope(bytes(large.replace('",}', '"}'))));
      expect(MicroError.is(error, 'malformed')).toBe(true);
    });
  }

  test('the error does not quote the payload', () => {
    for (const wire of ['{"Header":{"secret":"hunter2"},"Body":"*"}', 'hunter2', '{"hunter2']) {
      const error = thrownBy(() => decodeEnvelope(bytes(wire))) as MicroError;
      expect(`${error} ${error.cause}`).not.toContain('hunter2');
    }
  });
});

describe('encodeEnvelope', () => {
  test('sorts header names bytewise', () => {
    const headers = { b: '1', a: '2', Z: '3', '10': '4', '9': '5', 'a-b': '6', A: '7' };
    const wire = text(encodeEnvelope({ headers, body: new Uint8Array(0) }));
    expect(wire).toBe('{"Header":{"10":"4","9":"5","A":"7","Z":"3","a":"2","a-b":"6","b":"1"},"Body":""}');
  });

  test('escapes as Go does', () => {
    const headers = { h: '<b> & "é" \\ \b\f\n\r\t\u0001\u007f\u2028\u2029 😀' };
    expect(text(encodeEnvelope({ headers, body: new Uint8Array(0) }))).toBe(
      '{"Header":{"h":"\\u003cb\\u003e \\u0026 \\"é\\" \\\\ \\b\\f\\n\\r\\t\\u0001\u007f\\u2028\\u2029 😀"},"Body":""}',
    );
  });

  test('writes every printable ASCII character as JSON with HTML escapes does', () => {
    for (let code = 0x20; code <= 0x7e; code++) {
      const value = `a${String.fromCharCode(code)}z`;
      const expected = JSON.stringify(value).replace(/[<>&]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`);
      const wire = text(encodeEnvelope({ headers: { h: value }, body: new Uint8Array(0) }));
      expect(wire).toBe(`{"Header":{"h":${expected}},"Body":""}`);
    }
  });

  test('writes a name that is not ASCII whole, small and large', () => {
    for (const size of [0, 8192]) {
      const message = { headers: { 'é<': 'v' }, body: new Uint8Array(size) };
      expect(plain(decodeEnvelope(encodeEnvelope(message)))).toEqual(plain(message));
    }
  });

  test('shares nothing with the message', () => {
    const body = Uint8Array.of(1, 2, 3);
    const wire = encodeEnvelope({ headers: {}, body });
    body.fill(9);
    expect([...decodeEnvelope(wire).body]).toEqual([1, 2, 3]);
  });

  test('takes a body that is a part of a larger buffer', () => {
    const body = new Uint8Array(64).fill(7).subarray(10, 13);
    expect([...decodeEnvelope(encodeEnvelope({ headers: {}, body })).body]).toEqual([7, 7, 7]);
  });
});

describe('envelopes one after another', () => {
  const body = new TextEncoder().encode('body');
  const one = Object.freeze({ one: 'ü' });
  const two = Object.freeze({ two: '2' });
  const wire = (header: string) => `{"Header":${header},"Body":"Ym9keQ=="}`;

  test('are written with their own headers, those that cannot change and others in turns', () => {
    const mutable: Record<string, string> = { one: 'first' };
    const written = [one, one, mutable, one, two, two, one].map((headers) =>
      new TextDecoder().decode(encodeEnvelope({ headers, body })),
    );
    mutable.one = 'second';
    written.push(new TextDecoder().decode(encodeEnvelope({ headers: mutable, body })));
    expect(written).toEqual(
      [
        '{"one":"ü"}',
        '{"one":"ü"}',
        '{"one":"first"}',
        '{"one":"ü"}',
        '{"two":"2"}',
        '{"two":"2"}',
        '{"one":"ü"}',
        '{"one":"second"}',
      ].map(wire),
    );
  });

  test('are read with their own headers, whatever a reader does with those before', () => {
    const texts = ['{"one":"1"}', '{"one":"1"}', '{"one":"2"}', '{"one":null}', '{}', '{"one":"1"}'];
    const read = texts.map((text) => {
      const { headers } = decodeEnvelope(new TextEncoder().encode(wire(text)));
      const seen = { ...headers };
      Reflect.set(headers, 'one', 'changed');
      Reflect.set(headers, 'more', 'added');
      return seen;
    });
    expect(read).toEqual([{ one: '1' }, { one: '1' }, { one: '2' }, { one: '' }, {}, { one: '1' }]);
  });

  test('are each refused where the head is right and the body is none', () => {
    const bad = ['Ym9keQ=', 'Ym9k-Q==', 'Ym9k_Q==', 'Ym 9keQ=', 'Ym9keQ==Ym9keQ==', '====', 'A==='];
    for (const text of bad) {
      const bytes = new TextEncoder().encode(`{"Header":{"one":"1"},"Body":"${text}"}`);
      expect(thrownBy(() => decodeEnvelope(bytes))).toMatchObject({ code: 'malformed' });
      expect(tryDecodeEnvelope(bytes)).toBeUndefined();
    }
  });

  test('have bodies of their own', () => {
    const bytes = new TextEncoder().encode(wire('{}'));
    const [first, second] = [decodeEnvelope(bytes), decodeEnvelope(bytes)];
    first.body.fill(0);
    expect(new TextDecoder().decode(second.body)).toBe('body');
  });
});

describe('decodeEnvelope', () => {
  test('gives back what was written, for bodies of every length', () => {
    for (const size of [...Array(70).keys(), 3070, 3071, 3072, 4094, 4095, 4096, 4097, 5000, 100_000]) {
      const body = Uint8Array.from({ length: size }, (_, index) => (index * 31 + size) & 255);
      const message = { headers: { 'Micro-ID': String(size), ü: 'ü"<' }, body };
      const decoded = decodeEnvelope(encodeEnvelope(message));
      expect(decoded.headers).toEqual(message.headers);
      expect(Buffer.compare(decoded.body, body)).toBe(0);
    }
  });

  test('takes field names in any case and ignores other fields', () => {
    const wire = '{"x":{"Body":"AAAA"},"HEADER":{"a":"b"},"bOdY":"aGk=","Id":7}';
    expect(plain(decodeEnvelope(bytes(wire)))).toEqual({ headers: { a: 'b' }, body: [...bytes('hi')] });
  });

  test('takes null everywhere', () => {
    const nothing = { headers: {}, body: [] };
    for (const wire of ['null', '{}', '{"Header":null}', '{"Body":null}', '{"Header":null,"Body":null}']) {
      expect(plain(decodeEnvelope(bytes(wire)))).toEqual(nothing);
    }
    expect(decodeEnvelope(bytes('{"Header":{"a":null}}')).headers).toEqual({ a: '' });
  });

  test('takes line breaks and escapes in base64, in small and large bodies', () => {
    const hello = bytes('hello'.repeat(1000)).toString('base64');
    for (const base64 of ['aGVs\\r\\nbG8=\\n', 'aGVs\\u0062G8=', hello.replace(/.{76}/g, '$&\\r\\n')]) {
      const { body } = decodeEnvelope(bytes(`{"Header":{},"Body":"${base64}"}`));
      expect(text(body).replaceAll('hello', '')).toBe('');
      expect(body.length).toBeGreaterThan(0);
    }
  });

  test('merges headers that come in several fields', () => {
    const wire = '{"Header":{"a":"1","b":"1"},"header":{"b":"2"}}';
    expect(decodeEnvelope(bytes(wire)).headers).toEqual({ a: '1', b: '2' });
  });

  test('takes white space around and inside', () => {
    const wire = ' {\n "Header" : { "a" : "b" } ,\t"Body" : "aGk=" }\r\n';
    expect(plain(decodeEnvelope(bytes(wire)))).toEqual({ headers: { a: 'b' }, body: [...bytes('hi')] });
  });

  test('keeps __proto__ and constructor as plain headers', () => {
    for (const filler of ['', 'x'.repeat(8192)]) {
      const wire = `{"Header":{"__proto__":"p","constructor":"c","filler":"${filler}"},"Body":"aGk="}`;
      const { headers } = decodeEnvelope(bytes(wire));
      expect(Object.getPrototypeOf(headers)).toBe(Object.prototype);
      expect(Object.entries(headers)).toEqual([
        ['__proto__', 'p'],
        ['constructor', 'c'],
        ['filler', filler],
      ]);
      expect(text(encodeEnvelope({ headers, body: bytes('hi') }))).toBe(wire);
    }
  });

  test.each([
    ['deep lists', `{"Header":${'['.repeat(50_000)}${']'.repeat(50_000)}}`],
    ['deep lists before a body', `{"Header":{"a":${'['.repeat(50_000)}${']'.repeat(50_000)}},"Body":"aGk="}`],
    ['many objects beside', `{"Header":{},"other":[${'{},'.repeat(50_000)}{}],"Body":"aGk="}`],
    ['what does not end', `{"Header":${'['.repeat(50_000)}`],
  ])('is malformed with %s, and nothing is made of them', (_, wire) => {
    const error = thrownBy(() => decodeEnvelope(bytes(wire)));
    expect(error).toMatchObject({ code: 'malformed', message: expect.stringContaining('too many objects and lists') });
    expect(tryDecodeEnvelope(bytes(wire))).toBeUndefined();
  });

  test('takes brackets in its texts for what they are', () => {
    const a = '[{"\\'.repeat(20_000);
    const wire = JSON.stringify({ Header: { a }, Body: 'aGk=' });
    for (const text of [wire, `${wire} `]) {
      expect(decodeEnvelope(bytes(text)).headers).toEqual({ a });
      expect(tryDecodeEnvelope(bytes(text))?.headers).toEqual({ a });
    }
  });

  test('is not deceived by a body field inside a large envelope', () => {
    const filler = 'x'.repeat(8192);
    const nested = `{"Header":{"filler":"${filler}","Body":"aGk="}}`;
    expect(decodeEnvelope(bytes(nested)).headers).toEqual({ filler, Body: 'aGk=' });
    const twice = `{"Body":"aGk=","Header":{"filler":"${filler}"},"Body":"aG8="}`;
    expect(text(decodeEnvelope(bytes(twice)).body)).toBe('ho');
    const quoted = `{"Header":{"filler":"${filler}","a":",\\"Body\\":\\"AAAA"}}`;
    expect(decodeEnvelope(bytes(quoted)).headers.a).toBe(',"Body":"AAAA');
    const empty = `{${' '.repeat(8192)},"Body":"aGk="}`;
    expect(
      MicroError.is(
        thrownBy(() => decodeEnvelope(bytes(empty))),
        'malformed',
      ),
    ).toBe(true);
  });

  test('reads bytes that are not UTF-8 as replacement characters, as Go does', () => {
    const wire = Buffer.concat([bytes('{"Header":{"a":"'), Buffer.of(0xff), bytes('"},"Body":""}')]);
    expect(decodeEnvelope(wire).headers).toEqual({ a: '\ufffd' });
  });
});

describe('tryDecodeEnvelope', () => {
  test('gives undefined for messages of other clients', () => {
    const messages = [
      '',
      'hello',
      '{}',
      '[]',
      'null',
      '7',
      '{"id":1}',
      '{"Body":"test"}',
      '{"header":{},"body":"aGk="}',
    ];
    for (const wire of [...messages, '{"Header":{},"Body":"aGk=","Id":1}', '{"Header":{"a":1}}', '{"Header":']) {
      expect(tryDecodeEnvelope(bytes(wire)), wire).toBeUndefined();
    }
  });

  test('takes an envelope without a body', () => {
    expect(plain(tryDecodeEnvelope(bytes('{"Header":{"a":"b"}}')))).toEqual({ headers: { a: 'b' }, body: [] });
  });
});

function read<T>(file: string): T {
  return JSON.parse(readFileSync(new URL(`golden/${file}`, import.meta.url), 'utf8')) as T;
}

function bytes(wire: string): Buffer {
  return Buffer.from(wire, 'utf8');
}

function text(wire: Uint8Array): string {
  return Buffer.from(wire).toString('utf8');
}

function plain(message: Message | undefined): unknown {
  return message && { headers: message.headers, body: [...message.body] };
}
