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
  detachMessage,
  type JetStreamApi,
  type NatsConnection,
  type NatsMessage,
  sizeOfMessage,
} from '@ts-micro/nats';
import { consumerName, noteName } from '../consumer-name.ts';
import type { Consumers, Seen } from '../consumers.ts';
import type { EventForm } from '../event-form.ts';
import { type SubscribeFrom, who } from '../jetstream-broker-options.ts';
import type { TopicStream } from '../topic-streams.ts';
import { DoneMessages } from './done-messages.ts';
import type { PendingBytes, PendingPart } from './pending-bytes.ts';
import { Puller } from './puller.ts';

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
  /** What the members of the broker take beyond those that they handle. */
  readonly pending: PendingBytes;
  readonly ackWaitMs: number;
  /** Subscriptions that the server forbids to go on. */
  readonly forbidden: Map<object, MicroError>;
  readonly closeTimeoutMs: number;
  readonly publishDeadLetter: (topic: string, message: Message, id: string) => Promise<void>;
  readonly logger: Logger;
}

/** From so many on, small messages are detached from what they came with. */
const manyWait = 16;
/** Each message meets the same refusal. */
const tellDeniedMs = 5000;
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
  readonly bytes: number;
  readonly #received: NatsMessage;
  readonly #to: Lending;
  #reply: string;
  #isNoted = false;

  constructor(received: NatsMessage, info: DeliveryInfo, to: Lending) {
    this.key = info.streamSequence;
    this.info = info;
    this.bytes = sizeOfMessage(received);
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
  readonly #what: string;
  readonly #puller: Puller;
  readonly #connection: NatsConnection;
  readonly #concurrency: number;
  readonly #prefetch: number;
  /** What it has in hand; `undefined` where it takes nothing beyond what it handles. */
  readonly #pending: PendingPart | undefined;
  /** Answers that could not be written in an outage. The server takes them after it, by the same subjects. */
  readonly #unsent = new Map<string, Uint8Array>();
  readonly #done = new DoneMessages();
  readonly #unfollow: () => void;
  readonly #undeny: () => void;
  #toldDeniedMs = Number.NEGATIVE_INFINITY;
  readonly #working: NodeJS.Timeout;

  constructor({
    api,
    consumers,
    form,
    stream,
    from,
    prefetch,
    pending,
    ackWaitMs,
    publishDeadLetter,
    forbidden,
    ...options
  }: QueueMemberOptions) {
    const { topic, queue, concurrency = 1 } = options;
    const what = `${who}: subscriber of "${topic}"`;
    const name = consumerName(queue, topic);
    super({
      ...options,
      what,
      stop: (closeOptions) => this.#stop(closeOptions),
      onSettled: ({ bytes }) => {
        this.#pending?.count(-bytes);
        this.#puller.fill();
      },
      publishDeadLetter: (target, message, { info }) =>
        publishDeadLetter(target, message, `dead-${stream.options.name}-${name}-${info.streamSequence}`),
    });
    this.#what = what;
    this.#connection = api.connection;
    this.#concurrency = concurrency;
    this.#prefetch = prefetch;
    this.#pending = prefetch > 0 ? pending.part() : undefined;
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
      forbidden,
      more: (asked) => this.#more(asked),
      onMessage: (message) => {
        const info = deliveryInfoOf(message.reply);
        if (info === undefined) return;
        const { streamSequence: sequence } = info;
        if (seen !== undefined && sequence > seen.sequence) seen.sequence = sequence;
        // What comes in order was never here.
        if (sequence > highest) highest = sequence;
        else if (this.#isKnown(message, info)) return this.#puller.fill();
        this.#take(new Lent(this.held.size < manyWait ? message : detachMessage(message), info, lending));
      },
      consumer: async () => {
        const found = await consumers.durable(stream, { name, topic, from, seen });
        if (found.consumerMadeMs !== seen?.consumerMadeMs) seen = found;
        return { stream: stream.options.name, name };
      },
      onTrouble: (error) => this.report(MicroError.from(error, 'unavailable', what)),
    });
    this.#unfollow = this.#connection.onStateChange(({ status }) => {
      if (status === 'connected') this.#sendUnsent();
      else if (status === 'closed') {
        void this.fail(new MicroError('closed', `${what}: the connection was closed`));
      }
    });
    this.#undeny = this.#connection.onPublishDenied((subject, error) => {
      if (deliveryInfoOf(subject)?.consumer !== name) return false;
      this.#onAnswerDenied(error);
      return true;
    });
    this.#working = setInterval(() => {
      for (const lent of this.held.values()) lent.working();
    }, ackWaitMs / 3);
    this.#working.unref();
  }

  start(options: AbortOptions): Promise<void> {
    return this.#puller.start(options);
  }

  /** What waits for its handlers must fit into its part, were each of those asked for as large as the server takes. */
  #more(asked: number): number {
    let most = this.#concurrency + this.#prefetch;
    let left = most - this.held.size - asked;
    if (this.#pending !== undefined) {
      const { maxPayload } = this.#connection;
      const ahead = this.#pending.all.equalPart / maxPayload;
      const fitting = Math.floor(this.#concurrency + ahead - this.#pending.bytes / maxPayload) - asked;
      left = Math.min(left, Math.max(fitting, this.#concurrency - this.held.size - asked));
      most = Math.min(most, this.#concurrency + Math.floor(ahead));
    }
    return left >= Math.max(1, Math.floor(most / 4)) ? left : 0;
  }

  #take(lent: Lent): void {
    if (this.#pending !== undefined && this.isOpen) {
      // One that it takes the place of is never settled.
      this.#pending.count(lent.bytes - (this.held.get(lent.key)?.bytes ?? 0));
    }
    this.push(lent);
    if (this.#pending !== undefined) this.#puller.fill();
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
      this.#undeny();
      this.#pending?.release();
    });
    return this.#puller.stop(options);
  }

  /** What was handled comes again, and nobody else is told why. */
  #onAnswerDenied({ message }: MicroError): void {
    const nowMs = performance.now();
    if (nowMs - this.#toldDeniedMs < tellDeniedMs) return;
    this.#toldDeniedMs = nowMs;
    this.report(new MicroError('unauthorized', `${this.#what}: what was handled cannot be acknowledged: ${message}`));
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
