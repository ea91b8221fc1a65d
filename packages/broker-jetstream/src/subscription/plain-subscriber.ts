import { type AbortOptions, type BrokerHandler, type Logger, MicroError, type SubscribeOptions } from '@ts-micro/core';
import { HandlerSubscriber } from '@ts-micro/kit';
import { deliveryInfoOf, detachMessage, type JetStreamApi, type NatsMessage, sizeOfMessage } from '@ts-micro/nats';
import type { Consumers, Seen } from '../consumers.ts';
import type { EventForm } from '../event-form.ts';
import { type SubscribeFrom, who } from '../jetstream-broker-options.ts';
import type { TopicStream } from '../topic-streams.ts';
import type { PendingBytes, PendingPart } from './pending-bytes.ts';
import { Puller } from './puller.ts';

export interface PlainSubscriberOptions extends Pick<SubscribeOptions, 'concurrency' | 'onError'> {
  readonly api: JetStreamApi;
  readonly consumers: Consumers;
  readonly form: EventForm;
  readonly stream: TopicStream;
  readonly topic: string;
  readonly handler: BrokerHandler;
  readonly from: SubscribeFrom;
  readonly maxPendingMessages: number;
  /** Of all plain subscriptions of the broker. */
  readonly pending: PendingBytes;
  /** Subscriptions that the server forbids to go on. */
  readonly forbidden: Map<object, MicroError>;
  readonly closeTimeoutMs: number;
  readonly logger: Logger;
}

/** From so many on, small messages are detached from what they came with. */
const manyWait = 16;
/** Of each message, so much of its size becomes part of what the next ones are taken to have. */
const newsShare = 1 / 8;

/**
 * A subscription of its own: an ordered consumer, which is made again behind the last message wherever one is missing.
 */
export class PlainSubscriber extends HandlerSubscriber<NatsMessage> {
  readonly #options: PlainSubscriberOptions;
  readonly #puller: Puller;
  readonly #pending: PendingPart;
  #waiting = 0;
  /** About what a message has, so that no more come than there is room for. */
  #typicalBytes = 1;
  /** Nothing more is taken until half of the bytes were handled; what comes meanwhile comes again. */
  #isFull = false;
  #consumer: string | undefined;
  #consumerSequence = 0;
  /** The last message of the stream that this has had, or that is none of its. */
  #seen: Seen | undefined;

  constructor(options: PlainSubscriberOptions) {
    const { api, form, stream, topic, handler, concurrency, onError, pending, closeTimeoutMs, logger } = options;
    const { forbidden } = options;
    super({
      what: `${who}: subscriber of "${topic}"`,
      topic,
      handler,
      concurrency,
      onError,
      closeTimeoutMs,
      logger,
      limit: Number.POSITIVE_INFINITY,
      eventOf: (message) => {
        this.#handled(message);
        return { topic: stream.topicOf(message.subject), message: form.decode(message) };
      },
      stop: (closeOptions) => this.#stop(closeOptions),
    });
    this.#options = options;
    this.#pending = pending.part();
    this.#puller = new Puller({
      api,
      more: (asked) => this.#more(asked),
      onMessage: (message) => this.#onMessage(message),
      consumer: () => this.#find(),
      forbidden,
      onTrouble: (error) => this.report(MicroError.from(error, 'unavailable', `${who}: subscriber of "${topic}"`)),
    });
    const unfollow = api.connection.onStateChange(({ status }) => {
      if (status !== 'closed') return;
      void this.fail(new MicroError('closed', `${who}: subscriber of "${topic}": the connection was closed`));
    });
    void this.closed.then(() => {
      unfollow();
      this.#pending.release();
    });
  }

  start(options: AbortOptions): Promise<void> {
    return this.#puller.start(options);
  }

  /** A quarter of all that it may have at least, or what is asked for would come in too many parts. */
  #more(asked: number): number {
    if (this.#isFull) return 0;
    const { maxPendingMessages, pending } = this.#options;
    const byBytes = Math.max(1, Math.floor(pending.most / this.#typicalBytes));
    const most = Math.min(maxPendingMessages, byBytes);
    const left = Math.floor((pending.most - this.#pending.bytes) / this.#typicalBytes);
    const more = Math.min(maxPendingMessages - this.#waiting, this.#waiting === 0 ? most : left) - asked;
    return more >= Math.ceil(most / 4) ? more : 0;
  }

  #handled(message: NatsMessage): void {
    this.#waiting--;
    this.#pending.count(-sizeOfMessage(message));
    if (!this.#isFull) this.#puller.fill();
    else if (this.#pending.bytes <= this.#options.pending.most / 2) {
      this.#isFull = false;
      // A new consumer begins behind the last message that was taken.
      this.#puller.again();
    }
  }

  #onMessage(message: NatsMessage): void {
    if (this.#isFull) return;
    if (this.#pending.bytes >= this.#options.pending.most) {
      this.#isFull = true;
      return;
    }
    const info = deliveryInfoOf(message.reply);
    // What an earlier consumer still sent comes again from this one.
    if (info === undefined || info.consumer !== this.#consumer) return;
    if (info.consumerSequence !== this.#consumerSequence + 1) {
      this.#puller.again();
      return;
    }
    this.#consumerSequence = info.consumerSequence;
    if (this.#seen !== undefined) this.#seen.sequence = info.streamSequence;
    const bytes = sizeOfMessage(message);
    this.#pending.count(bytes);
    this.#typicalBytes = Math.max(1, this.#typicalBytes + (bytes - this.#typicalBytes) * newsShare);
    this.push(this.#waiting++ < manyWait ? message : detachMessage(message));
  }

  async #find(): Promise<{ readonly stream: string; readonly name: string }> {
    const { consumers, stream, topic, from } = this.#options;
    const before = this.#consumer;
    this.#consumer = undefined;
    const { name, seen } = await consumers.ephemeral(stream, { topic, from, seen: this.#seen });
    this.#consumer = name;
    this.#consumerSequence = 0;
    this.#seen = seen;
    if (before !== undefined) void consumers.remove(stream, before);
    return { stream: stream.options.name, name };
  }

  async #stop(options: AbortOptions): Promise<void> {
    const { consumers, stream, api } = this.#options;
    const stopping = this.#puller.stop(options);
    const isConnected = api.connection.state.status === 'connected';
    if (this.#consumer !== undefined && isConnected) void consumers.remove(stream, this.#consumer, options);
    await stopping;
  }
}
