import { MicroError, type ServiceRecord, type ServiceRecordInit, serviceRecord } from '@ts-micro/core';
import { describe, expect, test } from 'vitest';
import { decodeAnnouncement, decodeAnswer, decodeQuestion } from '../src/record-decoding.ts';
import { encodeAnswer, encodeCreate, encodeDelete, encodeGet, encodeList } from '../src/record-encoding.ts';
import malformed from './golden/malformed.json' with { type: 'json' };
import golden from './golden/registry.json' with { type: 'json' };

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function recordNamed(name: string | undefined): ServiceRecord {
  const init = (golden.records as Readonly<Record<string, ServiceRecordInit>>)[name ?? ''];
  if (init === undefined) throw new Error(`no golden record is called ${name}`);
  return serviceRecord(init);
}

function encoded(sample: (typeof golden.samples)[number]): Uint8Array {
  if (sample.kind === 'question') return sample.question?.name ? encodeGet(sample.question.name) : encodeList();
  const record = recordNamed(sample.record);
  if (sample.kind === 'answer') return encodeAnswer(record);
  return sample.action === 'delete' ? encodeDelete(record) : encodeCreate(record);
}

describe("Go Micro's registry payloads", () => {
  const samples = golden.samples.map(
    (sample) => [`${sample.id}, ${sample.kind} of Go Micro ${sample.go}`, sample] as const,
  );

  test.each(samples)('%s is understood', (_, sample) => {
    const data = encoder.encode(sample.text);
    if (sample.kind === 'question') {
      expect(decodeQuestion(data)).toEqual(sample.question);
    } else if (sample.kind === 'answer') {
      expect(decodeAnswer(data)).toEqual(recordNamed(sample.record));
    } else {
      expect(decodeAnnouncement(data)).toEqual({ action: sample.action, service: recordNamed(sample.record) });
    }
  });

  test.each(samples.filter(([, sample]) => sample.go === '4.10.2 and later'))(
    '%s is written byte for byte',
    (_, sample) => {
      expect(decoder.decode(encoded(sample))).toBe(sample.text);
    },
  );
});

describe('payloads that no Go peer sends', () => {
  const refused = (decode: () => unknown) => {
    expect(decode).toThrow(MicroError);
    expect(decode).toThrow(expect.objectContaining({ code: 'malformed' }));
  };

  test.each(malformed.payloads)('$what is refused everywhere', ({ text }) => {
    const data = encoder.encode(text);
    for (const decode of [decodeAnnouncement, decodeAnswer]) refused(() => decode(data));
    // A question of an unknown action is no mistake, and is not answered.
    try {
      expect(decodeQuestion(data)).toBeUndefined();
    } catch (error) {
      expect(MicroError.is(error, 'malformed')).toBe(true);
    }
  });

  test.each(malformed.services)('a record with $what is refused as an answer and as an announcement', ({ text }) => {
    refused(() => decodeAnswer(encoder.encode(text)));
    refused(() => decodeAnnouncement(encoder.encode(`{"Service":${text},"Action":"create"}`)));
  });
});

describe('what other writers may do', () => {
  test('names of fields count in any case, unknown ones do not, absent ones are empty', () => {
    const text = '{"action":"create","SERVICE":{"Name":"greeter","color":"red","Nodes":[{"Id":"a","ADDRESS":"b"}]}}';
    expect(decodeAnnouncement(encoder.encode(text))).toEqual({
      action: 'create',
      service: serviceRecord({ name: 'greeter', nodes: [{ id: 'a', address: 'b' }] }),
    });
  });

  test('metadata named __proto__ is plain metadata both ways', () => {
    const metadata = JSON.parse('{"__proto__":"a","constructor":"b"}') as Record<string, string>;
    const record = serviceRecord({ name: 'greeter', metadata, nodes: [{ id: 'a', address: 'b', metadata }] });
    const again = decodeAnswer(encodeAnswer(record));
    expect(Object.entries(again.metadata)).toEqual(Object.entries(metadata));
    expect(Object.entries(again.nodes[0]?.metadata ?? {})).toEqual(Object.entries(metadata));
  });

  test('a node without an address is left out of what joins and kept in what leaves', () => {
    const service = '{"name":"greeter","nodes":[{"id":"a"},{"id":"b","address":"c"}]}';
    const joining = decodeAnnouncement(encoder.encode(`{"Service":${service},"Action":"create"}`));
    const leaving = decodeAnnouncement(encoder.encode(`{"Service":${service},"Action":"delete"}`));
    expect(joining.service.nodes.map((node) => node.id)).toEqual(['b']);
    expect(leaving.service.nodes.map((node) => node.id)).toEqual(['a', 'b']);
  });
});
