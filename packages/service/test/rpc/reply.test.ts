import { checkHeaders, type Message } from '@ts-micro/core';
import { describe, expect, it } from 'vitest';
import { createCodecs } from '../../src/rpc/codec/codecs.ts';
import { formatError, remoteError } from '../../src/rpc/error-text.ts';
import {
  bareErrorMessage,
  errorMessage,
  eventAckMessage,
  isEndOfStream,
  replyMessage,
  replyValue,
  streamMessage,
  unsupportedTypeMessage,
} from '../../src/rpc/go-micro/reply.ts';
import { parseRequest } from '../../src/rpc/go-micro/request.ts';
import type { IncomingRequest } from '../../src/rpc/request.ts';
import { golden, without } from './golden.ts';

const codecs = createCodecs();
const json = codecs.get('application/json') as NonNullable<ReturnType<typeof codecs.get>>;
const use = { kind: 'response', name: 'Greeter.Hello' } as const;

function encoded(request: IncomingRequest, value: unknown): Uint8Array {
  return request.codec?.encode(value, { ...use, id: request.id }) as Uint8Array;
}

function reply(name: string, value: unknown): Message {
  const request = parseRequest(golden(name), codecs);
  return same(replyMessage(request, encoded(request, value)));
}

/** With a plain Uint8Array for a body, so that messages compare by their bytes. */
function same(message: Message): Message {
  return without(message);
}

describe('a reply', () => {
  const john = { msg: 'Hello John' };

  it('mirrors the spelling of the id it was asked with', () => {
    expect(reply('T1', john)).toEqual(golden('T5'));
    expect(reply('T2', john)).toEqual(golden('T6'));
  });

  it('mirrors both spellings, and none where there was none', () => {
    const both = { ...golden('T1'), headers: { ...golden('T1').headers, 'Micro-Id': '0' } };
    const { headers } = replyMessage(parseRequest(both, codecs), new Uint8Array(1));
    expect(Object.keys(headers).sort()).toEqual(['Content-Type', 'Micro-ID', 'Micro-Id', 'X-Micro-ID', 'X-Micro-Id']);
    const none = parseRequest(without(golden('T1'), 'Micro-ID'), codecs);
    expect(same(replyMessage(none, encoded(none, john)))).toEqual(golden('T6b'));
  });

  it('names a content type only with a body', () => {
    const request = parseRequest({ ...golden('T3'), headers: { ...golden('T3').headers, 'Micro-ID': '0' } }, codecs);
    expect(without(replyMessage(request, new Uint8Array(0)), 'Micro-Id', 'X-Micro-Id')).toEqual(golden('T7'));
    const body = golden('T7b').body;
    expect(without(replyMessage(request, body), 'Micro-Id', 'X-Micro-Id')).toEqual(golden('T7b'));
  });

  it('escapes JSON as Go does', () => {
    expect(reply('T1', { msg: '<b> & "é"' })).toEqual(golden('X1'));
  });

  it('is wrapped where the request was', () => {
    expect(reply('L1', john)).toEqual(golden('L3'));
    const proto = codecs.get('application/proto-rpc') as typeof json;
    const body = Buffer.from('0a0a48656c6c6f204a6f686e', 'hex');
    expect(new Uint8Array(proto.encode(body, { ...use, id: '1' }))).toEqual(golden('L6').body);
  });
});

describe('an error reply', () => {
  const bob = formatError(remoteError('greeter', 404, 'user "bob" not found'));

  it.each([
    ['T1', 'E1', bob],
    ['T2', 'E2', bob],
    ['L1', 'L4', bob],
    ['T1', 'E7', formatError(remoteError('greeter', 500, 'a<b'))],
    ['S1', 'S4', 'EOS'],
    ['S1', 'S6', bob],
  ])('to %s is %s', (request, answer, text) => {
    expect(same(errorMessage(parseRequest(golden(request), codecs), { text, origin: 'handler' }))).toEqual(
      golden(answer),
    );
  });

  it('shows the content type that was taken where none was given', () => {
    const { headers } = errorMessage(parseRequest(without(golden('T3'), 'Content-Type'), codecs), {
      text: bob,
      origin: 'handler',
    });
    expect(headers['Content-Type']).toBe('application/protobuf');
  });

  it('to an unsupported content type is plain text, with an error text besides', () => {
    const headers = { ...golden('T1').headers, 'Content-Type': 'application/x-foo' };
    const message = unsupportedTypeMessage(parseRequest({ headers, body: golden('T1').body }, codecs));
    expect(message.headers).toMatchObject({
      ...golden('E6').headers,
      'Micro-Error': 'unsupported Content-Type: application/x-foo',
      'Micro-ID': '0',
    });
    expect(new Uint8Array(message.body)).toEqual(golden('E6').body);
  });

  it('without the echo can always be sent', () => {
    const headers = { 'Micro-Endpoint': 'A.B', 'Micro-ID': ' 1\n', bad: 'a\r\nb' };
    const message = bareErrorMessage(parseRequest({ headers, body: new Uint8Array() }, codecs), {
      text: ' two\r\nlines ',
      origin: 'refused',
    });
    expect(() => checkHeaders(message.headers, 'test')).not.toThrow();
    expect(message.headers['Micro-Error']).toBe('two lines');
  });
});

