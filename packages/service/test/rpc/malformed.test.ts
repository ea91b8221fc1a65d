import type { Headers } from '@ts-micro/core';
import { checkDecoder } from '@ts-micro-tools/malformed';
import { describe, expect, test } from 'vitest';
import { decodeBody } from '../../src/rpc/codec/codec.ts';
import { createCodecs } from '../../src/rpc/codec/codecs.ts';
import { dialectOfMessage } from '../../src/rpc/dialects.ts';
import { parseError } from '../../src/rpc/error-text.ts';
import { timeoutMsOf } from '../../src/rpc/timeout.ts';
import { golden } from './golden.ts';

const codecs = createCodecs();
const messages = ['T1', 'T2', 'T3', 'V1', 'V4'].map(golden);
const types = ['json', 'protobuf', 'octet-stream', 'json-rpc', 'proto-rpc', 'grpc', '__proto__'];
const samples = messages.map(({ body }) => body);

describe('whatever comes as', () => {
  test.each(types)('a body of application/%s is read, or refused as malformed', (type) => {
    const codec = codecs.get(`application/${type}`) ?? codecs.get('application/json');
    if (codec === undefined) throw new Error('there is no codec');
    for (const kind of ['request', 'response', 'event'] as const) {
      checkDecoder((body) => decodeBody(codec, body, { kind, name: 'A.B' }), { samples, runs: 1000 });
    }
  });

  test('a request is understood or named as a problem, and can be answered', () => {
    const decode = (body: Uint8Array) => {
      const headers = headersOf(body);
      const message = { headers, body };
      const dialect = dialectOfMessage(message);
      const request = dialect.parse(message, codecs);
      timeoutMsOf(request.timeout);
      dialect.endingOf(message);
      return [
        request.id,
        request.name,
        dialect.bareError(request, { text: 'no', origin: 'refused' }),
        dialect.unsupportedType(request).headers,
      ];
    };
    checkDecoder(decode, { samples, codes: [] });
  });

  test('an answer is a value, or an error', () => {
    const codec = codecs.get('application/json');
    if (codec === undefined) throw new Error('there is no codec');
    const decode = (body: Uint8Array) => {
      const message = { headers: headersOf(body), body };
      return dialectOfMessage(message).value(message, codec, { kind: 'response', name: 'A.B' }, 'greeter');
    };
    // What a peer says in words is for who asked it: it may well repeat what came.
    checkDecoder((body) => ignoreRemote(() => decode(body)), { samples, codes: ['malformed', 'unsupported'] });
  });

  test('an error text is one', () => {
    const decode = (body: Uint8Array) => {
      const { id, detail, status, code } = parseError(Buffer.from(body).toString());
      expect([typeof id, typeof detail, typeof status, typeof code]).toEqual(['string', 'string', 'string', 'number']);
    };
    checkDecoder(decode, {
      samples: [Buffer.from('{"id":"a","code":404,"detail":"b","status":"Not Found"}')],
      codes: [],
    });
  });
});

const names = ['~e', '~s', '~t', '~i', '~x', 'Micro-Endpoint', 'Micro-Id', 'Timeout', 'Micro-Stream', 'Micro-Error'];

/** Headers of known names with values made of the payload. */
function headersOf(body: Uint8Array): Headers {
  const text = Buffer.from(body).toString('latin1');
  return Object.fromEntries(
    names
      .filter((_, index) => (body[index] ?? 0) % 2 === 1)
      .map((name, index) => [name, text.slice(index, index + 40)]),
  );
}

function ignoreRemote(act: () => unknown): unknown {
  try {
    return act();
  } catch (error) {
    if ((error as { remote?: unknown }).remote !== undefined) return undefined;
    throw error;
  }
}
