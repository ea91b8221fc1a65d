import { describe, expect, test } from 'vitest';
import { KnownHead } from '../src/envelope/known-head.ts';
import { decodeEnvelope } from '../src/index.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const head = (headers: object): Uint8Array => bytes(JSON.stringify({ Header: headers }).slice(0, -1));
const read = (known: KnownHead, headers: object) => known.read(head(headers));

const learnt = (first: Record<string, string>, second: Record<string, string>): KnownHead =>
  new KnownHead(head(first), { ...first }).next(head(second), { ...second });

describe('a head that differs from the last ones', () => {
  const known = learnt({ a: 'x', id: '1', topic: 't', trace: '77' }, { a: 'x', id: '2', topic: 't', trace: '78' });

  test('in the values that differed before is read', () => {
    const headers = { a: 'x', id: '3', topic: 't', trace: '99' };
    expect(read(known, headers)).toEqual(headers);
    expect(read(known, headers)).not.toBe(read(known, headers));
  });

  test.each([
    ['in another value', { a: 'y', id: '3', topic: 't', trace: '99' }],
    ['in a name', { b: 'x', id: '3', topic: 't', trace: '99' }],
    ['by a quote', { a: 'x', id: '"', topic: 't', trace: '9' }],
    ['by what is not ASCII', { a: 'x', id: '3', topic: 't', trace: 'é' }],
  ])('%s is left to the parser', (_, headers) => {
    expect(read(known, headers)).toBeUndefined();
  });

  test('goes on to be known with what differs later', () => {
    const later = { a: 'x', id: '3', topic: 'u', trace: '99' };
    expect(read(known.next(head(later), { ...later }), { ...later, topic: 'v', id: '4' })).toEqual({
      ...later,
      topic: 'v',
      id: '4',
    });
  });
});

test.each([
  ['a name that is there twice', '{"Header":{"a":"1","a": "1"}', '{"Header":{"a":"2","a": "1"}', { a: '1' }],
  ['a value that is a name', '{"Header":{"b":"a","a":"1"}', '{"Header":{"b":"a","a":"2"}', { b: 'a', a: '2' }],
  ['an escape', '{"Header":{"\\"a":"1","a": "1"}', '{"Header":{"\\"a":"2","a": "1"}', { '"a': '2', a: '1' }],
  ['__proto__', '{"Header":{"__proto__":"1"}', '{"Header":{"__proto__":"2"}', JSON.parse('{"__proto__":"2"}')],
])('%s is never taken for what varies', (_, first, second, headers) => {
  const known = new KnownHead(bytes(first), JSON.parse(`${first}}`).Header).next(bytes(second), headers);
  expect(known.read(bytes(second))).toEqual(headers);
  expect(known.read(bytes(first))).toBeUndefined();
});

test('every byte that is changed in an envelope is read as a JSON parser reads it', () => {
  const headers = (id: number) => ({
    'Content-Type': 'application/json',
    'Micro-Id': `${1000 + id}`,
    'Micro-Topic': 't',
  });
  const envelope = (id: number) => bytes(JSON.stringify({ Header: headers(id), Body: 'eHh4' }));
  for (let id = 0; id < 500; id++) expect(decodeEnvelope(envelope(id)).headers).toEqual(headers(id));
  const end = new TextDecoder().decode(envelope(0)).indexOf(',"Body"');
  for (let index = 0; index < end; index++) {
    for (const byte of [0x22, 0x5c, 0x00, 0x0a, 0x20, 0x2c, 0x5a, 0x7f, 0xc3]) {
      const changed = envelope(501);
      changed[index] = byte;
      expect(headersBy(() => decodeEnvelope(changed).headers)).toEqual(headersBy(() => parsed(changed)));
    }
  }
});

function headersBy(decode: () => unknown): unknown {
  try {
    return decode();
  } catch {
    return 'malformed';
  }
}

/** As decodeEnvelope says: names of fields in any case, headers that are texts. */
function parsed(envelope: Uint8Array): unknown {
  const fields: Record<string, unknown> = JSON.parse(new TextDecoder().decode(envelope));
  const found = Object.entries(fields).find(([name]) => name.toLowerCase() === 'header')?.[1] ?? {};
  if (Object.values(found).some((value) => typeof value !== 'string')) throw new Error('no texts');
  return found;
}