describe("a stream's messages from the server", () => {
  it('are what a Go server sends', () => {
    const request = parseRequest(golden('S1'), codecs);
    expect(same(streamMessage(request, encoded(request, { msg: 'Hello John' })))).toEqual(golden('S3'));
    expect(isEndOfStream(golden('S4'))).toBe(true);
    expect(isEndOfStream(golden('S6'))).toBe(false);
  });
});

describe('an acknowledged event', () => {
  it('comes back with its headers, and with the error of a subscriber', () => {
    const event = parseRequest(golden('V1'), codecs);
    expect(eventAckMessage(event)).toEqual(golden('V2'));
    const text = formatError(remoteError('go.micro.server', 500, 'subscriber error: boom'));
    expect(eventAckMessage(event, text)).toEqual(golden('V3'));
  });
});

describe('the value of a reply', () => {
  const read = (message: Message, codec = json): unknown => replyValue(message, codec, use, 'greeter');

  it.each(['T5', 'T6', 'T6b', 'S3'])('is decoded whatever its id headers (%s)', (name) => {
    expect(read(golden(name))).toEqual({ msg: 'Hello John' });
  });

  it('is taken out of a legacy wrapper', () => {
    expect(read(golden('L3'), codecs.get('application/json-rpc'))).toEqual({ msg: 'Hello John' });
    const bytes = read(golden('L6'), codecs.get('application/proto-rpc')) as Uint8Array;
    expect(Buffer.from(bytes).toString('hex')).toBe('0a0a48656c6c6f204a6f686e');
  });

  it.each(['E1', 'E2', 'L4', 'S6'])('is a remote error where a handler answered with one (%s)', (name) => {
    expect(() => read(golden(name))).toThrow(
      expect.objectContaining({
        code: 'remote',
        retrySafe: false,
        message: 'greeter Greeter.Hello: user "bob" not found',
        remote: { id: 'greeter', code: 404, detail: 'user "bob" not found', status: 'Not Found' },
      }),
    );
  });

  it.each(['E3', 'E4', 'E5'])('is not_found where the endpoint is unknown (%s)', (name) => {
    expect(() => read(golden(name))).toThrow(
      expect.objectContaining({ code: 'not_found', remote: expect.objectContaining({ code: 0 }) }),
    );
  });

  it.each(['E6', 'E6b'])('is unsupported where the content type is unknown (%s)', (name) => {
    expect(() => read(golden(name))).toThrow(expect.objectContaining({ code: 'unsupported' }));
  });

  it('is an error where only the legacy body has one', () => {
    const message = { headers: {}, body: golden('L4').body };
    expect(() => read(message, codecs.get('application/json-rpc'))).toThrow(
      expect.objectContaining({ code: 'remote', remote: expect.objectContaining({ code: 404 }) }),
    );
    const proto = codecs.legacy('application/protobuf');
    const failed = { headers: {}, body: proto?.encodeError('boom') as Uint8Array };
    expect(() => read(failed, proto)).toThrow(expect.objectContaining({ code: 'remote' }));
  });

  it.each([
    [503, 'refused 7', { code: 'unavailable', retrySafe: true }],
    [504, 'refused 7', { code: 'timeout', retrySafe: true }],
    [504, 'failed 7', { code: 'timeout', retrySafe: false }],
    [500, 'failed 7', { code: 'remote', retrySafe: false }],
    // The mark of another request, which a proxy has passed on, or none that anybody writes.
    [503, 'refused 8', { code: 'remote', retrySafe: false }],
    [503, 'refused', { code: 'remote', retrySafe: false }],
    [503, 'yes 7', { code: 'remote', retrySafe: false }],
    [503, undefined, { code: 'remote', retrySafe: false }],
  ] as const)("with %i and the mark %s is the runtime's word or a handler's", (code, mark, expected) => {
    const headers: Record<string, string> = {
      'Micro-Error': formatError(remoteError('ts-micro.server', code, 'x')),
    };
    if (mark !== undefined) headers['Micro-Runtime'] = mark;
    const reading = () => replyValue({ headers, body: new Uint8Array() }, json, { ...use, id: '7' }, 'greeter');
    expect(reading).toThrow(expect.objectContaining(expected));
  });

  it('is malformed where the body is empty, broken or unexpected plain text', () => {
    for (const message of [
      { headers: {}, body: new Uint8Array() },
      { headers: {}, body: Buffer.from('{"a":') },
      { headers: { 'Content-Type': 'text/plain' }, body: Buffer.from('hello') },
    ])
      expect(() => read(message)).toThrow(expect.objectContaining({ code: 'malformed' }));
  });
});
