import { type AbortOptions, MicroError } from '@ts-micro/core';
import type { JetStreamApi } from '@ts-micro/nats';
import { type SubscribeFrom, who } from './jetstream-broker-options.ts';
import type { ManagedStreams } from './managed-streams.ts';
import type { TopicStream } from './topic-streams.ts';

export interface ConsumerInfo {
  readonly name: string;
  readonly delivered: { readonly stream_seq: number };
}

/** The place in a stream at which a consumer begins. */
interface Place {
  readonly topic: string;
  readonly from: SubscribeFrom;
  /** The last sequence of the stream that has come, where the consumer takes the place of an earlier one. */
  readonly seen: number | undefined;
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

  /** The durable consumer of a queue. Made where it is not there; `not_found` where it may not be made. */
  async durable(
    stream: TopicStream,
    { name, topic, from, seen }: Place & { readonly name: string },
    options?: AbortOptions,
  ): Promise<void> {
    const { api, manage, ackWaitMs } = this.#options;
    await this.#ensure(stream);
    const place = `${stream.options.name}.${name}`;
    const find = () => api.request(`CONSUMER.INFO.${place}`, undefined, options);
    try {
      await find();
      return;
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
      await api.request(`CONSUMER.DURABLE.CREATE.${place}`, body, options);
    } catch (error) {
      if (MicroError.is(error, 'not_found')) this.#options.streams.forget(stream);
      // Another member was faster, and asked for something else.
      await find().catch(() => {
        throw error;
      });
    }
  }

  /** A consumer that the server forgets, for one plain subscription. */
  async ephemeral(stream: TopicStream, { topic, from, seen }: Place, options?: AbortOptions): Promise<ConsumerInfo> {
    const start = await this.#resume(stream, from, seen);
    await this.#ensure(stream);
    const config = {
      ack_policy: 'none',
      max_deliver: 1,
      mem_storage: true,
      num_replicas: 1,
      inactive_threshold: inactiveMs * nanoseconds,
      filter_subject: stream.subjectOf(topic),
      ...policyOf(start),
    };
    const body = { stream_name: stream.options.name, config };
    return this.#options.api.request<ConsumerInfo>(`CONSUMER.CREATE.${stream.options.name}`, body, options);
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

  /** Behind what was seen; at the beginning where the stream ends before that: all in another stream is new. */
  async #resume(stream: TopicStream, from: SubscribeFrom, seen: number | undefined): Promise<SubscribeFrom> {
    if (seen === undefined) return from;
    const { streams } = this.#options;
    const last = await streams.lastSequence(stream).catch((error: unknown) => {
      if (!MicroError.is(error, 'not_found')) throw error;
      streams.forget(stream);
      return 0;
    });
    return { sequence: last < seen ? 1 : seen + 1 };
  }

  async #ensure(stream: TopicStream): Promise<void> {
    await this.#options.streams.ensure(stream);
  }
}

function policyOf(from: SubscribeFrom): Record<string, unknown> {
  if (typeof from === 'string') return { deliver_policy: from };
  if (from instanceof Date) return { deliver_policy: 'by_start_time', opt_start_time: from.toISOString() };
  return { deliver_policy: 'by_start_sequence', opt_start_seq: from.sequence };
}
