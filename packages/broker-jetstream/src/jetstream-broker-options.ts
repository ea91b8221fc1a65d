import { type BrokerOptions, checkName, type SubscribeOptions } from '@ts-micro/core';
import { longestTimerMs, OptionChecks, type OptionNames } from '@ts-micro/kit';
import { checkSubject, type NatsPluginOptions, natsOptionNames } from '@ts-micro/nats';
import type { EventDialect } from './event-form.ts';

/** How a stream keeps what it stores. What is left out keeps its value where the stream is there already. */
export interface StreamOptions {
  /** Letters, digits, `-` and `_`. @default 'MICRO_EVENTS' for the stream of all topics that have none of their own */
  readonly name?: string | undefined;
  /** @default 'file' */
  readonly storage?: 'file' | 'memory' | undefined;
  /** On how many servers of a cluster a message is before it counts as stored. @default 1 */
  readonly replicas?: number | undefined;
  /** `limits`: by age and size; `interest`: until every queue has handled it. @default 'limits' */
  readonly retention?: 'limits' | 'interest' | undefined;
  /** @default 604800000, a week */
  readonly maxAgeMs?: number | undefined;
  /** @default unlimited */
  readonly maxBytes?: number | undefined;
  /** @default unlimited */
  readonly maxMessages?: number | undefined;
  /** Drops the `old` messages of a full stream, or refuses `new` ones (`publish` rejects). @default 'old' */
  readonly discard?: 'old' | 'new' | undefined;
  /** How long ids of messages are remembered. @default 120000 */
  readonly duplicateWindowMs?: number | undefined;
}

/**
 * The first message of a new subscription: the next one published, the oldest one kept, the first since a time, or the
 * one with a sequence number of the stream.
 */
export type SubscribeFrom = 'new' | 'all' | Date | { readonly sequence: number };

export interface JetStreamSubscribeOptions extends SubscribeOptions {
  /** A queue that exists goes on where it is. @default the broker's option `from` */
  readonly from?: SubscribeFrom | undefined;
}

/** How to connect, where to store, and how to deliver. */
export interface JetStreamBrokerOptions extends NatsPluginOptions {
  /**
   * How events are stored. With `natsjs` each topic that `streams` does not name has a stream of its name, or
   * `<stream.name>_<topic>` where it holds a dot; `stream` has its other options. @default 'plain'
   */
  readonly dialect?: EventDialect | undefined;
  /** The stream of every topic that `streams` does not name. */
  readonly stream?: StreamOptions | undefined;
  /**
   * The first tokens of that stream's subjects: the topic `orders.paid` is on `micro.events.orders.paid`. @default
   * 'micro.events'
   */
  readonly subjectPrefix?: string | undefined;
  /**
   * Streams of their own, by the topics that they take, wildcards included; there the topic is the subject. @default
   * none
   */
  readonly streams?: Readonly<Record<string, StreamOptions & { readonly name: string }>> | undefined;
  /**
   * Makes streams and durable consumers, and brings streams to what is asked. `false` only uses what is there.
   * @default true
   */
  readonly manage?: boolean | undefined;
  /** Where a new subscription begins, unless its own `from` says otherwise. @default 'new' */
  readonly from?: SubscribeFrom | undefined;
  /**
   * How long a member that died keeps a message from others. While a handler runs, the server is told so. @default
   * 15000
   */
  readonly ackWaitMs?: number | undefined;
  /**
   * Messages a member of a queue takes beyond those it may handle at once. More is faster, and keeps them from idle
   * members. @default 0
   */
  readonly prefetch?: number | undefined;
  /** Messages of a plain subscription that wait for its handlers; the others wait in the stream. @default 1024 */
  readonly maxPendingMessages?: number | undefined;
  /**
   * Bytes of them, and one message more. All of the broker together have eight times as much, and each a 64th of it
   * beyond that. As much again is for what members of queues have by `prefetch`: each has an equal part, into which
   * what it asks for must fit, were it as large as the server takes. @default 67108864 (64 MiB)
   */
  readonly maxPendingBytes?: number | undefined;
  /** How long the server has to store a message, or to answer. @default 5000 */
  readonly requestTimeoutMs?: number | undefined;
  /** The JetStream domain, as of a leaf node. @default the server's */
  readonly domain?: string | undefined;
  /** How long closing a subscriber waits for its handlers. @default 10000 */
  readonly closeTimeoutMs?: number | undefined;
}

/** {@link JetStreamBrokerOptions} of the broker itself with defaults filled in. */
export interface JetStreamBrokerSettings extends BrokerOptions {
  readonly dialect: EventDialect;
  readonly stream: StreamOptions & { readonly name: string };
  readonly subjectPrefix: string;
  readonly streams: Readonly<Record<string, StreamOptions & { readonly name: string }>>;
  readonly manage: boolean;
  readonly from: SubscribeFrom;
  readonly ackWaitMs: number;
  readonly prefetch: number;
  readonly maxPendingMessages: number;
  readonly maxPendingBytes: number;
  readonly requestTimeoutMs: number;
  readonly domain: string | undefined;
  readonly closeTimeoutMs: number;
}

