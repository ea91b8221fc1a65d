import { type AbortOptions, type BrokerHandler, type Logger, MicroError, type SubscribeOptions } from '@ts-micro/core';
import { HandlerSubscriber } from '@ts-micro/kit';
import { deliveryInfoOf, type JetStreamApi, type NatsMessage, sizeOfMessage } from '@ts-micro/nats';
import type { Consumers, Seen } from './consumers.ts';
import type { EventForm } from './event-form.ts';
import { type SubscribeFrom, who } from './jetstream-broker-options.ts';
import { Puller } from './puller.ts';
import type { TopicStream } from './topic-streams.ts';

export interface PlainSubscriberOptions extends Pick<SubscribeOptions, 'concurrency' | 'onError'> {
  readonly api: JetStreamApi;
  readonly consumers: Consumers;
  readonly form: EventForm;
  readonly stream: TopicStream;
  readonly topic: string;
  readonly handler: BrokerHandler;
  readonly from: SubscribeFrom;
  readonly maxPendingMessages: number;
  readonly maxPendingBytes: number;
  readonly closeTimeoutMs: number;
  readonly logger: Logger;
}

/**
 * A subscription of its own: an ordered consumer, which is made again behind the last message wherever one is missing.
 */
export class PlainSubscriber extends HandlerSubscriber<NatsMessage> {
  readonly #options: PlainSubscriberOptions;
  readonly #puller: Puller;
  #waiting = 0;
  #bytes = 0;
  /** Nothing more is taken until half of the bytes were handled; what comes meanwhile comes again. */
  #isFull = false;
  #consumer: string | undefined;
  #consumerSequence = 0;
  /** The last message of the stream that this has had, or that is none of its. */
  #seen: Seen | undefined;

  constructor(options: PlainSubscriberOptions) {
    const { api, form, stream, topic, handler, concurrency, onError, maxPendingMessages, closeTimeoutMs, logger } =
      options;
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
    this.#puller = new Puller({
      api,
      room: () => (this.#isFull ? 0 : maxPendingMessages - this.#waiting),
      least: Math.ceil(maxPendingMessages / 4),
      onMessage: (message) => this.#onMessage(message),
      consumer: () => this.#find(),
      onTrouble: (error) => this.report(MicroError.from(error, 'unavailable', `${who}: subscriber of "${topic}"`)),
    });
    const unfollow = api.connection.onStateChange(({ status }) => {
      if (status !== 'closed') return;
      void this.fail(new MicroError('closed', `${who}: subscriber of "${topic}": the connection was closed`));
    });
    void this.closed.then(unfollow);
  }

  start(options: AbortOptions): Promise<void> {
    return this.#puller.start(options);
  }

  #handled(message: NatsMessage): void {
    this.#waiting--;
    this.#bytes -= sizeOfMessage(message);
    if (!this.#isFull) this.#puller.fill();
    else if (this.#bytes <= this.#options.maxPendingBytes / 2) {
      this.#isFull = false;
      // A new consumer begins behind the last message that was taken.
      this.#puller.again();
    }
  }

  #onMessage(message: NatsMessage): void {
    if (this.#isFull) return;
    if (this.#bytes >= this.#options.maxPendingBytes) {
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
    this.#waiting++;
    this.#bytes += sizeOfMessage(message);
    this.push(message);
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
