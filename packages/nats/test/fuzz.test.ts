import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { MicroError } from '@ts-micro/core';
import { decodeEnvelope, parseServers, tryDecodeEnvelope } from '@ts-micro/nats';
import { type FuzzTarget, fuzz, must } from '@ts-micro-tools/fuzz';
import { test } from 'vitest';
import { parseCredentials, parseSeed } from '../src/connection/credentials.ts';

const golden: { readonly samples: readonly { readonly wire: string }[] } = JSON.parse(
  readFileSync(new URL('golden/envelope.json', import.meta.url), 'utf8'),
);
const bytes = (...texts: readonly string[]) => texts.map((text) => new Uint8Array(Buffer.from(text)));
const textOf = (payload: Uint8Array) => Buffer.from(payload).toString();
// A user that was made for this file alone.
const jwt = 'eyJ0eXAiOiJKV1QifQ.eyJqdGkiOiJhIn0.c2lnbmF0dXJl';
const seed = 'SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY';
const creds = `-----BEGIN NATS USER JWT-----\n${jwt}\n------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\n${seed}\n------END USER NKEY SEED------\n`;

const targets: readonly FuzzTarget[] = [
  {
    name: 'envelope',
    samples: bytes(...golden.samples.map(({ wire }) => wire)),
    decode(payload) {
      const tried = tryDecodeEnvelope(payload);
      const decoded = decodeEnvelope(payload);
      must(tried === undefined || isDeepStrictEqual(decoded, tried), 'it is read as another envelope');
      return decoded;
    },
  },
  {
    name: 'server-list',
    codes: ['invalid'],
    samples: bytes(
      'a,b:4222',
      'nats://u:p@a:1,tls://[::1]:2',
      'nats://token@a, ,b',
      'NATS://u:p%20,q@h',
      'wss://a',
      '::1',
    ),
    decode(payload) {
      const servers = parseServers(textOf(payload), 'test');
      for (const { address } of servers) {
        const port = Number(address.slice(address.lastIndexOf(':') + 1));
        must(port > 0 && port < 65_536, 'a port is none');
      }
      return servers;
    },
  },
  {
    name: 'credentials',
    codes: ['invalid'],
    samples: bytes(creds, creds.replaceAll('\n', '\r\n'), creds.replaceAll('\n', '\\n'), seed, `# a\n${seed}`),
    decode: (payload) => {
      const text = textOf(payload);
      return [settled(() => parseSeed(text, 'test')), parseCredentials(text, 'test')];
    },
  },
];

test.each(targets)('$name: whatever is read, the invariants hold', (target) => fuzz(target));

/** Runs it, and lets only errors pass that it may throw. */
function settled(act: () => unknown): unknown {
  try {
    return act();
  } catch (error) {
    if (!MicroError.is(error, 'invalid')) throw error;
    return undefined;
  }
}
