import { describe, expect, it } from 'vitest';
import { codecForNode, createCodecs } from '../../src/rpc/codec/codecs.ts';
import { eventMessage } from '../../src/rpc/go-micro/event.ts';
import { endingOf, endOfStreamMessage, parseRequest, requestMessage } from '../../src/rpc/go-micro/request.ts';
import { timeoutMsOf } from '../../src/rpc/timeout.ts';
import { golden, without } from './golden.ts';

const codecs = createCodecs();
const john = { name: 'John' };

function encoded(type: string, value: unknown, metadata: Record<string, string> = { protocol: 'mucp' }, id = '0') {
  const { codec, contentType } = codecForNode(codecs, type, metadata);
  return { contentType, body: codec.encode(value, { kind: 'request', name: 'Greeter.Hello', id }) };
}

describe('a request', () => {
  const hello = { service: 'greeter', endpoint: 'Greeter.Hello', id: '0', timeoutMs: 5000 };

  it('is what a Go client of either id spelling sends', () => {
    const message = requestMessage({ ...hello, ...encoded('application/json', john) });
    expect(without(message, 'Micro-Id')).toEqual(golden('T1'));
    expect(without(message, 'Micro-ID')).toEqual(golden('T2'));
  });

  it('carries protobuf bytes as they are', () => {
    const body = new Uint8Array(Buffer.from('0a044a6f686e', 'hex'));
    const message = requestMessage({ ...hello, ...encoded('application/protobuf', body) });
    expect(without(message, 'Micro-ID')).toEqual(golden('T3'));
    const empty = requestMessage({ ...hello, ...encoded('application/protobuf', undefined) });
    expect(without(empty, 'Micro-ID')).toEqual(golden('T4'));
  });

  it('is wrapped for a node without protocol metadata', () => {
    const legacy = encoded('application/json', john, {});
    const message = requestMessage({ ...hello, ...legacy, accept: 'application/json' });
    expect(without(message, 'Micro-Id')).toEqual(golden('L1'));
    const body = Buffer.from('0a044a6f686e', 'hex');
    expect(encoded('application/protobuf', body, {}, '1')).toEqual({
      contentType: 'application/proto-rpc',
      body: Buffer.from(golden('L5').body),
    });
    expect(encoded('application/octet-stream', body, {}, '1').contentType).toBe('application/octet-stream');
  });

  it('opens, continues and ends a stream', () => {
    const stream = { service: 'greeter', endpoint: 'Greeter.Stream', id: '3', isStream: true };
    const open = requestMessage({ ...stream, ...encoded('application/json', undefined) });
    expect(without(open, 'Micro-Id')).toEqual(golden('S1'));
    const next = requestMessage({ ...stream, ...encoded('application/json', john) });
    expect(without(next, 'Micro-Id')).toEqual(golden('S2'));
    const end = endOfStreamMessage({ ...stream, ...encoded('application/json', undefined) }, 'closed');
    expect(without(end, 'Micro-Id', 'Micro-Runtime')).toEqual(golden('S5'));
    const half = endOfStreamMessage({ ...stream, ...encoded('application/json', undefined) }, 'reading');
    expect(without(half, 'Micro-Id', 'Connection')).toEqual(golden('S5'));
    expect([half, end, golden('S5')].map(endingOf)).toEqual(['reading', 'closed', undefined]);
    expect(parseRequest(half, codecs).isLast).toBe(false);
  });

  it('takes metadata along but nothing of the transport level', () => {
    const metadata = { 'X-Tenant': 'a', 'micro-topic': 't', Connection: 'close', Timeout: '1', 'Micro-Trace-Id': 'b' };
    const { headers } = requestMessage({ ...hello, ...encoded('application/json', john), metadata });
    expect(headers).toMatchObject({ 'X-Tenant': 'a', 'Micro-Trace-Id': 'b', Timeout: '5000000000' });
    expect(headers).not.toHaveProperty('micro-topic');
    expect(headers).not.toHaveProperty('Connection');
  });

  it('never promises less than a nanosecond', () => {
    const { headers } = requestMessage({ ...hello, ...encoded('application/json', john), timeoutMs: -3 });
    expect(headers.Timeout).toBe('1');
  });
});