export const who = 'jetstream broker';
const checks = new OptionChecks(who);
const optionNames: OptionNames<JetStreamBrokerOptions> = {
  ...natsOptionNames,
  dialect: true,
  stream: true,
  subjectPrefix: true,
  streams: true,
  manage: true,
  from: true,
  ackWaitMs: true,
  prefetch: true,
  maxPendingMessages: true,
  maxPendingBytes: true,
  requestTimeoutMs: true,
  domain: true,
  closeTimeoutMs: true,
};
const dialects: readonly string[] = ['plain', 'natsjs'] satisfies EventDialect[];
const nameRule = /^[A-Za-z0-9_-]{1,200}$/;

/**
 * Splits the options into those of the connection and those of the broker. Throws `invalid` naming the option and its
 * value.
 */
export function checkBrokerOptions(options: JetStreamBrokerOptions): {
  readonly connect: NatsPluginOptions;
  readonly settings: Omit<JetStreamBrokerSettings, 'addresses'>;
} {
  checks.named(options, optionNames);
  const {
    dialect = 'plain',
    stream = {},
    subjectPrefix = 'micro.events',
    streams = {},
    manage = true,
    from = 'new',
    ackWaitMs = 15_000,
    prefetch = 0,
    maxPendingMessages = 1024,
    maxPendingBytes = 64 * 1024 * 1024,
    requestTimeoutMs = 5000,
    domain,
    closeTimeoutMs = 10_000,
    ...connect
  } = options;
  checks.oneOf('dialect', dialect, dialects);
  const named = { ...stream, name: stream.name ?? 'MICRO_EVENTS' };
  checkStream('stream', named);
  checkSubject(subjectPrefix, `${who}: option subjectPrefix`);
  for (const [topic, own] of Object.entries(streams)) {
    checkSubject(topic, `${who}: option streams`, { wildcards: true });
    if (topic === '>') throw checks.invalid('streams', topic, 'topics that leave the server its own subjects');
    checkStream(`streams["${topic}"]`, own);
  }
  checks.boolean('manage', manage);
  checkFrom(from);
  checks.whole('ackWaitMs', ackWaitMs, 100, longestTimerMs);
  checks.whole('prefetch', prefetch, 0, 10_000);
  checks.whole('maxPendingMessages', maxPendingMessages, 1, 100_000);
  checks.whole('maxPendingBytes', maxPendingBytes);
  checks.whole('requestTimeoutMs', requestTimeoutMs, 1, longestTimerMs);
  if (domain !== undefined && !nameRule.test(domain))
    throw checks.invalid('domain', domain, 'letters, digits, - and _');
  checks.whole('closeTimeoutMs', closeTimeoutMs, 1, longestTimerMs);
  const delivery = { from, ackWaitMs, prefetch, maxPendingMessages, maxPendingBytes, requestTimeoutMs, closeTimeoutMs };
  return { connect, settings: { dialect, stream: named, subjectPrefix, streams, manage, domain, ...delivery } };
}

/** Throws `invalid` where a subscription cannot begin there. */
export function checkFrom(from: SubscribeFrom): void {
  if (from === 'new' || from === 'all') return;
  if (from instanceof Date) {
    if (!Number.isNaN(from.getTime())) return;
  } else if (typeof from === 'object' && from !== null) {
    checks.whole('from.sequence', from.sequence);
    return;
  }
  throw checks.invalid('from', from, "'new', 'all', a Date or { sequence }");
}

function checkStream(option: string, stream: StreamOptions): void {
  checks.text(`${option}.name`, stream.name);
  checkName(stream.name ?? '', `${who}: option ${option}.name`);
  if (!nameRule.test(stream.name ?? ''))
    throw checks.invalid(`${option}.name`, stream.name, 'letters, digits, - and _');
  const { storage, replicas, retention, maxAgeMs, maxBytes, maxMessages, discard, duplicateWindowMs } = stream;
  if (storage !== undefined) checks.oneOf(`${option}.storage`, storage, ['file', 'memory']);
  if (replicas !== undefined) checks.whole(`${option}.replicas`, replicas, 1, 5);
  if (retention !== undefined) checks.oneOf(`${option}.retention`, retention, ['limits', 'interest']);
  if (maxAgeMs !== undefined) checks.whole(`${option}.maxAgeMs`, maxAgeMs, 100, Number.MAX_SAFE_INTEGER / 1e6);
  if (maxBytes !== undefined) checks.whole(`${option}.maxBytes`, maxBytes);
  if (maxMessages !== undefined) checks.whole(`${option}.maxMessages`, maxMessages);
  if (discard !== undefined) checks.oneOf(`${option}.discard`, discard, ['old', 'new']);
  if (duplicateWindowMs !== undefined) checks.whole(`${option}.duplicateWindowMs`, duplicateWindowMs, 100, 1e9);
}
