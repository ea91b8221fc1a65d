import '../src/register.ts';
import { getPlugin } from '@ts-micro/core';
import { expect, test } from 'vitest';
import { consumerName } from '../src/consumer-name.ts';
import { type JetStreamBrokerOptions, jetstreamBroker } from '../src/index.ts';
import { TopicStreams } from '../src/topic-streams.ts';

test.each<JetStreamBrokerOptions>([
  { ackWaitMs: 1 },
  { prefetch: -1 },
  { maxPendingMessages: 0 },
  { maxPendingBytes: 0 },
  { subjectPrefix: 'a b' },
  { stream: { name: 'a.b' } },
  { stream: { replicas: 0 } },
  { streams: { '>': { name: 'ALL' } } },
  { domain: 'a.b' },
  { dialect: 'go' as 'natsjs' },
  { from: new Date(Number.NaN) },
])('the options %o are invalid', (options) => {
  expect(() => jetstreamBroker(options)).toThrow(expect.objectContaining({ code: 'invalid' }));
});

test('an operator makes it by name, with settings of its own and of the connection', () => {
  const settings = {
    jetstream_stream: 'EVENTS',
    jetstream_replicas: '3',
    jetstream_max_age: '1h',
    jetstream_user: 'me',
  };
  const factory = getPlugin('broker', 'jetstream');
  const broker = factory({ addresses: ['127.0.0.1:4222'], settings: { ...settings, jetstream_password: 'secret' } });
  expect(broker).toMatchObject({ name: 'jetstream', address: '127.0.0.1:4222' });
  expect(broker.options).toMatchObject({ stream: { name: 'EVENTS', replicas: 3, maxAgeMs: 3_600_000 } });
  for (const [name, value] of [
    ['jetstream_replicas', 'three'],
    ['jetstream_manage', 'perhaps'],
    ['jetstream_ack_wait', 'soon'],
    ['jetstream_tls_ca', 'neither a text\nnor a file'],
    ['jetstream_nkey', '/no/such/file'],
    ['jetstream_ping_interval', 'often'],
    ['jetstream_wait_for_first_connect', 'perhaps'],
  ] as const) {
    expect(() => factory({ settings: { [name]: value } })).toThrow(`setting ${name} `);
  }
});

test('two queues never share a consumer', () => {
  const names = [
    consumerName('a', 'b.c'),
    consumerName('a.b', 'c'),
    consumerName('a_', 'b'),
    consumerName('a', '_b'),
    consumerName('a', 'b.*'),
    consumerName('a', `${'b'.repeat(900)}.c`),
    consumerName('a', `${'b'.repeat(900)}.d`),
  ];
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name).toMatch(/^[A-Za-z0-9_-]{1,200}$/);
});

test('a pattern whose topics are in several streams is refused', () => {
  const topics = new TopicStreams({
    dialect: 'plain',
    stream: { name: 'MAIN' },
    subjectPrefix: 'micro.events',
    streams: { 'orders.>': { name: 'ORDERS' }, 'users.*': { name: 'USERS' } },
  });
  expect(topics.of('orders.paid.*').options.name).toBe('ORDERS');
  expect(topics.of('users.*').subjectOf('users.*')).toBe('users.*');
  expect(topics.of('others.>').subjectOf('others.>')).toBe('micro.events.others.>');
  for (const pattern of ['>', '*.paid', 'users.>', '*.*']) expect(() => topics.of(pattern)).toThrow('several streams');
});