describe('an event', () => {
  it('is what a Go client of either id spelling publishes', () => {
    const body = codecs.get('application/json')?.encode(john, { kind: 'event', name: 'greeter.events' }) as Uint8Array;
    const id = golden('V1').headers['Micro-ID'] as string;
    const message = eventMessage({ topic: 'greeter.events', id, contentType: 'application/json', body });
    expect(without(message, 'Micro-Id')).toEqual(golden('V1'));
    expect(without(message, 'Micro-ID')).toEqual(golden('V4'));
  });
});

describe('a parsed request', () => {
  it.each(['T1', 'T2', 'L1', 'L2'])('names its endpoint, id and codec (%s)', (name) => {
    const request = parseRequest(golden(name), codecs);
    expect(request).toMatchObject({ kind: 'unary', name: 'Greeter.Hello', id: '0', isLast: false });
    const use = { kind: 'request', name: request.name } as const;
    expect(request.codec?.decode(request.body, use)).toEqual(john);
    expect(timeoutMsOf(request.timeout)).toBe(5000);
  });

  it('without a content type is protobuf', () => {
    const request = parseRequest(without(golden('T3'), 'Content-Type'), codecs);
    expect(request.contentType).toBe('application/protobuf');
    expect(request.codec?.contentType).toBe('application/protobuf');
  });

  it('has no codec for a content type with parameters', () => {
    const headers = { ...golden('T1').headers, 'Content-Type': 'application/json; charset=utf-8' };
    expect(parseRequest({ headers, body: golden('T1').body }, codecs).codec).toBeUndefined();
  });

  it('finds the endpoint under any of its names', () => {
    const body = golden('T1').body;
    for (const name of ['Micro-Endpoint', 'Micro-Method', 'X-Micro-Endpoint', 'X-Micro-Method'])
      expect(parseRequest({ headers: { [name]: 'A.B', 'Micro-Service': 's' }, body }, codecs).name).toBe('A.B');
  });

  it('finds endpoint and id in a legacy body where no header names them', () => {
    const json = { headers: { 'Content-Type': 'application/json' }, body: golden('L1').body };
    expect(parseRequest(json, codecs)).toMatchObject({
      name: 'Greeter.Hello',
      id: '0',
      contentType: 'application/json',
    });
    const numbered = { ...json, body: Buffer.from('{"id":7,"params":[{}],"method":"A.B"}') };
    expect(parseRequest(numbered, codecs)).toMatchObject({ name: 'A.B', id: '7' });
    const proto = { headers: { 'Content-Type': 'application/protobuf' }, body: golden('L5').body };
    expect(parseRequest(proto, codecs)).toMatchObject({ name: 'Greeter.Hello', id: '1' });
  });

  it('has a problem where only the body could name the endpoint and does not parse', () => {
    for (const text of ['', '{', 'null', '[]', '7']) {
      const message = { headers: { 'Content-Type': 'application/json' }, body: Buffer.from(text) };
      expect(parseRequest(message, codecs).problem).toMatchObject({ code: 'malformed' });
    }
  });

  it('knows streams, events and last requests', () => {
    expect(parseRequest(golden('S1'), codecs)).toMatchObject({ kind: 'stream', streamId: '3', id: '3' });
    expect(parseRequest(golden('V1'), codecs)).toMatchObject({ kind: 'event', name: 'greeter.events' });
    const last = { ...golden('T1'), headers: { ...golden('T1').headers, Connection: 'close' } };
    expect(parseRequest(last, codecs).isLast).toBe(true);
  });

  it('has no deadline without a positive whole Timeout', () => {
    for (const timeout of ['0', '-1', '1.5', 'soon', '', '99999999999999999999999'])
      expect(timeoutMsOf(timeout)).toBeUndefined();
    expect(timeoutMsOf(undefined)).toBeUndefined();
    expect(timeoutMsOf('1500000')).toBe(1.5);
  });
});
