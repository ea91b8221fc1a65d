import type { NatsMessage } from '@ts-micro/nats';
import { checkDecoder } from '@ts-micro-tools/malformed';
import { describe, expect, test } from 'vitest';
import { decodeAnnouncement, decodeAnswer, decodeQuestion } from '../src/wire/messages.ts';
import { comesTwice, statedLeasesMs } from '../src/wire/peer-headers.ts';
import golden from './golden/registry.json' with { type: 'json' };

const samples = golden.samples.map(({ text }) => new TextEncoder().encode(text));

describe('whatever comes on a subject of the registry is read, or refused as malformed', () => {
  test.each([
    ['a question', decodeQuestion],
    ['an answer', decodeAnswer],
    ['an announcement', decodeAnnouncement],
  ])('%s', (_, decode) => checkDecoder(decode, { samples }));
});

test('leases that a header states are numbers above 0 for each node, or are not stated', () => {
  const decode = (data: Uint8Array) => {
    const text = Buffer.from(data).toString('latin1');
    const headers = { 'Ts-Micro-Lease': text, 'Ts-Micro-Also': text };
    const message: NatsMessage = { subject: 'a', data, status: 0, headers: () => headers };
    comesTwice(message, ['micro.nats.watch']);
    const leasesMs = statedLeasesMs(message, 2);
    for (const leaseMs of leasesMs ?? []) expect(leaseMs > 0 && Number.isFinite(leaseMs)).toBe(true);
    return leasesMs;
  };
  checkDecoder(decode, {
    samples: ['5000', '5000,6000', '-1', '1e999,1', ','].map((text) => Buffer.from(text)),
    codes: [],
  });
});
