import { readFileSync } from 'node:fs';
import type { Message } from '@ts-micro/core';
import { describe, expect, it } from 'vitest';
import { codecForNode, createCodecs } from '../../src/rpc/codec/codecs.ts';
import { dialectOfMessage, dialectOfNode, leanMetadata } from '../../src/rpc/dialects.ts';
import { timeoutMsOf } from '../../src/rpc/timeout.ts';
import { goldenFrom } from './golden.ts';

const golden = goldenFrom(readFileSync(new URL('../golden/lean.json', import.meta.url), 'utf8'));
const codecs = createCodecs();
const lean = dialectOfNode(leanMetadata, 'auto');
const go = dialectOfNode({}, 'auto');
const john = { name: 'John' };
const use = { kind: 'response', name: 'Greeter.Hello' } as const;
const hello = { service: 'greeter', endpoint: 'Greeter.Hello', id: '0', timeoutMs: 5000 };
const stream = {
  service: 'greeter',
  endpoint: 'Greeter.Stream',
  id: '3',
  isStream: true,
  contentType: 'application/json',
};

function encoded(type: string, value: unknown) {
  const { codec, contentType } = codecForNode(codecs, type, { protocol: 'mucp' });
  const bytes = codec.encode(value, { kind: 'request', name: 'Greeter.Hello' });
  return { contentType, body: new Uint8Array(bytes) };
}

function plain({ headers, body }: Message): Message {
  return { headers: { ...headers }, body: new Uint8Array(body) };
}

function incoming(name: string) {
  const message = golden(name);
  expect(dialectOfMessage(message)).toBe(lean);
  return lean.parse(message, codecs);
}

