import { once } from 'node:events';
import type { Consumer, Message as Delivery, MessagesStream } from '@platformatic/kafka';
import type { AbortOptions } from '@ts-micro/core';
import { bounded, LazyConnection, OffsetTracker, pause } from '@ts-micro/kit';
import { type KafkaSettings, who } from './kafka-broker-options.ts';
import { kafkaError, letGo, newConsumer } from './kafka-client.ts';

type Stream = MessagesStream<Buffer, Buffer, Buffer, Buffer>;

interface Session {
  readonly consumer: Consumer;
  readonly stream: Stream;
  readonly lost: Promise<unknown>;
}

export interface GroupReaderOptions {
  readonly settings: KafkaSettings;
  readonly topic: string;
  readonly group: string;
  /** Whether others may be in the group. */
  readonly isShared: boolean;
  /** Whether a handler is free. */
  readonly hasRoom: () => boolean;
  readonly onMessage: (message: Delivery) => void;
}

const commitAfterMs = 50;
const topicTries = 25;
const topicPauseMs = 200;
const fetchWaitMs = 250;
const mostWaiting = 1024;

/** Reads one topic as a member of a consumer group, from a new session after each loss, and commits what is done. */
export class GroupReader {
  readonly #options: GroupReaderOptions;
  readonly #session: LazyConnection<Session>;
  readonly #tracker = new OffsetTracker();
  #waiting: Delivery[] = [];
  #isStopped = false;
  #isChanging = false;
  #committing: Promise<void> | undefined;
  #current: Session | undefined;

  constructor(options: GroupReaderOptions) {
    this.#options = options;
    this.#session = new LazyConnection<Session>({
      what: `${who}: reading ${options.topic}`,
      dial: () => this.#begin(),
      isReady: ({ stream }) => !stream.destroyed,
      whenLost: ({ lost }) => lost,
      close: async ({ consumer, stream }) => {
        await this.#commit();
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

  done({ partition, offset }: Delivery): void {
    this.#tracker.done(partition, offset);
    this.#committing ??= pause(commitAfterMs).then(() => {
      this.#committing = undefined;
      return this.#commit();
    });
  }

  /** Hands out what waits, as long as there is room. */
  handOut(): void {
    while (!this.#isStopped && !this.#isChanging && this.#options.hasRoom()) {
      const next = this.#waiting.shift();
      if (next === undefined) break;
      // A fetch that was under way brings messages of a partition that is another's by now.
      const isOurs = this.#partitions().includes(next.partition) && this.#tracker.take(next.partition, next.offset);
      if (isOurs) this.#options.onMessage(next);
    }
    if (this.#waiting.length < mostWaiting / 2) this.#current?.stream.resume();
  }

  /** Hands out no more. */
  stop(): void {
    this.#isStopped = true;
    this.#current?.stream.pause();
  }

  end(options: AbortOptions): Promise<void> {
    return this.#session.end(options);
  }

  async #begin(): Promise<Session> {
    const { settings, topic, group, isShared } = this.#options;
    const consumer = newConsumer(settings, group);
    try {
      await findTopic(consumer, topic);
      const from = { mode: 'committed', fallbackMode: 'latest' } as const;
      const stream = await consumer.consume({ topics: [topic], ...from, autocommit: false, maxWaitTime: fetchWaitMs });
      const lost = new Promise<void>((resolve) => stream.once('close', () => resolve()));
      stream.on('error', () => {});
      // Whoever was in the group meanwhile has handled what is committed, and nothing else.
      if (isShared) this.#tracker.keep([]);
      const ready = once(stream, 'offsets');
      this.#waiting = [];
      this.#isChanging = false;
      this.#current = { consumer, stream, lost };
      this.#followGroup(consumer);
      stream.on('data', (message: Delivery) => {
        this.#waiting.push(message);
        this.handOut();
        if (this.#waiting.length >= mostWaiting) stream.pause();
      });
      await bounded(ready, {}, settings.requestTimeoutMs + settings.sessionTimeoutMs, `${who}: reading ${topic}`);
      // Written down now, so that a member that comes next begins where this one does.
      for (const partition of this.#partitions()) {
        const offset = stream.offsetsToFetch.get(`${topic}:${partition}`);
        if (offset !== undefined) this.#tracker.begin(partition, offset);
      }
      await this.#commit();
      return this.#current;
    } catch (error) {
      this.#current?.stream.destroy();
      letGo(consumer);
      throw kafkaError(error, `reading ${topic}`);
    }
  }

  /** While partitions change hands nothing is handed out. */
  #followGroup(consumer: Consumer): void {
    const settle = () => {
      this.#isChanging = false;
      this.handOut();
    };
    consumer.on('consumer:group:rebalance', () => {
      this.#isChanging = true;
      void this.#commit();
    });
    // What is read is read again from what is committed: of partitions that stay, the tracker knows what was had.
    consumer.on('consumer:group:join', () => {
      const ours = this.#partitions();
      this.#tracker.keep(ours);
      this.#waiting = this.#waiting.filter(({ partition }) => ours.includes(partition));
      settle();
    });
    // All is as it was.
    consumer.on('consumer:heartbeat:end', () => {
      if (this.#isChanging) settle();
    });
  }

  #partitions(): readonly number[] {
    const { topic } = this.#options;
    return this.#current?.consumer.assignments?.find((each) => each.topic === topic)?.partitions ?? [];
  }

  async #commit(): Promise<void> {
    const { topic } = this.#options;
    const offsets = this.#tracker.takeChanges().map((change) => ({ topic, ...change, leaderEpoch: -1 }));
    if (offsets.length === 0 || this.#current === undefined) return;
    // Where it fails, the session is lost or the partitions are another's: they are read again from before.
    await this.#current.consumer.commit({ offsets }).catch(() => {});
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
