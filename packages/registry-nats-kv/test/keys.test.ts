import { type ServiceRecord, serviceRecord } from '@ts-micro/core';
import { expect, test } from 'vitest';
import { keyOf, tokenOf } from '../src/keys/node-key.ts';
import { decodeNode, encodeNode } from '../src/keys/stored-node.ts';

const odd = [
  '',
  '.',
  '..',
  'a',
  'A',
  'a.b',
  'a=2Eb',
  'a b',
  '*',
  '>',
  '=',
  '=3D',
  '/',
  'žluť',
  '鯨 🐋',
  '\ud800',
  '\ud801',
  '\ufffd',
  '\u00e9',
  'e\u0301',
  '\u0000',
  'x'.repeat(200),
  'x'.repeat(201),
  'x'.repeat(5000),
  `${'x'.repeat(5000)}y`,
  '鯨'.repeat(200),
];

test('no two names share a token, and each is one that a key may have', () => {
  const tokens = odd.map(tokenOf);
  expect(new Set(tokens).size).toBe(odd.length);
  for (const token of tokens) expect(token).toMatch(/^[-_=A-Za-z0-9]{1,200}$/);
});

test('names, versions and ids keep apart in a key, wherever their dots are', () => {
  const of = (name: string, version: string, id: string) =>
    keyOf(serviceRecord({ name, version, nodes: [{ id, address: 'x' }] }));
  const keys = [of('a', 'b', 'c'), of('a.b', 'c', 'd'), of('a', 'b.c', 'd'), of('a', 'b', 'c.d'), of('a', '', 'b')];
  expect(new Set([...keys, keyOf(serviceRecord({ name: 'a', version: 'b' }))]).size).toBe(keys.length + 1);
  expect(of('go.micro.srv.greeter', '1.0.0', 'greeter-1')).toBe('go=2Emicro=2Esrv=2Egreeter.1=2E0=2E0.greeter-1');
});

const record: ServiceRecord = serviceRecord({
  name: 'greeter',
  version: '1',
  metadata: { ['__proto__']: 'mine', constructor: 'mine' },
  endpoints: [
    {
      name: 'Greeter.Hello',
      request: { name: 'Request', type: 'Request', values: [{ name: 'name', type: 'string', values: [] }] },
    },
  ],
  nodes: [{ id: 'one', address: 'greeter.1', metadata: { zone: 'a' } }],
});
const key = keyOf(record);
const encoder = new TextEncoder();

test('a renewal is as long as what it renews', () => {
  const first = encodeNode({ owner: 'me', ttlMs: 1000, record });
  expect(encodeNode({ owner: 'me', ttlMs: 999.98, since: 123_456, record }).length).toBe(first.length);
});

test('a value gives back the node that it was made of', () => {
  const node = { owner: 'me', ttlMs: 1500, since: 7, record };
  expect(decodeNode(encodeNode(node), key)).toEqual(node);
  expect(decodeNode(encodeNode({ owner: 'me', ttlMs: 1, record }), key)).toMatchObject({ since: undefined, record });
});

const given = { owner: 'me', ttlMs: 1000, record };
const [node] = record.nodes;

test.each<[what: string, value: unknown]>([
  ['no object', 7],
  ['null', null],
  ['no owner', { ...given, owner: 7 }],
  ['no lease', { ...given, ttlMs: undefined }],
  ['a lease that is over', { ...given, ttlMs: -1 }],
  ['a lease without end', { ...given, ttlMs: '1e999' }],
  ['no record', { ...given, record: null }],
  ['a name that is a number', { ...given, record: { ...record, name: 7 } }],
  ['a version that is a number', { ...given, record: { ...record, version: 1 } }],
  ['the name of another service', { ...given, record: { ...record, name: 'other' } }],
  ['two nodes', { ...given, record: { ...record, nodes: [node, { ...node, id: 'two' }] } }],
  ['no nodes', { ...given, record: { ...record, nodes: [] } }],
  ['nodes that are no list', { ...given, record: { ...record, nodes: { length: 1, 0: node } } }],
  ['a node without an address', { ...given, record: { ...record, nodes: [{ ...node, address: '' }] } }],
  ['an address that is an object', { ...given, record: { ...record, nodes: [{ ...node, address: { a: 'b' } }] } }],
  ['metadata that are no text', { ...given, record: { ...record, metadata: { a: 7 } } }],
  ['an endpoint without a name', { ...given, record: { ...record, endpoints: [{ name: null }] } }],
  ['a shape without values', { ...given, record: { ...record, endpoints: [{ name: 'a', request: { name: 'a' } }] } }],
])('a value with %s is refused', (_what, value) => {
  expect(() => decodeNode(encoder.encode(JSON.stringify(value)), key)).toThrow();
});

test.each<[what: string, data: Uint8Array]>([
  ['nothing', new Uint8Array(0)],
  ['half a value', encodeNode(given).subarray(0, 40)],
  ['bytes that are no text', new Uint8Array([0xff, 0xfe, 0x00])],
  ['a value that is deeper than the stack', encoder.encode(`{"record":${'['.repeat(200_000)}`)],
])('%s is refused', (_what, data) => {
  expect(() => decodeNode(data, key)).toThrow();
});