describe('the lean dialect', () => {
  it('is chosen for a node that says version 1, unless Go is asked for', () => {
    expect(lean).not.toBe(go);
    expect(dialectOfNode(leanMetadata, 'go')).toBe(go);
    for (const metadata of [undefined, {}, { 'ts-micro-rpc': '2' }, { 'ts-micro-rpc': '' }])
      expect(dialectOfNode(metadata, 'auto')).toBe(go);
  });

  it('is recognised by its endpoint or its stream, and by nothing else', () => {
    expect(dialectOfMessage(golden('request'))).toBe(lean);
    expect(dialectOfMessage(golden('stream message'))).toBe(lean);
    for (const headers of [{}, { 'Micro-Endpoint': 'A.B' }, { '~x': 'EOS' }, { 'Micro-Topic': 't' }])
      expect(dialectOfMessage({ headers, body: new Uint8Array(0) })).toBe(go);
  });

  it('writes requests with what the receiver cannot know', () => {
    expect(plain(lean.request({ ...hello, ...encoded('application/json', john) }))).toEqual(golden('request'));
    const unlimited = lean.request({ ...hello, timeoutMs: undefined, ...encoded('application/json', john) });
    expect(plain(unlimited)).toEqual(golden('request without limit'));
    const bytes = new Uint8Array(Buffer.from('0a044a6f686e', 'hex'));
    const protobuf = lean.request({ ...hello, ...encoded('application/protobuf', bytes) });
    expect(plain(protobuf)).toEqual(golden('request in protobuf'));
    const metadata = { 'X-Tenant': 'a', 'Micro-Trace-Id': 'b', Timeout: '1', '~e': 'A.B', '~x': 'EOS' };
    const tenant = lean.request({ ...hello, ...encoded('application/json', john), metadata });
    expect(plain(tenant)).toEqual(golden('request with metadata'));
  });

  it('writes the same headers into the same frozen object', () => {
    const request = { ...hello, ...encoded('application/json', john) };
    const { headers } = lean.request(request);
    expect(Object.isFrozen(headers)).toBe(true);
    expect(lean.request({ ...request, id: '1', timeoutMs: 5000.0000001 }).headers).toBe(headers);
    expect(lean.request({ ...request, timeoutMs: 5001 }).headers).not.toBe(headers);
    expect(lean.request({ ...request, endpoint: 'Greeter.Bye' }).headers).not.toBe(headers);
    const answered = incoming('request');
    expect(lean.reply(answered, request.body).headers).toBe(lean.reply(answered, request.body).headers);
    expect(Object.isFrozen(lean.reply(answered, request.body).headers)).toBe(true);
    expect(lean.streamRequest(stream, request.body).headers).toBe(lean.streamRequest(stream, request.body).headers);
  });

  it('is right also for more headers than are kept', () => {
    const { contentType, body } = encoded('application/json', john);
    for (let timeoutMs = 1; timeoutMs <= 2500; timeoutMs++) {
      const { headers } = lean.request({ ...hello, contentType, body, timeoutMs });
      if (headers['~t'] !== `${timeoutMs}000000`) expect(headers).toEqual({ '~t': `${timeoutMs}000000` });
    }
    expect(plain(lean.request({ ...hello, contentType, body }))).toEqual(golden('request'));
  });

  it('never promises less than a millisecond', () => {
    expect(lean.request({ ...hello, ...encoded('application/json', john), timeoutMs: 0.01 }).headers['~t']).toBe(
      '1000000',
    );
  });

  it('reads requests', () => {
    const request = incoming('request');
    expect(request).toMatchObject({ kind: 'unary', name: 'Greeter.Hello', id: '', isLast: false, problem: undefined });
    expect(timeoutMsOf(request.timeout)).toBe(5000);
    expect(request.codec?.decode(request.body, { kind: 'request', name: request.name })).toEqual(john);
    expect(incoming('request without limit').timeout).toBeUndefined();
    expect(incoming('request in protobuf').contentType).toBe('application/protobuf');
    expect(incoming('stream open')).toMatchObject({
      kind: 'stream',
      streamId: '1',
      name: 'Greeter.Stream',
      isLast: true,
    });
  });

  it('answers in kind, repeating an id where there was one', () => {
    const { body } = golden('reply');
    expect(plain(lean.reply(incoming('request'), body))).toEqual(golden('reply'));
    expect(plain(lean.reply(incoming('request with an id'), body))).toEqual(golden('reply with the id'));
    const protobuf = golden('reply in protobuf');
    expect(plain(lean.reply(incoming('request in protobuf'), protobuf.body))).toEqual(protobuf);
    const text = golden('error').headers['~x'] as string;
    expect(plain(lean.error(incoming('request'), { text, origin: 'handler' }))).toEqual(golden('error'));
    expect(plain(lean.bareError(incoming('request'), { text, origin: 'handler' }))).toEqual(golden('error'));
    const unknown = lean.parse({ headers: { '~e': 'A.B', '~c': 'text/x' }, body: new Uint8Array(0) }, codecs);
    expect(unknown.codec).toBeUndefined();
    expect(plain(lean.unsupportedType(unknown))).toEqual(golden('unsupported type'));
  });

  it('reads answers', () => {
    const { codec } = codecForNode(codecs, 'application/json', { protocol: 'mucp' });
    expect(lean.value(golden('reply'), codec, use, 'greeter')).toEqual({ msg: 'Hello John' });
    expect(() => lean.value(golden('error'), codec, use, 'greeter')).toThrowError(
      expect.objectContaining({
        code: 'remote',
        message: 'greeter Greeter.Hello: no "bob"',
        remote: { id: 'greeter', code: 404, detail: 'no "bob"', status: 'Not Found' },
      }),
    );
    expect(lean.failure(golden('unsupported type'), codec, use, 'greeter')).toMatchObject({ code: 'unsupported' });
    expect(lean.failure({ headers: { '~x': '' }, body: new Uint8Array(0) }, codec, use, 'a')?.code).toBe('remote');
  });

  it('opens, continues and ends a stream', () => {
    const { body } = encoded('application/json', john);
    expect(plain(lean.request({ ...stream, ...encoded('application/json', undefined) }))).toEqual(
      golden('stream open'),
    );
    expect(plain(lean.streamRequest(stream, body))).toEqual(golden('stream message'));
    const half = lean.endOfStream(stream, 'reading');
    const close = lean.endOfStream(stream, 'closed');
    const cancel = lean.endOfStream(stream, 'canceled');
    expect([plain(half), plain(close)]).toEqual([golden('stream half close'), golden('stream close')]);
    expect(plain(cancel)).toEqual(golden('stream cancel'));
    expect([half, close, cancel].map(lean.isEndOfStream)).toEqual([true, true, true]);
    expect([half, close, cancel].map(lean.endingOf)).toEqual(['reading', 'closed', 'canceled']);
    const opened = incoming('stream open');
    expect(plain(lean.streamMessage(opened, golden('stream answer').body))).toEqual(golden('stream answer'));
    expect(plain(lean.error(opened, { text: 'EOS', origin: 'handler' }))).toEqual(golden('stream end'));
    expect(lean.isEndOfStream(golden('stream answer'))).toBe(false);
  });

  it('sends an error text as a header can carry it', () => {
    expect(lean.error(incoming('request'), { text: 'one\r\ntwo ', origin: 'handler' }).headers['~x']).toBe('one two');
  });
});
