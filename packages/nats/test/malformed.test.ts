import { readFileSync } from 'node:fs';
import { decodeEnvelope, tryDecodeEnvelope } from '@ts-micro/nats';
import { checkDecoder } from '@ts-micro-tools/malformed';
import { expect, test } from 'vitest';

const golden: { readonly samples: readonly { readonly wire: string }[] } = JSON.parse(
  readFileSync(new URL('golden/envelope.json', import.meta.url), 'utf8'),
);
const samples = golden.samples.map(({ wire }) => new TextEncoder().encode(wire));

test('whatever an envelope is said to be, it is read or refused as malformed', () => {
  checkDecoder(decodeEnvelope, { samples });
});

test('what is taken for an envelope where none need be is read as one', () => {
  const decode = (payload: Uint8Array) => {
    const tried = tryDecodeEnvelope(payload);
    if (tried !== undefined) expect(decodeEnvelope(payload)).toEqual(tried);
    return tried;
  };
  checkDecoder(decode, { samples, codes: [] });
});
