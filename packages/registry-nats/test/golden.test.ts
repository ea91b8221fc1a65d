import {
  MicroError,
  type ServiceRecord,
  type ServiceRecordInit,
  serviceRecord,
  type ValueRecord,
} from '@ts-micro/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decodeAnnouncement,
  decodeAnswer,
  decodeQuestion,
  encodeAnswer,
  encodeCreate,
  encodeDelete,
  encodeGet,
  encodeList,
} from '../src/wire/messages.ts';
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
      expect(decodeAnswer(data).service).toEqual(recordNamed(sample.record));
    } else {
      expect(decodeAnnouncement(data)).toMatchObject({ action: sample.action, service: recordNamed(sample.record) });
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
      undialable: [],
      service: serviceRecord({ name: 'greeter', nodes: [{ id: 'a', address: 'b' }] }),
    });
  });

  test('metadata named __proto__ is plain metadata both ways', () => {
    const metadata = JSON.parse('{"__proto__":"a","constructor":"b"}') as Record<string, string>;
    const record = serviceRecord({ name: 'greeter', metadata, nodes: [{ id: 'a', address: 'b', metadata }] });
    const again = decodeAnswer(encodeAnswer(record)).service;
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

describe('endpoints', () => {
  const endpoints = (record: ServiceRecord) => {
    const { Service } = JSON.parse(decoder.decode(encodeCreate(record)));
    expect(JSON.parse(decoder.decode(encodeAnswer(record))).endpoints).toEqual(Service.endpoints);
    return Service.endpoints;
  };
  const empty = { name: '', type: '', values: null };

  test('one without shapes has empty ones, because Go dereferences them; a subscriber has no response', () => {
    const metadata = { subscriber: 'true' };
    const record = serviceRecord({ name: 'a', endpoints: [{ name: 'A.B' }, { name: 'topic', metadata }] });
    expect(endpoints(record)).toEqual([
      { request: empty, response: empty, metadata: {}, name: 'A.B' },
      { request: empty, response: null, metadata, name: 'topic' },
    ]);
    expect(decodeAnswer(encodeAnswer(record)).service).toEqual(record);
  });

  test('one whose shapes are null or missing, as older ts-micro announces it, has none', () => {
    const text = '{"name":"a","endpoints":[{"name":"A.B","request":null,"response":null},{"name":"A.C"}]}';
    expect(decodeAnswer(encoder.encode(text)).service).toEqual(
      serviceRecord({ name: 'a', endpoints: [{ name: 'A.B' }, { name: 'A.C' }] }),
    );
  });
});

test('every record is read as it was written, and never has a null where Go would fall over it', () => {
  const metadata = fc.dictionary(fc.string(), fc.string(), { maxKeys: 4 });
  const { value } = fc.letrec<{ value: ValueRecord }>((tie) => ({
    value: fc.record({
      name: fc.string({ minLength: 1 }),
      type: fc.string(),
      values: fc.oneof(
        { maxDepth: 5, depthIdentifier: 'value' },
        fc.constant([]),
        fc.array(tie('value'), { maxLength: 2 }),
      ),
    }),
  }));
  const shape = fc.option(value, { nil: undefined });
  const record = fc.record({
    name: fc.string({ minLength: 1 }),
    version: fc.string(),
    metadata,
    endpoints: fc.array(fc.record({ name: fc.string(), request: shape, response: shape, metadata }), { maxLength: 4 }),
    nodes: fc.array(fc.record({ id: fc.string({ minLength: 1 }), address: fc.domain(), metadata }), { maxLength: 4 }),
  });
  fc.assert(
    fc.property(record, (init) => {
      const written = serviceRecord(init);
      expect(decodeAnswer(encodeAnswer(written)).service).toEqual(written);
      expect(decodeAnnouncement(encodeCreate(written)).service).toEqual(written);
      expect(decoder.decode(encodeCreate(written))).not.toContain('"request":null');
    }),
  );
});

test.each([
  '',
  'a b',
  'a\tb',
  'a\r\nPUB x 0\r\n',
  'svc.>',
  'svc.*.a',
  '$SYS.REQ.SERVER.PING',
  '$JS.API.STREAM.DELETE.orders',
  'a..b',
  '.a',
  'a'.repeat(5000),
])('a node whose address nobody can dial, %j, is left out of what joins', (address) => {
  const bad = { id: 'bad', address, metadata: {} };
  const good = { id: 'good', address: '10.0.0.1:8080', metadata: {} };
  const { service, undialable } = decodeAnswer(encoder.encode(JSON.stringify({ name: 'a', nodes: [bad, good] })));
  expect(service.nodes).toEqual([good]);
  expect(undialable).toEqual([bad]);
});

test('a document that is wide, deep or long is refused before it is gone through', () => {
  const wide = JSON.stringify(Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`k${index}`, 1])));
  const deep = `${'{"name":"a","values":['.repeat(5000)}{}${']}'.repeat(5000)}`;
  const texts = [
    `{"Action":"create","Service":${wide}}`,
    `{"Action":"create","Service":{"name":"a","endpoints":[{"name":"b","request":${deep}}]}}`,
    `{"Action":"create","Service":{"name":"a","nodes":[${wide}]}}`,
  ];
  for (const text of texts) expect(() => decodeAnnouncement(encoder.encode(text))).toThrow(/more than/);
  const long = encoder.encode(`{"Action":"create","Service":{"name":"a","metadata":{"b":"${'x'.repeat(2000)}"}}}`);
  expect(() => decodeAnnouncement(long, 1000)).toThrow(/bytes, more than 1000/);
  const question = `{"Action":"get","Service":{"name":"${'x'.repeat(100_000)}"}}`;
  expect(() => decodeQuestion(encoder.encode(question))).toThrow(/bytes, more than/);
});
