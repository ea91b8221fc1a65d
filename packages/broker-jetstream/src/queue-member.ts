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
import { consumerName, noteName } from './consumer-name.ts';
import type { Consumers, Seen } from './consumers.ts';
import { DoneMessages } from './done-messages.ts';
import type { EventForm } from './event-form.ts';
import { type SubscribeFrom, who } from './jetstream-broker-options.ts';
import { Puller } from './puller.ts';
import type { TopicStream } from './topic-streams.ts';

export interface QueueMemberOptions extends Pick<SubscribeOptions, 'concurrency' | 'onError'> {
  readonly api: JetStreamApi;
  readonly consumers: Consumers;
  readonly form: EventForm;
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

/** The member that a message is lent to. */
interface Lending {
  readonly form: EventForm;
  readonly stream: TopicStream;
  readonly answer: (reply: string, data: Uint8Array) => void;
  readonly note: (message: string, topic: string) => Promise<boolean>;
  readonly forgetNote: (message: string) => void;
  readonly onDone: (info: DeliveryInfo) => void;
}

/** A message that the server has lent. */
class Lent implements Delivery {
  readonly key: number;
  readonly info: DeliveryInfo;
  readonly #received: NatsMessage;
  readonly #to: Lending;
  #reply: string;
  #isNoted = false;

  constructor(received: NatsMessage, info: DeliveryInfo, to: Lending) {
    this.key = info.streamSequence;
    this.info = info;
    this.#received = received;
    this.#to = to;
    this.#reply = received.reply ?? '';
  }

  get id(): string {
    return `${this.info.streamSequence} ${this.info.storedAtMs}`;
  }

  /** The server has sent it again, for want of a word in an outage: what is said counts for the last delivery. */
  renew(reply: string): void {
    this.#reply = reply;
    this.working();
  }

  event(): BrokerEvent {
    return { topic: this.#topic, message: this.#to.form.decode(this.#received), delivery: this.info.delivery };
  }

  done(): void {
    this.#say(acknowledged);
    this.#to.onDone(this.info);
    if (this.#isNoted) this.#to.forgetNote(this.id);
  }

  async last(): Promise<boolean> {
    const isFirst = await this.#to.note(this.id, this.#topic);
    this.#isNoted = true;
    return isFirst;
  }

  again(pauseMs: number): void {
    this.#say(pauseMs === 0 ? notHandled : encoder.encode(`-NAK ${JSON.stringify({ delay: pauseMs * 1e6 })}`));
  }

  /** The server waits longer before it gives it to another member. */
  working(): void {
    this.#say(inProgress);
  }

  get #topic(): string {
    return this.#to.stream.topicOf(this.#received.subject);
  }

  #say(data: Uint8Array): void {
    this.#to.answer(this.#reply, data);
  }
}

/** A member of a queue: pulls from the durable consumer that all members share. */
export class QueueMember extends SettlingSubscriber<Lent> {
  readonly #puller: Puller;
  readonly #connection: NatsConnection;
  /** Answers that could not be written in an outage. The server takes them after it, by the same subjects. */
  readonly #unsent = new Map<string, Uint8Array>();
  readonly #done = new DoneMessages();
  readonly #unfollow: () => void;
  readonly #working: NodeJS.Timeout;

  constructor({
    api,
    consumers,
    form,
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
    const lending: Lending = {
      form,
      stream,
      answer: (reply: string, data: Uint8Array) => this.#answer(reply, data),
      note: (id: string, on: string) => consumers.note(stream, noteName(name, id), on),
      onDone: ({ streamSequence, storedAtMs }: DeliveryInfo) => this.#done.add(streamSequence, storedAtMs),
      forgetNote: (id: string) => void consumers.remove(stream, noteName(name, id)),
    };
    // A consumer that somebody deletes is made again behind what came last.
    let seen: Seen | undefined;
    let highest = 0;
    this.#puller = new Puller({
      api,
      room: () => most - this.held.size,
      least: Math.max(1, Math.floor(most / 4)),
      onMessage: (message) => {
        const info = deliveryInfoOf(message.reply);
        if (info === undefined) return;
        const { streamSequence: sequence } = info;
        if (seen !== undefined && sequence > seen.sequence) seen.sequence = sequence;
        // What comes in order was never here.
        if (sequence > highest) highest = sequence;
        else if (this.#isKnown(message, info)) return this.#puller.fill();
        this.push(new Lent(message, info, lending));
      },
      consumer: async () => {
        const found = await consumers.durable(stream, { name, topic, from, seen });
        if (found.consumerMadeMs !== seen?.consumerMadeMs) seen = found;
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
      for (const lent of this.held.values()) lent.working();
    }, ackWaitMs / 3);
    this.#working.unref();
  }

  start(options: AbortOptions): Promise<void> {
    return this.#puller.start(options);
  }

  /** Of what is in hand, or is done with, it only tells the server so. */
  #isKnown({ reply = '' }: NatsMessage, { streamSequence, storedAtMs }: DeliveryInfo): boolean {
    if (this.#done.has(streamSequence, storedAtMs)) {
      this.#answer(reply, acknowledged);
      return true;
    }
    const lent = this.held.get(streamSequence);
    if (lent?.info.storedAtMs !== storedAtMs) return false;
    lent.renew(reply);
    return true;
  }

  #stop(options: AbortOptions): Promise<void> {
    // Handlers still run, and their messages are still in our hands.
    void this.closed.then(() => {
      clearInterval(this.#working);
      this.#unfollow();
    });
    return this.#puller.stop(options);
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
