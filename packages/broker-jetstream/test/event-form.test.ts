import type { NatsMessage } from '@ts-micro/nats';
import { expect, test } from 'vitest';
import { formOf } from '../src/event-form.ts';
import { TopicStreams } from '../src/topic-streams.ts';

const { encode, decode } = formOf('natsjs');
const bytes = (text: string) => new TextEncoder().encode(text);
const received = (text: string, headers: Record<string, string> = {}): NatsMessage => ({
  subject: 'orders',
  data: Buffer.from(text),
  status: 0,
  headers: () => headers,
});

test('an event as Go Micro v5 stores it is its metadata and its payload', () => {
  // Stored by go-micro.dev/v5 v5.30.0, events/natsjs.
  const stored =
    '{"ID":"8f4e2f4c-2b6c-4f36-9d2b-0d3c7e1a5b11","Topic":"orders","Timestamp":"2026-11-30T01:00:00.123456789Z",' +
    '"Metadata":{"Foo":"bar"},"Payload":"eyJ0ZXh0IjoiPMOpPiJ9"}';
  expect(decode(received(stored))).toEqual({ headers: { Foo: 'bar' }, body: bytes('{"text":"<é>"}') });
  const bare = stored.replace('{"Foo":"bar"}', 'null').replace('"eyJ0ZXh0IjoiPMOpPiJ9"', 'null');
  expect(decode(received(bare))).toEqual({ headers: {}, body: bytes('') });
});

test('an event has the fields that Go reads, and its id is that of the message', () => {
  const { data, headers } = encode('orders', { headers: { Foo: 'bar' }, body: bytes('42') }, 'payment-7');
  const { Timestamp, ...event } = JSON.parse(Buffer.from(data).toString());
  expect(event).toEqual({ ID: 'payment-7', Topic: 'orders', Metadata: { Foo: 'bar' }, Payload: 'NDI=' });
  expect(new Date(Timestamp).toISOString()).toBe(Timestamp);
  expect(headers).toEqual({ 'Nats-Msg-Id': 'payment-7' });
  expect(JSON.parse(Buffer.from(encode('a', { headers: {}, body: bytes('') }, undefined).data).toString()).ID).toMatch(
    /^[0-9a-f-]{36}$/,
  );
});

test.each([
  'no JSON',
  '{"ID":',
  '{"ID":"1"}',
  '{"ID":"1","Topic":"orders","Metadata":{"a":1},"Payload":""}',
  '{"ID":"1","Topic":"orders","Metadata":["a"],"Payload":""}',
  '{"ID":"1","Topic":"orders","Metadata":null,"Payload":"!"}',
  '{"ID":"1","Topic":"orders","Metadata":null,"Payload":{}}',
  'null',
  '{}',
])('%s is no event of Go, and a plain message', (text) => {
  expect(decode(received(text, { kept: 'yes' }))).toEqual({ headers: { kept: 'yes' }, body: bytes(text) });
});

test('each topic has a stream of its name, which holds no dot', () => {
  const topics = new TopicStreams({
    dialect: 'natsjs',
    stream: { name: 'MICRO_EVENTS', maxAgeMs: 1000 },
    subjectPrefix: 'micro.events',
    streams: { 'audit.>': { name: 'AUDIT' } },
  });
  const of = (topic: string) => {
    const { options, subjects, subjectOf } = topics.of(topic);
    return [options.name, subjects, subjectOf(topic)];
  };
  expect(of('orders_eu')).toEqual(['orders_eu', ['orders_eu'], 'orders_eu']);
  expect(of('orders.paid')).toEqual(['MICRO_EVENTS_orders_2Epaid', ['orders.paid'], 'orders.paid']);
  expect(of('audit.*')).toEqual(['AUDIT', ['audit.>'], 'audit.*']);
  expect(topics.of('orders_eu').options.maxAgeMs).toBe(1000);
  for (const pattern of ['orders.*', '>', '*'])
    expect(() => topics.of(pattern)).toThrow(/several streams|cannot have a wildcard/);
});
