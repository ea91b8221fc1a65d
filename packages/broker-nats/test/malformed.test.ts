import type { Headers } from '@ts-micro/core';
import { encodeEnvelope } from '@ts-micro/nats';
import { checkDecoder } from '@ts-micro-tools/malformed';
import { test } from 'vitest';
import { decodeMessage } from '../src/message-dialect.ts';

const body = new TextEncoder().encode('{"name":"John"}');
const samples = [encodeEnvelope({ headers: { 'Content-Type': 'application/json', 'Micro-Topic': 'a' }, body }), body];

test.each<[string, Headers]>([
  ['without NATS headers', {}],
  ['with the header of the native dialect', { 'Ts-Micro-Format': 'native' }],
  ['with an unknown format', { 'Ts-Micro-Format': '__proto__', 'X-Other': '' }],
])('every payload is an event, %s', (_, headers) => {
  const decode = (data: Uint8Array) => decodeMessage({ subject: 'a', data, status: 0, headers: () => headers });
  checkDecoder(decode, { samples, codes: [] });
});
