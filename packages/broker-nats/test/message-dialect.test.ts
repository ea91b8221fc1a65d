import type { Headers } from '@ts-micro/core';
import type { NatsMessage } from '@ts-micro/nats';
import { describe, expect, test } from 'vitest';
import { decodeMessage, encodeMessage } from '../src/message-dialect.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function received(text: string, headers: Headers = {}): NatsMessage {
  return { subject: 'events', data: encoder.encode(text), status: 0, headers: () => headers };
}

function readable(message: NatsMessage) {
  const { headers, body } = decodeMessage(message);
  return { headers, body: decoder.decode(body) };
}

const id = '0b6a1f0e-8a3c-4c39-9d2b-52a8b0f5d0d1';
const json = (spelling: string) => ({
  'Content-Type': 'application/json',
  [spelling]: id,
  'Micro-Topic': 'greeter.events',
});

describe('what Go Micro publishes', () => {
  test.each([
    [
      'from 4.10 on',
      `{"Header":{"Content-Type":"application/json","Micro-ID":"${id}","Micro-Topic":"greeter.events"},"Body":"eyJuYW1lIjoiSm9obiJ9Cg=="}`,
      { headers: json('Micro-ID'), body: '{"name":"John"}\n' },
    ],
    [
      'before 4.10',
      `{"Header":{"Content-Type":"application/json","Micro-Id":"${id}","Micro-Topic":"greeter.events"},"Body":"eyJuYW1lIjoiSm9obiJ9Cg=="}`,
      { headers: json('Micro-Id'), body: '{"name":"John"}\n' },
    ],
    ['without headers', '{"Header":null,"Body":"aGVsbG8="}', { headers: {}, body: 'hello' }],
    ['without a body', '{"Header":{"a":"b"},"Body":null}', { headers: { a: 'b' }, body: '' }],
    ['with nothing', '{"Header":null,"Body":null}', { headers: {}, body: '' }],
    [
      'with white space',
      '{\n\t "Header" : {"a":"b"},\r\n "Body" : "aGVsbG8="}',
      { headers: { a: 'b' }, body: 'hello' },
    ],
    ['with its body first', '{"Body":"aGVsbG8=","Header":{"a":"b"}}', { headers: { a: 'b' }, body: 'hello' }],
    ['with an escaped name', '{"\\u0042ody":"aGVsbG8=","Header":{"a":"b"}}', { headers: { a: 'b' }, body: 'hello' }],
  ])('%s is understood', (_, text, message) => {
    expect(readable(received(text))).toEqual(message);
  });

  test('is understood when a server or proxy put NATS headers on it', () => {
    const message = received('{"Header":{"a":"b"},"Body":"aGVsbG8="}', { 'Nats-Stream': 'events' });
    expect(readable(message)).toEqual({ headers: { a: 'b' }, body: 'hello' });
  });

  test('is published byte for byte', () => {
    const { data, options } = encodeMessage(
      { headers: { 'Micro-Topic': 'greeter.events', 'Content-Type': 'text/plain' }, body: encoder.encode('hello') },
      'go',
    );
    const text = '{"Header":{"Content-Type":"text/plain","Micro-Topic":"greeter.events"},"Body":"aGVsbG8="}';
    expect(decoder.decode(data)).toBe(text);
    expect(options).toBeUndefined();
  });
});

describe('what other NATS clients publish', () => {
  test.each([
    'hello',
    '',
    '{"name":"John"}',
    '{"Header":"bold","Body":"text"}',
    '{"Header":{},"Body":"","more":1}',
    '{',
  ])('%j arrives as it is', (text) => {
    expect(readable(received(text, { trace: 'a' }))).toEqual({ headers: { trace: 'a' }, body: text });
  });
});

describe('the native dialect', () => {
  const wire = (headers: Headers, text: string) => encodeMessage({ headers, body: encoder.encode(text) }, 'native');

  test('is the body as it is, and headers as NATS headers', () => {
    const { data, options } = wire({ a: 'b' }, 'hello');
    expect(decoder.decode(data)).toBe('hello');
    expect(options).toEqual({ headers: { a: 'b' } });
    expect(wire({}, 'hello').options).toBeUndefined();
  });

  test.each(['{"Header":{"a":"b"},"Body":"aGVsbG8="}', '{"Header":{}}', '{"name":"John"}', '{"say":"\\"Header\\""}'])(
    '%s as a body is no envelope',
    (text) => {
      for (const headers of [{}, { a: 'c' }] as Headers[]) {
        const { data, options } = wire(headers, text);
        const message = { subject: 'events', data, status: 0, headers: () => options?.headers ?? {} };
        expect(readable(message)).toEqual({ headers, body: text });
      }
    },
  );

  test('marks a body only where it could be taken for an envelope', () => {
    expect(wire({}, '{"name":"John"}').options).toBeUndefined();
    expect(wire({}, '{"Header":{}}').options).toEqual({ headers: { 'Ts-Micro-Format': 'native' } });
  });

  test('understands a mark that need not be', () => {
    const message = {
      subject: 'a',
      data: encoder.encode('x'),
      status: 0,
      headers: () => ({ 'Ts-Micro-Format': 'native', a: 'b' }),
    };
    expect(readable(message)).toEqual({ headers: { a: 'b' }, body: 'x' });
  });
});

test('bodies are plain byte arrays, whose slice copies', () => {
  for (const text of ['plain', '{"Header":{},"Body":"aGVsbG8="}']) {
    const { body } = decodeMessage({ subject: 'a', data: Buffer.from(text), status: 0, headers: () => ({}) });
    expect(Buffer.isBuffer(body)).toBe(false);
  }
});
