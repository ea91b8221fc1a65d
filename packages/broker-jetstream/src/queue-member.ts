import {
  type AbortOptions,
  type BrokerEvent,
  type BrokerHandler,
  type Logger,
  type Message,
  MicroError,
  type SubscribeOptions,
} from '@ts-micro/core';
import { type Delivery, type RedeliverySettings, SettlingSubscriber } from '@ts-micro/kit';
import {
  type DeliveryInfo,
  deliveryInfoOf,
  type JetStreamApi,
  type NatsConnection,
  type NatsMessage,
} from '@ts-micro/nats';
import { consumerName } from './consumer-name.ts';
import type { Consumers } from './consumers.ts';
import { type SubscribeFrom, who } from './jetstream-broker-options.ts';
import { Puller } from './puller.ts';
import { eventOf } from './stored-message.ts';
import type { TopicStream } from './topic-streams.ts';

export interface QueueMemberOptions extends Pick<SubscribeOptions, 'concurrency' | 'onError'> {
  readonly api: JetStreamApi;
  readonly consumers: Consumers;
  readonly stream: TopicStream;
  readonly topic: string;
  readonly queue: string;
  readonly handler: BrokerHandler;
  readonly from: SubscribeFrom;
  readonly redelivery: RedeliverySettings;
  readonly prefetch: number;
  readonly ackWaitMs: number;
  readonly closeTimeoutMs: number;
  readonly publishDeadLetter: (topic: string, message: Message, id: string) => Promise<void>;
  readonly logger: Logger;
}

const encoder = new TextEncoder();
const acknowledged = encoder.encode('+ACK');
const inProgress = encoder.encode('+WPI');
const notHandled = encoder.encode('-NAK');

/** A message that the server has lent. */
class Lent implements Delivery {
  readonly info: DeliveryInfo;
  readonly #received: NatsMessage;
  readonly #stream: TopicStream;
  readonly #answer: (reply: string, data: Uint8Array) => void;

  constructor(
    received: NatsMessage,
    info: DeliveryInfo,
    stream: TopicStream,
    answer: (reply: string, data: Uint8Array) => void,
  ) {
    this.info = info;
    this.#received = received;
    this.#stream = stream;
    this.#answer = answer;
  }

  event(): BrokerEvent {
    return eventOf(this.#received, this.#stream.topicOf(this.#received.subject), this.info.delivery);
  }

  done(): void {
    this.#say(acknowledged);
  }

  again(pauseMs: number): void {
    this.#say(pauseMs === 0 ? notHandled : encoder.encode(`-NAK ${JSON.stringify({ delay: pauseMs * 1e6 })}`));
  }

  /** The server waits longer before it gives it to another member. */
  working(): void {
    this.#say(inProgress);
  }

  #say(data: Uint8Array): void {
    this.#answer(this.#received.reply ?? '', data);
  }
}

/** A member of a queue: pulls from the durable consumer that all members share. */
export class QueueMember extends SettlingSubscriber<Lent> {
  readonly #puller: Puller;
  readonly #connection: NatsConnection;
  /** Answers that could not be written in an outage. The server takes them after it, by the same subjects. */
  readonly #unsent = new Map<string, Uint8Array>();
  readonly #unfollow: () => void;
  readonly #working: NodeJS.Timeout;

  constructor({
    api,
    consumers,
    stream,
    from,
    prefetch,
    ackWaitMs,
    publishDeadLetter,
    ...options
  }: QueueMemberOptions) {
    const { topic, queue, concurrency = 1 } = options;
    const name = consumerName(queue, topic);
    super({
      ...options,
      what: `${who}: subscriber of "${topic}"`,
      stop: (closeOptions) => this.#stop(closeOptions),
      onSettled: () => this.#puller.fill(),
      publishDeadLetter: (target, message, { info }) =>
        publishDeadLetter(target, message, `dead-${stream.options.name}-${name}-${info.streamSequence}`),
    });
    this.#connection = api.connection;
    const most = concurrency + prefetch;
    // A consumer that somebody deletes is made again behind what came last.
    let seen: number | undefined;
    this.#puller = new Puller({
      api,
      room: () => most - this.held.size,
      least: Math.max(1, Math.floor(prefetch / 2)),
      onMessage: (message) => {
        const info = deliveryInfoOf(message.reply);
        if (info === undefined) return;
        seen = Math.max(seen ?? 0, info.streamSequence);
        this.push(new Lent(message, info, stream, (reply, data) => this.#answer(reply, data)));
      },
      consumer: async () => {
        await consumers.durable(stream, { name, topic, from, seen });
        return { stream: stream.options.name, name };
      },
      onTrouble: (error) => this.report(MicroError.from(error, 'unavailable', `${who}: subscriber of "${topic}"`)),
    });
    this.#unfollow = this.#connection.onStateChange(({ status }) => {
      if (status === 'connected') this.#sendUnsent();
      else if (status === 'closed') {
        void this.fail(new MicroError('closed', `${who}: subscriber of "${topic}": the connection was closed`));
      }
    });
    this.#working = setInterval(() => {
      for (const lent of this.held) lent.working();
    }, ackWaitMs / 3);
    this.#working.unref();
  }

  start(options: AbortOptions): Promise<void> {
    return this.#puller.start(options);
  }

  async #stop(options: AbortOptions): Promise<void> {
    await this.#puller.stop(options);
    // Handlers still run, and their messages are still in our hands.
    void this.closed.then(() => {
      clearInterval(this.#working);
      this.#unfollow();
    });
  }

  #answer(reply: string, data: Uint8Array): void {
    try {
      this.#connection.publish(reply, data);
    } catch {
      if (data !== inProgress) this.#unsent.set(reply, data);
    }
  }

  #sendUnsent(): void {
    const unsent = [...this.#unsent];
    this.#unsent.clear();
    for (const [reply, data] of unsent) this.#answer(reply, data);
  }
}
