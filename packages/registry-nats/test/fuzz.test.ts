import { silentLogger } from '@ts-micro/core';
import type { NatsMessage } from '@ts-micro/nats';
import { type FuzzTarget, fuzz, must } from '@ts-micro-tools/fuzz';
import { test } from 'vitest';
import { decodeAnnouncement, decodeAnswer, decodeQuestion } from '../src/wire/messages.ts';
import { statedLeasesMs } from '../src/wire/peer-headers.ts';
import { usableRecord } from '../src/wire/usable-record.ts';
import golden from './golden/registry.json' with { type: 'json' };

const samples = golden.samples.map(({ text }) => new Uint8Array(Buffer.from(text)));
const messageOf = (data: Uint8Array, headers = {}): NatsMessage => ({
  subject: 'a',
  data,
  status: 0,
  headers: () => headers,
});

const targets: readonly FuzzTarget[] = [
  { name: 'registry-question', samples, decode: decodeQuestion },
  { name: 'registry-answer', samples, decode: decodeAnswer },
  {
    name: 'registry-record',
    samples,
    decode(data) {
      const announcement = decodeAnnouncement(data);
      const record = usableRecord(messageOf(data), announcement, silentLogger);
      // What goes need not be dialled.
      if (announcement.action === 'delete') return record;
      for (const { address } of record?.service.nodes ?? [])
        must(!/[\s*>]/.test(address), 'an address cannot be dialled');
      return record;
    },
  },
  {
    name: 'registry-lease',
    codes: [],
    samples: ['5000', '5000,6000', '1e999,1', ','].map((text) => new Uint8Array(Buffer.from(text))),
    decode(data) {
      const leases = statedLeasesMs(messageOf(data, { 'Ts-Micro-Lease': Buffer.from(data).toString('latin1') }), 2);
      for (const leaseMs of leases ?? []) must(leaseMs > 0 && Number.isFinite(leaseMs), 'a lease is none');
      return leases;
    },
  },
];

test.each(targets)('$name: whatever comes, the invariants hold', (target) => fuzz(target));
