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

const topicTries = 25;
const topicPauseMs = 200;
const fetchWaitMs = 250;

/** Reads one topic as a member of a consumer group, from a new session after each loss. */
export class KafkaSubscriber extends LogSubscriber<Delivery> {
  readonly #settings: KafkaSettings;
  readonly #group: string;
  readonly #session: LazyConnection<Session>;
  #current: Session | undefined;

  constructor(settings: KafkaSettings, options: Omit<LogSubscriberOptions, 'eventOf'>) {
    super({ ...options, closeTimeoutMs: settings.closeTimeoutMs });
    this.#settings = settings;
    this.#group = options.queue ?? `ts-micro.${randomToken()}`;
    this.#session = new LazyConnection<Session>({
      what: `${who}: reading ${this.topic}`,
      dial: () => this.#begin(),
      isReady: ({ stream }) => !stream.destroyed,
      whenLost: ({ lost }) => lost,
      close: async ({ consumer, stream }) => {
        await this.commit();
        await stream.close();
        await consumer.close();
      },
      destroy: ({ consumer, stream }) => {
        stream.destroy();
        letGo(consumer);
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
    const { topic } = this;
    const all = offsets.map((each) => ({ topic, ...each, leaderEpoch: -1 }));
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
    try {
      await findTopic(consumer, topic);
      const from = { mode: 'committed', fallbackMode: 'latest' } as const;
      const stream = await consumer.consume({ topics: [topic], ...from, autocommit: false, maxWaitTime: fetchWaitMs });
      stream.on('error', () => {});
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
      letGo(consumer);
      throw kafkaError(error, `reading ${topic}`);
    }
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

/** Waits for a topic, which Kafka makes when it is first asked for, and for who coordinates the group. */
async function findTopic(consumer: Consumer, topic: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await consumer.metadata({ topics: [topic], autocreateTopics: true, forceUpdate: true });
      await consumer.findGroupCoordinator();
      return;
    } catch (error) {
      const isMissing = /unknown topic|leader|coordinator|does not host/i.test(kafkaError(error, topic).message);
      if (!isMissing || tries === topicTries) throw error;
      await pause(topicPauseMs);
    }
  }
}
