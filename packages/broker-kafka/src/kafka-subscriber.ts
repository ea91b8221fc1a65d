import { once } from 'node:events';
import type { Consumer, Message as Delivery, MessagesStream } from '@platformatic/kafka';
import type { AbortOptions, BrokerEvent } from '@ts-micro/core';
import type { LogRecord, LogSubscriberOptions } from '@ts-micro/kit';
import { bounded, LazyConnection, LogSubscriber, pause, randomToken } from '@ts-micro/kit';
import { decode } from './envelope.ts';
import { type KafkaSettings, who } from './kafka-broker-options.ts';
import { kafkaError, letGo, newConsumer } from './kafka-client.ts';

interface Session {
  readonly consumer: Consumer;
  readonly stream: MessagesStream<Buffer, Buffer, Buffer, Buffer>;
  readonly lost: Promise<unknown>;
}

const mostTries = 30;
const longestPauseMs = 200;
const fetchWaitMs = 250;

/** Reads one topic as a member of a consumer group, from a new session after each loss. */
export class KafkaSubscriber extends LogSubscriber<Delivery> {
  readonly #settings: KafkaSettings;
  readonly #group: string;
  readonly #session: LazyConnection<Session>;
  #current: Session | undefined;
  #memberId: string | null = null;

  constructor(settings: KafkaSettings, options: Omit<LogSubscriberOptions, 'eventOf'>) {
    super({ ...options, closeTimeoutMs: settings.closeTimeoutMs });
    this.#settings = settings;
    this.#group = options.queue ?? `ts-micro.${randomToken()}`;
    this.#session = new LazyConnection<Session>({
      what: `${who}: reading ${this.topic}`,
      // Each time by another client: one that was refused once believes that it is a member.
      dial: () => whenReady(this.topic, () => this.#begin()),
      isReady: ({ stream }) => !stream.destroyed,
      whenLost: ({ lost }) => lost,
      close: async ({ consumer, stream }) => {
        await this.commitLast();
        await stream.close();
        await consumer.close();
      },
      destroy: ({ consumer, stream }) => {
        stream.destroy();
        this.#abandon(consumer);
      },
    });
  }

  /** Resolves once a message published now would come. */
  start(options: AbortOptions): Promise<void> {
    return this.#session.use(async () => {}, options);
  }

  protected get partitions(): readonly number[] {
    return this.#current?.consumer.assignments?.find(({ topic }) => topic === this.topic)?.partitions ?? [];
  }

  protected eventOf(delivery: Delivery): BrokerEvent {
    return { topic: this.topic, message: decode(delivery) };
  }

  protected async writeOffsets(offsets: readonly LogRecord[]): Promise<void> {
    const all = offsets.map((each) => ({ topic: this.topic, ...each, leaderEpoch: -1 }));
    await this.#current?.consumer.commit({ offsets: all });
  }

  protected flow(isWanted: boolean): void {
    this.#current?.stream[isWanted ? 'resume' : 'pause']();
  }

  protected leave(options: AbortOptions): Promise<void> {
    return this.#session.end(options);
  }

  async #begin(): Promise<Session> {
    const { topic, queue } = this;
    const { requestTimeoutMs, sessionTimeoutMs } = this.#settings;
    const consumer = newConsumer(this.#settings, this.#group);
    consumer.memberId = this.#memberId;
    try {
      await whenReady(topic, async () => {
        await consumer.metadata({ topics: [topic], autocreateTopics: true, forceUpdate: true });
        await consumer.findGroupCoordinator();
      });
      const from = { mode: 'committed', fallbackMode: 'latest' } as const;
      const stream = await consumer.consume({ topics: [topic], ...from, autocommit: false, maxWaitTime: fetchWaitMs });
      stream.on('error', (error) => this.#onError(error));
      this.#current = { consumer, stream, lost: once(stream, 'close') };
      const ready = once(stream, 'offsets');
      stream.on('data', (delivery: Delivery) => this.take(delivery));
      await bounded(ready, {}, requestTimeoutMs + sessionTimeoutMs, `${who}: reading ${topic}`);
      // Whoever was in a queue meanwhile has handled what is committed, and nothing else.
      this.restart({ keep: queue === undefined ? this.partitions : [], begin: this.#beginning(stream) });
      this.#followGroup(this.#current);
      this.goOn();
      // Written down now, so that a member that comes next begins where this one does.
      await this.commit();
      return this.#current;
    } catch (error) {
      this.#current?.stream.destroy();
      this.#abandon(consumer);
      throw kafkaError(error, `reading ${topic}`);
    }
  }

  #onError(error: unknown): void {
    const { topic, queue, isOpen } = this;
    if (isOpen) this.#settings.logger.warn('kafka subscriber begins anew', { topic, queue, error });
  }

  /** Comes back as the member that it was, where it means to: its group would wait until that one is missed. */
  #abandon(consumer: Consumer): void {
    if (this.isOpen) {
      this.#memberId = consumer.memberId ?? this.#memberId;
      consumer.memberId = null;
    }
    letGo(consumer);
  }

  #beginning({ offsetsToFetch }: Session['stream']): readonly LogRecord[] {
    return this.partitions.flatMap((partition) => {
      const offset = offsetsToFetch.get(`${this.topic}:${partition}`);
      return offset === undefined ? [] : { partition, offset };
    });
  }

  #followGroup({ consumer, stream }: Session): void {
    consumer.on('consumer:group:rebalance', () => this.holdBack());
    // What is read is read again from what is committed: of partitions that stay, it is known what was had.
    consumer.on('consumer:group:join', () => this.goOn());
    // All is as it was.
    consumer.on('consumer:heartbeat:end', () => this.goOn());
    // The client gives its membership up then, and says so to nobody.
    consumer.on('consumer:heartbeat:error', () => stream.destroy());
    consumer.on('error', () => stream.destroy());
  }
}

/**
 * Tries again while Kafka is not ready: it makes a topic when that is first asked for, and reads what it knows of a
 * group when it starts.
 */
async function whenReady<T>(topic: string, ask: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await ask();
    } catch (error) {
      const isSoon = /unknown topic|leader|coordinator|does not host/i.test(kafkaError(error, topic).message);
      if (!isSoon || tries === mostTries) throw error;
      await pause(Math.min(20 * tries, longestPauseMs));
    }
  }
}
