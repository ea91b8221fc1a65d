import { type AbortOptions, MicroError } from '@ts-micro/core';
import { randomToken } from '@ts-micro/kit';
import type { JetStreamApi } from '@ts-micro/nats';
import { type SubscribeFrom, who } from './jetstream-broker-options.ts';
import type { ManagedStreams } from './managed-streams.ts';
import type { TopicStream } from './topic-streams.ts';

interface ConsumerInfo {
  readonly name: string;
  /** RFC 3339, on the clock of the server. */
  readonly created: string;
  readonly delivered: { readonly stream_seq: number };
  /** All before it were acknowledged. */
  readonly ack_floor: { readonly stream_seq: number };
  readonly config?: { readonly deliver_subject?: string };
}

/** How far a consumer has come in its stream. */
export interface Seen {
  /** The last sequence of the stream that has come from it and is in good hands, or that is before its beginning. */
  sequence: number;
  /** When the consumer was made, on the clock of the server: a stream that was made later is another one. */
  readonly consumerMadeMs: number;
}

/** The place in a stream at which a consumer begins. */
interface Place {
  readonly topic: string;
  readonly from: SubscribeFrom;
  /** How far the consumer had come whose place this one takes. */
  readonly seen: Seen | undefined;
}

export interface ConsumersOptions {
  readonly api: JetStreamApi;
  readonly streams: ManagedStreams;
  readonly manage: boolean;
  readonly ackWaitMs: number;
}

// How long the server keeps the consumer of a plain subscription that pulls no more.
const inactiveMs = 60_000;
const noteMs = 3_600_000;
const nanoseconds = 1e6;

/** Finds and makes the consumers of one connection. */
export class Consumers {
  readonly #options: ConsumersOptions;

  constructor(options: ConsumersOptions) {
    this.#options = options;
  }

  /**
   * The durable consumer of a queue. Made where it is not there; `not_found` where it may not be made. Resolves with
   * how far it has come.
   */
  async durable(
    stream: TopicStream,
    { name, topic, from, seen }: Place & { readonly name: string },
    options?: AbortOptions,
  ): Promise<Seen> {
    const { api, manage, ackWaitMs } = this.#options;
    await this.#ensure(stream);
    const place = `${stream.options.name}.${name}`;
    const find = () => api.request<ConsumerInfo>(`CONSUMER.INFO.${place}`, undefined, options);
    try {
      return usable(await find());
    } catch (error) {
      if (!manage || !MicroError.is(error, 'not_found')) throw error;
    }
    const config = {
      durable_name: name,
      ack_policy: 'explicit',
      ack_wait: ackWaitMs * nanoseconds,
      max_deliver: -1,
      max_ack_pending: -1,
      filter_subject: stream.subjectOf(topic),
      ...policyOf(await this.#resume(stream, from, seen)),
    };
    await this.#ensure(stream);
    const body = { stream_name: stream.options.name, config };
    try {
      return acknowledgedBy(await api.request<ConsumerInfo>(`CONSUMER.DURABLE.CREATE.${place}`, body, options));
    } catch (error) {
      if (MicroError.is(error, 'not_found')) this.#options.streams.forget(stream);
      // Another member was faster, and asked for something else.
      const info = await find().catch(() => {
        throw error;
      });
      return usable(info);
    }
  }

  /** A consumer that the server forgets, for one plain subscription. */
  async ephemeral(
    stream: TopicStream,
    { topic, from, seen }: Place,
    options?: AbortOptions,
  ): Promise<{ readonly name: string; readonly seen: Seen }> {
    const start = await this.#resume(stream, from, seen);
    await this.#ensure(stream);
    // By its name it may be asked for again where a cluster that has no leader dropped the question.
    const name = `plain-${randomToken()}`;
    const config = {
      name,
      ack_policy: 'none',
      max_deliver: 1,
      mem_storage: true,
      num_replicas: 1,
      inactive_threshold: inactiveMs * nanoseconds,
      filter_subject: stream.subjectOf(topic),
      ...policyOf(start),
    };
    const place = `${stream.options.name}.${name}`;
    const body = { stream_name: stream.options.name, config };
    const info = await this.#options.api.request<ConsumerInfo>(`CONSUMER.CREATE.${place}`, body, options);
    return { name: info.name, seen: deliveredBy(info) };
  }

  /**
   * Notes a name in the stream for an hour; false where it was noted before. The note is a consumer that nobody pulls:
   * it needs no stream of its own, and is on as many servers as the messages.
   */
  async note(stream: TopicStream, name: string, topic: string): Promise<boolean> {
    const { api, manage } = this.#options;
    if (!manage) throw new MicroError('unsupported', `${who}: with manage: false it makes no consumers`);
    const place = `${stream.options.name}.${name}`;
    try {
      await api.request(`CONSUMER.INFO.${place}`);
      return false;
    } catch (error) {
      if (!MicroError.is(error, 'not_found')) throw error;
    }
    const config = {
      durable_name: name,
      ack_policy: 'none',
      deliver_policy: 'new',
      inactive_threshold: noteMs * nanoseconds,
      filter_subject: stream.subjectOf(topic),
    };
    await api.request(`CONSUMER.DURABLE.CREATE.${place}`, { stream_name: stream.options.name, config });
    return true;
  }

  /** Does nothing where it is gone, or cannot be asked for. */
  async remove(stream: TopicStream, name: string, options?: AbortOptions): Promise<void> {
    await this.#options.api
      .request(`CONSUMER.DELETE.${stream.options.name}.${name}`, undefined, options)
      .catch(() => undefined);
  }

  /**
   * Behind what was seen; at the beginning where the stream is a later one, or ends before that: all in another stream
   * is new.
   */
  async #resume(stream: TopicStream, from: SubscribeFrom, seen: Seen | undefined): Promise<SubscribeFrom> {
    if (seen === undefined) return from;
    const { streams } = this.#options;
    const present = await streams.present(stream).catch((error: unknown) => {
      if (!MicroError.is(error, 'not_found')) throw error;
      streams.forget(stream);
      return undefined;
    });
    const isSame =
      present !== undefined && present.createdMs <= seen.consumerMadeMs && present.lastSequence >= seen.sequence;
    return { sequence: isSame ? seen.sequence + 1 : 1 };
  }

  async #ensure(stream: TopicStream): Promise<void> {
    await this.#options.streams.ensure(stream);
  }
}

function deliveredBy({ delivered, created }: ConsumerInfo): Seen {
  return { sequence: delivered.stream_seq, consumerMadeMs: Date.parse(created) };
}

/** Throws `conflict` for one that nobody can ask for messages: its subscribers would hear nothing. */
function usable(info: ConsumerInfo): Seen {
  if (info.config?.deliver_subject !== undefined) {
    throw new MicroError('conflict', `${who}: the consumer "${info.name}" is there, and is no pull consumer`);
  }
  return acknowledgedBy(info);
}

/** Of what was delivered to others and is not acknowledged, nobody knows whether it is in good hands. */
function acknowledgedBy({ ack_floor, created }: ConsumerInfo): Seen {
  return { sequence: ack_floor.stream_seq, consumerMadeMs: Date.parse(created) };
}

function policyOf(from: SubscribeFrom): Record<string, unknown> {
  if (typeof from === 'string') return { deliver_policy: from };
  if (from instanceof Date) return { deliver_policy: 'by_start_time', opt_start_time: from.toISOString() };
  return { deliver_policy: 'by_start_sequence', opt_start_seq: from.sequence };
}
